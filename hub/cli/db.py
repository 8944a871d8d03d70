"""`hub db upgrade`: bring the tables up to date."""

from __future__ import annotations

import click

from hub.cli.database import settings, shown
from hub.store import migrate


@click.group()
def command() -> None:
    """Bring the tables up to date."""


@command.command()
def upgrade() -> None:
    """Apply the revisions that are missing, all or none. Doing it twice is harmless."""
    url = settings().database
    click.echo(f"{shown(url)} is at {migrate.upgrade(url)}")
