"""What the verbs that stay running share: logging, the application, signals, one core for one interpreter."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading

from flask import Flask

from hub.bootstrap import Hub
from hub.web.console_app import create_console_app

SWITCH_SECONDS = 0.005
COLLECT_AFTER = (50_000, 20, 100)


def set_up_logging() -> None:
    """Log one line per happening to stderr."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)


def keep_to_one_core() -> None:
    """Keep this process's threads on one core.

    Only one thread of an interpreter runs at a time; threads that wait for it on another core cost more than they
    bring. Measured here (W1, SQLite, two cores): 1.5 times the orders per second, with a third less processor time.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})


def collect_rarely() -> None:
    """Look for cyclic garbage less often, and never among what was made at the start. Call it once all is wired.

    A batch of decoded orders is hundreds of thousands of small objects without cycles; looking through them again and
    again took up to a quarter of the processor time of an order (measured: W1 to W4), for no memory in return.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def application(hub: Hub) -> Flask:
    """Make the web application of a hub."""
    return create_console_app(hub)


def wait_for_signal() -> None:
    """Return when this process is asked to end."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()
