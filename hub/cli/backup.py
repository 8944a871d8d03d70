"""`hub backup`: a copy of the database that was read back and counted."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from hub.cli.database import exists, settings, shown
from hub.cli.show import json_option, print_json
from hub.store import backup as backups


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def command(file: Path, as_json: bool) -> None:
    """Write a backup to FILE and a note of its counts to FILE.json, while the hub runs.

    The master key is not in it: keep a copy of that elsewhere, or the stored secrets cannot be read again.
    """
    given = settings()
    if not exists(given.database):
        raise click.ClickException(f"there is no database at {shown(given.database)}")
    with Progress(console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"backup to {file.name}", total=None)
        note = backups.backup(given.database, file, lambda done, of: bar.update(task, completed=done, total=of))
    if as_json:
        print_json(note)
        return
    click.echo(f"{file}: {note.size} bytes, {sum(note.rows.values())} rows in {len(note.rows)} tables, read back")
    click.echo(f"The master key is not in it; keep a copy of {given.key_file} elsewhere.")
