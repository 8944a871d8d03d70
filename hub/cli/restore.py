"""`hub restore`: a backup into an empty database, compared count by count."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.database import settings, shown, who
from hub.cli.show import json_option, print_json
from hub.store import audit, migrate
from hub.store import backup as backups
from hub.store.restored import GAP, mark_restored
from hub.store.store import Store


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--number-gap", type=click.IntRange(0, 1_000_000), default=GAP, show_default=True,
    help="Control numbers to leave out of each series: as many as may have been given out since the backup.",
)  # fmt: skip
@json_option
def command(file: Path, number_gap: int, as_json: bool) -> None:
    """Put a backup into the empty database of HUB_DATABASE_URL, compare every count and verify the audit trail.

    Stop the hub first. A backup of an older version is brought up to date. What waited in it may have been sent since:
    it is looked up before it is sent, or a person is asked; messages that were not worked through wait for a person.
    """
    given = settings()
    note = backups.restore(given.database, file)
    migrate.upgrade(given.database)
    store = Store(given.database, pool_size=2)
    try:
        trail = store.read(audit.verify)
        marked = store.write(lambda db: mark_restored(db, who=who(), gap=number_gap))
    finally:
        store.close()
    if trail.broken_at is not None:
        raise click.ClickException(
            f"the counts agree, but the audit trail breaks at row {trail.broken_at}: {trail.reason}"
        )
    if as_json:
        print_json({"rows": note.rows, "audit_rows": trail.rows, "marked": marked})
        return
    rows = sum(note.rows.values())
    click.echo(
        f"{shown(given.database)}: {rows} rows in {len(note.rows)} tables, all counts agree, audit trail unbroken"
    )
    click.echo(
        f"What happened after {marked.since:%Y-%m-%d %H:%M:%S} UTC is not in it: "
        f"{sum(marked.doubted.values())} deliveries are in doubt, {marked.held} messages wait for a person; "
        "the incident says what to do"
    )
    if not given.key_file.exists():
        click.echo(f"{given.key_file} is missing: put the master key there before the hub starts", err=True)
