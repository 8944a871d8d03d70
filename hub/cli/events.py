"""`hub events`: the console's event streams in a process of their own: open pages take no thread from intake."""

from __future__ import annotations

import math
import os
from dataclasses import replace

import click

from hub.bootstrap import build
from hub.cli.serving import application, refuse_old_tables, refuse_taken_port, set_up_logging, wait_for_signal
from hub.settings import hub_settings
from hub.store.store import wait_for
from hub.web.serving import EmbeddedServer

THREADS = 64


@click.command()
@click.option("--host", default=None, help="Address to listen on (HUB_HOST).")
@click.option("--port", type=int, default=None, help="Port to listen on (HUB_PORT).")
def command(host: str | None, port: int | None) -> None:
    """Serve event streams, each with a thread of its own; pages beyond that poll."""
    set_up_logging()
    settings = hub_settings(os.environ)
    settings = replace(settings, host=host or settings.host, port=settings.port if port is None else port)
    refuse_taken_port(settings.host, settings.port)
    refuse_old_tables(settings)
    hub = build(settings, role="events", lanes=())
    wait_for(hub.store, seconds=math.inf)
    app = application(hub)
    server = EmbeddedServer(app, settings.host, settings.port, threads=THREADS)
    click.echo(f"Event streams on http://{settings.host}:{server.start()}/events")
    wait_for_signal()
    app.extensions["live"].close()
    server.stop()
    hub.close()
