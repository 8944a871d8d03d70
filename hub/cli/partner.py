"""`hub partner`: start the files of a partner, and test them. No Python is needed for either."""

from __future__ import annotations

from dataclasses import replace

import click

from hub.cli.apply import check_connections
from hub.cli.database import settings
from hub.cli.mapping_files import Kinds, kinds
from hub.cli.scaffold import name_of, partner_files, write_new
from hub.domain.errors import Problem, Rejected
from hub.store.seed_files import read_folder
from hub.testing.mapping_contract import decoder, run_case


@click.group()
def command() -> None:
    """Start the files of a partner, and test them."""


@command.command()
@click.argument("name")
@click.option(
    "--syntax", type=click.Choice(["x12", "edifact"]), default="x12", show_default=True, help="What they speak."
)
@click.option("--id", "partner_id", default="", help="Their interchange id, such as ZZ:NORTHSUPPLY.")
def new(name: str, syntax: str, partner_id: str) -> None:
    """Write a partner's file and a mapping that extends the base, below the configuration folder (HUB_CONFIG)."""
    folder = settings().config
    for file in write_new(folder, partner_files(name_of(name), syntax, partner_id or f"ZZ:{name.upper()}")):
        click.echo(file)
    click.echo(f"Now change what differs for them, then run: hub partner test {name}")


@command.command()
@click.argument("name")
def test(name: str) -> None:
    """Check a partner's file, and run the tests in every mapping that its agreements name."""
    given = settings()
    known = kinds(given)
    file = f"partners/{name}.toml"
    found = read_folder(given.config)
    seeds = tuple(seed for seed in found.records if seed.file == file)
    if not seeds:
        raise click.ClickException(f"there is no {given.config / file}; hub partner new {name} writes one")
    own = replace(found, records=seeds, stock=())
    check_connections(own, known)
    failed = sum([not passes(known, mapping) for mapping in own.mappings])
    if failed:
        raise click.ClickException(f"{failed} of {len(own.mappings)} mappings failed")
    click.echo(f"{file}: {len(seeds)} records, {len(own.mappings)} mappings, all good")


def passes(known: Kinds, name: str) -> bool:
    """Run one mapping's tests and print how they ended. A mapping without a test only has to compile."""
    try:
        cases = known.compiled(name).mapping.tests
        root = next(root for root in known.roots if (root / f"{name}.toml").is_file())
        for case in cases:
            came, expected = run_case(
                root, known.roots, name, case, decoder(list(known.codecs.values())), known.functions
            )
            if came != expected:
                raise Rejected([Problem(code="differs", path=case.given, text=f"gave {came}, not {expected}")])
    except Rejected as error:
        click.echo(f"FAILED {name}: {error}", err=True)
        return False
    click.echo(f"ok     {name}: {len(cases)} tests")
    return True
