"""`hub key`: API keys of programs."""

from __future__ import annotations

import click

from hub.cli.database import opened, who
from hub.cli.show import json_option, print_json, print_table
from hub.store import keys
from hub.store.types import from_us


@click.group()
def command() -> None:
    """Add, list and revoke API keys."""


@command.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may do, such as orders:read; repeat.")
@click.option("--partner", default="", help="Whose records it sees; empty: all.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="When it ends.")
@json_option
def add(name: str, scopes: tuple[str, ...], partner: str, days: int, as_json: bool) -> None:
    """Add a key for a program and print it. It is shown this once."""
    text = keys.new_key()
    with opened() as store:
        key = store.write(
            lambda db: keys.keep_key(db, text, name, scopes, partner=partner, seconds=days * 86400, who=who())
        )
    if as_json:
        print_json({"id": key.id, "key": text, "scopes": key.scopes, "partner": partner})
    else:
        click.echo(text)


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List keys, without their secrets."""
    with opened() as store:
        found = store.read(keys.api_keys)
    if as_json:
        print_json(found)
        return
    rows = [
        (key.id, key.name, " ".join(key.scopes), key.partner, _at(key.expires_us), _at(key.used_us), key.revoked or "")
        for key in found
    ]
    print_table(("id", "name", "scopes", "partner", "ends", "last used", "revoked"), rows)


@command.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End a key by its id."""
    with opened() as store:
        if not store.write(lambda db: keys.revoke_key(db, key_id, who=who())):
            raise click.ClickException(f"there is no active key {key_id}; see hub key list")
    click.echo(f"key {key_id} is revoked")


def _at(value: int | None) -> str:
    return "" if value is None else from_us(value).strftime("%Y-%m-%d %H:%M")
