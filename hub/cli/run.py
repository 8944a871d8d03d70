"""`hub run`: web, workers and schedule in one process, on SQLite, with nothing else to install."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import click
import dramatiq

from hub.bootstrap import Hub, build
from hub.cli.serving import application, collect_rarely, keep_to_one_core, set_up_logging, wait_for_signal
from hub.settings import HubSettings, hub_settings
from hub.store.migrate import upgrade
from hub.web.console_app import first_run_path
from hub.web.serving import EmbeddedServer
from hub.work.sweeper import Sweeper


class Embedded:
    """A whole hub in this process: `start` returns the port, `stop` ends everything."""

    def __init__(self, hub: Hub, app: Any) -> None:
        self.hub = hub
        self._server = EmbeddedServer(app, hub.settings.host, hub.settings.port)
        self._dramatiq = dramatiq.Worker(hub.broker, worker_threads=1, worker_timeout=50)
        self._sweeper = Sweeper(hub.sweep)
        self._ticker = Sweeper(hub.tick, name="schedule")

    def bind(self) -> int:
        """Take the port before anything else happens: a second hub on the same port must not touch the record."""
        settings = self.hub.settings
        try:
            return self._server.bind()
        except OSError as error:
            text = f"port {settings.port} of {settings.host} is taken ({error.strerror or 'in use'}); "
            raise click.ClickException(f"{text}stop what listens there, or choose another: HUB_PORT=8081") from error

    def start(self) -> int:
        """Start workers, then the schedule, then the door."""
        self.bind()
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
    collect_rarely()
    if demo:
        _run_demo(hub, settings)
    else:
        _run(hub, settings)


def _run(hub: Hub, settings: HubSettings) -> None:
    app = application(hub)
    embedded = Embedded(hub, app)
    _say_where(hub, f"http://{settings.host}:{embedded.start()}")
    wait_for_signal()
    app.extensions["live"].close()
    embedded.stop()


def _run_demo(hub: Hub, settings: HubSettings) -> None:
    from hub.cli.demoing.company import found
    from hub.cli.demoing.partners import DemoPartners

    app = application(hub)
    embedded = Embedded(hub, app)
    embedded.bind()
    partners = DemoPartners(settings.var)
    addresses = partners.open()
    found(hub, settings.config / "demo", addresses)
    partners.address = f"http://{settings.host}:{embedded.start()}"
    turning = Sweeper(partners.turn, name="demo-partners")
    turning.start()
    partners.place(8)
    (settings.var / "demo" / "control").write_text(addresses["control"], encoding="utf-8")
    _say_where(hub, partners.address)
    click.echo("  more     .venv/bin/hub demo --orders 20")
    click.echo(f"  files    {settings.var}/demo: bigbox and kontor (EDI buyers), mail (to the shop's customers)")
    wait_for_signal()
    app.extensions["live"].close()
    turning.stop()
    embedded.stop()
    partners.close()


def _say_where(hub: Hub, address: str) -> None:
    click.echo(f"\nThe hub runs.\n  console  {address}/console")
    path = first_run_path(hub.store)
    if path is not None:
        click.echo(f"  sign in  {address}{path}   (once; it makes you the owner)")
