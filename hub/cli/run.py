"""`hub run`: web, workers and schedule in one process, on SQLite, with nothing else to install."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import click
import dramatiq

from hub.bootstrap import Hub, build
from hub.cli.serving import application, keep_to_one_core, set_up_logging, wait_for_signal
from hub.settings import hub_settings
from hub.store.migrate import upgrade
from hub.web.serving import EmbeddedServer
from hub.work.sweeper import Sweeper

THREADS = 2


class Embedded:
    """A whole hub in this process: `start` returns the port, `stop` ends everything."""

    def __init__(self, hub: Hub, app: Any, *, threads: int = THREADS) -> None:
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


@click.command()
@click.option("--demo", is_flag=True, help="Load the demo configuration and start its simulated partners.")
@click.option("--port", type=int, default=None, help="Port to listen on (HUB_PORT).")
def command(demo: bool, port: int | None) -> None:
    """Run the hub: web, workers and schedule in this process."""
    set_up_logging()
    keep_to_one_core()
    settings = hub_settings(os.environ)
    if port is not None:
        settings = replace(settings, port=port)
    settings.var.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database)
    hub = build(settings)
    embedded = Embedded(hub, application(hub))
    click.echo(f"The hub listens on http://{settings.host}:{embedded.start()}")
    wait_for_signal()
    embedded.stop()
