"""`hub keys rotate`: a new master key, and every stored secret closed under it."""

from __future__ import annotations

import os

import click

from hub.cli.database import opened, settings, who
from hub.store import second_factors, vault
from hub.store.db import Db


@click.group()
def command() -> None:
    """Rotate the master key of stored secrets."""


@command.command()
@click.option("--same-key", is_flag=True, help="Make no new key: close everything under the file's first key.")
def rotate(same_key: bool) -> None:
    """Put a new key first in the key file and close every secret under it.

    The old keys stay in the file, because older backups need them; remove their lines when no such backup is left.
    Where the file cannot be written here, put the new key (openssl rand -base64 32) into its first line and run this
    with --same-key.
    """
    given = settings()
    file = given.key_file
    with opened(given) as store:
        if not same_key and file.exists():
            if not os.access(file.parent, os.W_OK):
                raise click.ClickException(f"{file} cannot be written here; see hub keys rotate --help")
            vault.add_key(file)
        held = vault.read_keys(file)
        count = store.write(lambda db: _close_again(db, held))
    click.echo(f"{count} secrets are closed under key {held.current}; keep a copy of {file} away from the backups")


def _close_again(db: Db, held: vault.Keys) -> int:
    return vault.rotate(db, held, who()) + second_factors.rotate_totp(db, held)
