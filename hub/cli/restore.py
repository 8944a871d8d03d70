"""`hub restore`: a backup into an empty database, compared count by count."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.database import settings, shown
from hub.cli.show import json_option, print_json
from hub.store import audit, migrate
from hub.store import backup as backups
from hub.store.store import Store


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def command(file: Path, as_json: bool) -> None:
    """Put a backup into the empty database of HUB_DATABASE_URL, compare every count and verify the audit trail.

    Stop the hub first. A backup of an older version is brought up to date.
    """
    given = settings()
    note = backups.restore(given.database, file)
    migrate.upgrade(given.database)
    store = Store(given.database, pool_size=2)
    try:
        trail = store.read(audit.verify)
    finally:
        store.close()
    if trail.broken_at is not None:
        raise click.ClickException(
            f"the counts agree, but the audit trail breaks at row {trail.broken_at}: {trail.reason}"
        )
    if as_json:
        print_json({"rows": note.rows, "audit_rows": trail.rows})
        return
    rows = sum(note.rows.values())
    click.echo(
        f"{shown(given.database)}: {rows} rows in {len(note.rows)} tables, all counts agree, audit trail unbroken"
    )
    if not given.key_file.exists():
        click.echo(f"{given.key_file} is missing: put the master key there before the hub starts", err=True)
