"""`hub audit verify`: does the chain of the audit trail hold?"""

from __future__ import annotations

import click

from hub.cli.database import opened
from hub.cli.show import json_option, print_json
from hub.store import audit


@click.group()
def command() -> None:
    """Verify the audit trail."""


@command.command()
@json_option
def verify(as_json: bool) -> None:
    """Read the whole trail and say where it breaks; exit status 1 where it does.

    Keep the last seal somewhere else: with it, rows that were cut off at the end show too.
    """
    with opened() as store:
        found = store.read(audit.verify)
    if as_json:
        print_json(found)
    elif found.broken_at is None:
        click.echo(f"{found.rows} rows, unbroken; last seal {found.last_sha or '-'}")
    else:
        click.echo(f"broken at row {found.broken_at} after {found.rows} good rows: {found.reason}", err=True)
    raise SystemExit(0 if found.broken_at is None else 1)
