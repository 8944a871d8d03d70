"""`hub schedule`: queues what is due by the clock. A second one does no harm; it finds every turn taken."""

from __future__ import annotations

import os

import click

from hub.bootstrap import build
from hub.cli.serving import refuse_old_tables, set_up_logging, wait_for_signal
from hub.settings import hub_settings
from hub.work.sweeper import Sweeper


@click.command()
def command() -> None:
    """Queue the pulls that are due, once a second, until asked to end."""
    set_up_logging()
    settings = hub_settings(os.environ)
    refuse_old_tables(settings)
    hub = build(settings, role="schedule", lanes=())
    ticker = Sweeper(hub.tick, name="schedule")
    ticker.start()
    click.echo(f"scheduling as {hub.services.owner}")
    wait_for_signal()
    ticker.stop()
    hub.close()
