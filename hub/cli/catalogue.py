"""`hub catalogue`: what this hub can speak to, read and translate."""

from __future__ import annotations

from typing import Any

import click

from hub.cli.database import settings
from hub.cli.mapping_files import Kinds, kinds
from hub.cli.show import json_option, print_json, print_table
from hub.kit.fields import describe_settings
from hub.ports import Connector


@click.command()
@click.argument("connector", required=False)
@json_option
def command(connector: str | None, as_json: bool) -> None:
    """List connectors with what they can do, codecs and mapping files; or one connector with its settings."""
    known = kinds(settings())
    if connector is not None:
        one(known, connector, as_json)
        return
    files = mapping_names(known)
    if as_json:
        print_json({"connectors": [described(each) for each in known.connectors.values()],
                    "codecs": sorted(known.codecs), "functions": sorted(known.functions), "mappings": files,
                    "broken": known.loaded.broken})  # fmt: skip
        return
    rows = [
        (each.name, each.title, ", ".join(each.pulls), ", ".join(each.pushes), ", ".join(each.receives))
        for each in sorted(known.connectors.values(), key=lambda each: each.name)
    ]
    print_table(("connector", "title", "pulls", "pushes", "receives"), rows)
    click.echo(f"\ncodecs: {', '.join(sorted(known.codecs))}\nmappings: {', '.join(files)}")
    for broken in known.loaded.broken:
        click.echo(f"left out: {broken.plugin}: {broken.reason}", err=True)


def one(known: Kinds, name: str, as_json: bool) -> None:
    """Print one connector with its settings."""
    if name not in known.connectors:
        raise click.ClickException(f"there is no connector {name}; there are {', '.join(sorted(known.connectors))}")
    facts = described(known.connectors[name])
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        if key != "settings" and value:
            click.echo(f"{key}: {', '.join(map(str, value)) if isinstance(value, list | tuple | dict) else value}")
    click.echo("")
    rows = [
        (each["name"], each["kind"], "required" if each["required"] else "", each["help"]) for each in facts["settings"]
    ]
    print_table(("setting", "kind", "", "help"), rows)


def described(connector: Connector) -> dict[str, Any]:
    """Return a connector's declaration as plain data."""
    return {
        "name": connector.name,
        "title": connector.title,
        "version": connector.version,
        "roles": connector.roles,
        "pulls": connector.pulls,
        "pushes": {kind: {"on_doubt": push.on_doubt, "batch": push.batch} for kind, push in connector.pushes.items()},
        "receives": connector.receives,
        "signature": connector.signature,
        "rate_per_second": connector.rate.per_second if connector.rate else None,
        "acknowledges": connector.ack_granularity,
        "acknowledge_within_hours": connector.ack_deadline_hours,
        "settings": [
            {"name": field.name, "kind": field.kind, "required": field.required, "help": field.help,
             "choices": field.choices}
            for field in describe_settings(connector.settings)
        ],
    }  # fmt: skip


def mapping_names(known: Kinds) -> list[str]:
    """Return the names of all mapping files."""
    found = {
        file.relative_to(root).as_posix().removesuffix(".toml")
        for root in known.roots
        for file in root.rglob("*.toml")
        if file.name.endswith((".in.toml", ".out.toml"))
    }
    return sorted(found)
