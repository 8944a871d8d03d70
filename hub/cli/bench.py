"""`hub bench`: orders per second and latency on this machine, through a hub that runs as its users run it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import click
import msgspec
from rich.console import Console
from rich.table import Table

from hub.cli.benching import machine
from hub.cli.benching.measure import Bench, Figure, Place, runs
from hub.cli.benching.samples import SEED
from hub.cli.benching.scene import WORKLOADS, Workload
from hub.cli.database import settings
from hub.cli.mapping_files import kinds
from hub.cli.show import json_option, print_json

ORDERS = 2000
WIDTH = 120
NAMES = {workload.name.lower(): workload for workload in WORKLOADS}
NAMED = ", ".join(workload.name for workload in WORKLOADS)
Result = tuple[Workload, Place, Figure]


@click.command()
@json_option
@click.option("--only", default="", help=f"Workloads, separated by commas: {NAMED}.")
@click.option("--database", type=click.Choice(["sqlite", "postgres"]), default=None, help="One kind only; else both.")
@click.option("--orders", type=click.IntRange(1, 100_000), default=ORDERS, show_default=True, help="Orders per run.")
@click.option("--seed", type=int, default=SEED, show_default=True, help="Number that decides what the orders hold.")
@click.option("--database-url", default=None, help="PostgreSQL that may make databases (HUB_TEST_DATABASE_URL).")
@click.option("--redis-url", default=None, help="Redis, first database that may be used (HUB_TEST_REDIS_URL).")
def command(
    as_json: bool, only: str, database: str | None, orders: int, seed: int, database_url: str | None,
    redis_url: str | None,
) -> None:  # fmt: skip
    """Measure orders per second, latency and memory of this hub on this machine.

    Each run starts a fresh hub: `hub run` on SQLite; `hub web`, `hub worker` and `hub schedule` on PostgreSQL and
    Redis. The configuration is a folder applied as by `hub apply`. Webhooks come in by POST /in/shop, files through a
    watched folder; orders have five lines. The load and the destination are processes of their own on this machine
    and take their share of it. 64 orders warm each hub before the clock starts.

    orders/s counts from the first POST (webhooks), or from the moment the file's message is stored (files; the wait
    for the folder's next look, up to a second, is left out), to the last arrival at the destination. Latency is the
    same per order, in W4 until the second of its two documents has arrived; in W1s it counts from when the order was
    due. For files, latency is the wait behind the rest of the file. `first` is the first order's arrival, `cpu` the
    hub's own processor time per order, which a busy machine changes least.

    The first line, `machine` in the JSON, says what this machine gives by itself, each for a fifth of a second: by it,
    tables of two machines can be compared.

    After each run the record and the destination are compared: every order must have had exactly one effect of each
    kind, every file its acknowledgement. Where not, the figure is INVALID and the exit status is 1.
    """
    chosen = _chosen(only)
    server = database_url or os.environ.get("HUB_TEST_DATABASE_URL", "")
    redis = redis_url or os.environ.get("HUB_TEST_REDIS_URL", "")
    databases = list(_databases(database, server, redis))
    if not databases:
        raise click.ClickException("there is no database to measure on; give --database-url and --redis-url")
    given = settings()
    bench = Bench(folder=given.var / "bench", known=kinds(given), seed=seed)
    found = _told(machine.measure(bench.folder, databases, server), as_json)
    results: list[Result] = []
    for workload, place in runs(chosen, databases, server, redis):
        figure = bench.run(workload, place, orders * workload.times)
        results.append((workload, place, figure))
        click.echo(_line(workload, place, figure), err=True)
    _end(found, results, as_json)
    raise SystemExit(0 if all(figure.valid for _, _, figure in results) else 1)


def _told(found: machine.Machine, as_json: bool) -> machine.Machine:
    click.echo(machine.told(found), err=as_json)
    return found


def _end(found: machine.Machine, results: Sequence[Result], as_json: bool) -> None:
    if as_json:
        print_json({"machine": msgspec.to_builtins(found), **as_data(results)})
    else:
        show(results)


def _chosen(only: str) -> list[Workload]:
    names = [name.strip().lower() for name in only.split(",") if name.strip()]
    if unknown := [name for name in names if name not in NAMES]:
        raise click.UsageError(f"there is no workload {', '.join(unknown)}; there are {NAMED}")
    return [NAMES[name] for name in names] or list(WORKLOADS)


def _databases(asked: str | None, server: str, redis: str) -> Iterator[str]:
    """Yield the databases that can be measured; say which cannot, and why."""
    if asked in (None, "sqlite"):
        yield "sqlite"
    if asked in (None, "postgres"):
        if server and redis:
            yield "postgres"
        else:
            click.echo(
                "PostgreSQL is left out: set HUB_TEST_DATABASE_URL and HUB_TEST_REDIS_URL, or give --database-url and "
                "--redis-url",
                err=True,
            )


def _line(workload: Workload, place: Place, figure: Figure) -> str:
    if figure.problems:
        return f"{workload.name} {place.name}: INVALID: " + "; ".join(figure.problems)
    return f"{workload.name} {place.name}: {figure.orders_per_s:.0f} orders/s"


def as_data(results: Sequence[Result]) -> dict[str, dict[str, object]]:
    """Return the figures by workload and database."""
    data: dict[str, dict[str, object]] = {}
    for workload, place, figure in results:
        data.setdefault(workload.name, {})[place.name] = {**msgspec.to_builtins(figure), "valid": figure.valid}
    return data


def show(results: Sequence[Result]) -> None:
    """Print the figures as a table."""
    table = Table(title=f"hub bench, {os.cpu_count()} cores")
    table.add_column("workload", no_wrap=True)
    table.add_column("database", no_wrap=True)
    for name in ("orders", "orders/s", "p50 ms", "p95 ms", "p99 ms", "first ms", "cpu us"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("peak MB")
    for workload, place, figure in results:
        memory = ", ".join(f"{name} {peak:.0f}" for name, peak in figure.rss_mb.items())
        numbers = (figure.p50_ms, figure.p95_ms, figure.p99_ms, figure.first_ms, figure.cpu_us)
        rate = f"{figure.orders_per_s:.0f}" if figure.valid else f"INVALID ({figure.orders_per_s:.0f})"
        table.add_row(workload.name, place.name, str(figure.orders), rate, *(f"{n:.0f}" for n in numbers), memory)
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)
    for workload in dict.fromkeys(workload for workload, _, _ in results):
        click.echo(f"{workload.name:6} {workload.title}")
