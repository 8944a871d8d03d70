"""`hub apply`: the files of the configuration folder become the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from hub.cli.database import opened, settings, who
from hub.cli.mapping_files import Kinds, kinds
from hub.cli.show import json_option, print_json
from hub.domain.errors import Problem, Rejected
from hub.kit.fields import read_settings
from hub.store import mappings, seeds
from hub.store.db import Db
from hub.store.seed_files import Seeds, read_folder

MARKS = {"add": "+", "change": "~", "conflict": "!", "kept": "=", "left": "?"}
WORDS = {
    "add": "will be added", "change": "changed in the file", "conflict": "changed in the file and in the console",
    "kept": "changed in the console, which holds", "left": "no longer in any file; --prune removes it",
}  # fmt: skip


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--take", type=click.Choice(["file", "record"]), default=None, help="Settle conflicts for one side.")
@click.option("--prune", is_flag=True, help="Remove what earlier files brought and none names any more.")
@click.option("--publish", is_flag=True, help="Publish newer versions of mappings too.")
@json_option
def command(folder: Path | None, dry_run: bool, take: Any, prune: bool, publish: bool, as_json: bool) -> None:
    """Apply a configuration folder (HUB_CONFIG) to the database. Applying twice changes nothing.

    Shows the plan. Stops where a file and the console both changed a record, and shows both. Mappings that agreements
    name are published where they never were; a newer version is offered and taken with --publish.
    """
    given = settings()
    given = replace(given, config=folder) if folder else given
    found, known = read_folder(given.config), kinds(given)
    check_connections(found, known)
    files = known.mappings(found.mappings)
    with opened(given) as store:
        planned = store.read(lambda db: seeds.plan(db, found))
        offered = store.read(lambda db: mappings.offers(db, files, publish_newer=publish))
        if as_json:
            print_json({"changes": planned.changes, "opening_stock": planned.opening_stock, "mappings": offered})
        else:
            show(planned, offered)
        if dry_run:
            raise SystemExit(1 if planned.conflicts and not take else 0)

        def run(db: Db) -> None:
            seeds.apply(db, found, who=who(), take=take or "", prune=prune)
            mappings.publish_offers(db, files, offered, who=who())

        store.write(run)


def check_connections(found: Seeds, known: Kinds) -> None:
    """Refuse settings that their connector does not take, such as a secret that is not a reference."""
    problems: list[Problem] = []
    for seed in found.of("connection"):
        connector = known.connectors.get(seed.value.connector)
        where = f"{seed.file}: connection {seed.name}"
        if connector is None:
            text = f"there is no connector {seed.value.connector!r}; hub catalogue lists them"
            problems.append(Problem(code="unknown_connector", path=where, text=text))
            continue
        try:
            read_settings(connector.settings, seed.value.settings, lambda reference: reference)
        except Rejected as error:
            problems += [
                Problem(code=each.code, path=f"{where}.{each.path}", text=each.text) for each in error.problems
            ]
    for seed in found.of("agreement"):
        if seed.value.codec not in known.codecs:
            text = f"there is no codec {seed.value.codec!r}; there are {', '.join(sorted(known.codecs))}"
            problems.append(Problem(code="unknown_codec", path=f"{seed.file}: agreement {seed.name}", text=text))
    if problems:
        raise Rejected(problems)


def show(planned: seeds.Plan, offered: Sequence[mappings.Offer]) -> None:
    """Print what is to be done, one line per record that is not the same on both sides."""
    for change in planned.changes:
        if change.state == "same":
            continue
        file = f" ({change.file})" if change.file else ""
        click.echo(f"{MARKS[change.state]} {change.kind} {change.name}{file}: {WORDS[change.state]}")
        if change.state in ("change", "conflict", "kept"):
            click.echo(f"    file:    {change.in_file}\n    console: {change.in_record or '(deleted)'}")
    if planned.opening_stock:
        click.echo(f"+ opening stock: {planned.opening_stock} rows")
    for offer in offered:
        if offer.state == "publish":
            click.echo(f"+ mapping {offer.name}: will be published as {offer.sha256[:12]}")
        elif offer.state == "offered":
            shas = f"{offer.sha256[:12]}; {offer.published_sha256[:12]} holds"
            click.echo(f"? mapping {offer.name}: a newer version is offered, {shas}; --publish takes it")
    same = len(planned.of("same"))
    click.echo(f"{len(planned.changes) - same} differ, {same} are the same")
