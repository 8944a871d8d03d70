"""`hub web`: intake, API and console for production, behind a proxy that keeps slow clients away."""

from __future__ import annotations

import os
from dataclasses import replace
from wsgiref.types import WSGIApplication

import click
from granian import Granian
from granian.constants import Interfaces

from hub.bootstrap import build
from hub.cli.serving import (
    application,
    collect_rarely,
    refuse_old_tables,
    refuse_taken_port,
    set_up_logging,
    wait_for_signal,
)
from hub.settings import HubSettings, hub_settings
from hub.web.coming import Coming
from hub.web.serving import EmbeddedServer

THREADS = 32


def make() -> WSGIApplication:
    """Make the application inside the serving process; it comes once the database is there."""
    set_up_logging()
    hub = build(hub_settings(os.environ), role="web", lanes=())

    def complete() -> WSGIApplication:
        made = application(hub)
        collect_rarely()
        return made

    return Coming(complete)


def _serve_alone(settings: HubSettings) -> None:
    server = EmbeddedServer(make(), settings.host, settings.port, threads=THREADS)
    click.echo(f"The hub listens on http://{settings.host}:{server.start()}")
    wait_for_signal()
    server.stop()


@click.command()
@click.option("--host", default=None, help="Address to listen on (HUB_HOST).")
@click.option("--port", type=int, default=None, help="Port to listen on (HUB_PORT).")
@click.option("--alone", is_flag=True, help="No proxy stands in front: slow clients are kept away here.")
def command(host: str | None, port: int | None, alone: bool) -> None:
    """Serve HTTP with one process and 32 threads; intake commits in groups.

    A client that sends its body slowly holds a thread, unless a proxy takes bodies in first, as nginx does; --alone
    serves with the server of `hub run`, which bounds that itself.
    """
    settings = hub_settings(os.environ)
    settings = replace(settings, host=host or settings.host, port=settings.port if port is None else port)
    refuse_taken_port(settings.host, settings.port)
    refuse_old_tables(settings)
    if alone:
        _serve_alone(settings)
        return
    server = Granian(
        "hub.cli.web:make",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        factory=True,
        websockets=False,
        respawn_failed_workers=True,
        log_access=False,
        workers_kill_timeout=30,
    )
    click.echo(f"The hub listens on http://{settings.host}:{settings.port}")
    server.serve()
