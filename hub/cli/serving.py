"""What the verbs that stay running share: logging, the application, signals, one core for one interpreter."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading

import click
from flask import Flask

from hub.bootstrap import Hub
from hub.cli.database import opened
from hub.domain.errors import RetryLater
from hub.settings import HubSettings
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


def refuse_old_tables(settings: HubSettings) -> None:
    """End with a sentence where the tables are missing or old; a database that does not answer yet is waited for."""
    try:
        with opened(settings):
            return
    except RetryLater as error:
        logging.getLogger(__name__).warning("%s; this process goes on and tries again", error)


def refuse_taken_port(host: str, port: int) -> None:
    """End with a sentence where somebody else listens there."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            text = f"port {port} of {host} cannot be taken ({error.strerror}); stop what listens there, or set HUB_PORT"
            raise click.ClickException(text) from error


def application(hub: Hub) -> Flask:
    """Make the web application of a hub."""
    return create_console_app(hub, proxied=hub.settings.proxied)


def wait_for_signal() -> None:
    """Return when this process is asked to end."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()
