"""`hub run`: web, workers and schedule in one process, on SQLite, with nothing else to install."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from dataclasses import replace

import click
import dramatiq

from hub.bootstrap import Hub, build
from hub.settings import hub_settings
from hub.web.serving import EmbeddedServer
from hub.work.sweeper import Sweeper

THREADS = 3


class Embedded:
    """A whole hub in this process: `start` returns the port, `stop` ends everything."""

    def __init__(self, hub: Hub, app: object, *, threads: int = THREADS) -> None:
        self.hub = hub
        self._server = EmbeddedServer(app, hub.settings.host, hub.settings.port)
        self._dramatiq = dramatiq.Worker(hub.broker, worker_threads=threads, worker_timeout=50)
        self._sweeper = Sweeper(hub.sweep)
        self._ticker = Sweeper(hub.tick, name="schedule")

    def start(self) -> int:
        """Start workers, then the schedule, then the door."""
        self._dramatiq.start()
        self._sweeper.start()
        self._ticker.start()
        return self._server.start()

    def stop(self) -> None:
        """Close the door first, finish what is under way, then stop."""
        self._server.stop()
        self._ticker.stop()
        self._sweeper.stop()
        self.hub.worker.stop()
        self._dramatiq.stop(timeout=30_000)
        self.hub.close()


def wait_for_signal() -> None:
    """Return when this process is asked to end."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()


def set_up_logging() -> None:
    """Log one line per happening to stderr."""
    sys.setswitchinterval(0.001)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("cheroot").setLevel(logging.WARNING)


@click.command()
@click.option("--demo", is_flag=True, help="Load the demo configuration and its simulated partners.")
@click.option("--port", type=int, default=None, help="Port to listen on (HUB_PORT).")
def command(demo: bool, port: int | None) -> None:
    """Run the hub: web, workers and schedule in this process."""
    from hub.web.console_app import create_console_app

    set_up_logging()
    settings = hub_settings(os.environ)
    if port is not None:
        settings = replace(settings, port=port)
    hub = build(settings)
    embedded = Embedded(hub, create_console_app(hub))
    click.echo(f"The hub listens on http://{settings.host}:{embedded.start()}")
    wait_for_signal()
    embedded.stop()
