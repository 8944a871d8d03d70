"""`hub worker`: does the work of some lanes until it is asked to end."""

from __future__ import annotations

import os

import click
import dramatiq

from hub.bootstrap import LANES, build
from hub.cli.serving import collect_rarely, refuse_old_tables, set_up_logging, wait_for_signal
from hub.settings import hub_settings
from hub.work.sweeper import Sweeper
from hub.work.worker import THREADS


@click.command()
@click.option("--lanes", default=",".join(LANES), show_default=True, help="Lanes to work, separated by commas.")
@click.option(
    "--threads", default=THREADS, show_default=True, type=click.IntRange(1, 64),
    help="How many lanes and slow partners may be served at once.",
)  # fmt: skip
def command(lanes: str, threads: int) -> None:
    """Do the work of some lanes; end with SIGTERM, what is under way is finished first."""
    set_up_logging()
    chosen = tuple(lane.strip() for lane in lanes.split(",") if lane.strip())
    unknown = [lane for lane in chosen if lane not in LANES]
    if unknown or not chosen:
        raise click.UsageError(f"lanes are {', '.join(LANES)}; not {', '.join(unknown) or 'none'}")
    settings = hub_settings(os.environ)
    refuse_old_tables(settings)
    hub = build(settings, role="work", lanes=chosen, threads=threads)
    rung = dramatiq.Worker(hub.broker, worker_threads=1, worker_timeout=50)
    sweeper = Sweeper(hub.sweep)
    collect_rarely()
    rung.start()
    sweeper.start()
    click.echo(f"working {', '.join(chosen)} as {hub.services.owner}")
    wait_for_signal()
    sweeper.stop()
    hub.worker.stop()
    rung.stop(timeout=30_000)
    hub.close()
