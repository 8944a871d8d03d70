"""`hub secret`: values that connections refer to as `vault:<name>`."""

from __future__ import annotations

import sys

import click
from click.termui import prompt

from hub.cli.database import opened, settings, who
from hub.cli.show import json_option, print_json, print_table
from hub.store.vault import Vault


@click.group()
def command() -> None:
    """Store a secret that connections refer to."""


@command.command("set")
@click.argument("name")
def set_(name: str) -> None:
    """Store a secret, such as acme.token, read from standard input or asked for. Prints its reference."""
    asked = sys.stdin.isatty()
    value = str(prompt("Value", hide_input=True)) if asked else sys.stdin.read().rstrip("\r\n")
    if not value:
        raise click.ClickException("nothing was given; pipe the value in or type it")
    given = settings()
    with opened(given) as store:
        click.echo(Vault(store, given.key_file).put(name, value, who()))


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the names of stored secrets; their values are never shown."""
    given = settings()
    with opened(given) as store:
        names = Vault(store, given.key_file).names()
    if as_json:
        print_json(names)
    else:
        print_table(("reference",), [(f"vault:{name}",) for name in names])
