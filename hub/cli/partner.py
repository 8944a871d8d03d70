"""`hub partner`: start the files of a partner, and test them. No Python is needed for either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from hub.cli.apply import check_connections
from hub.cli.database import settings
from hub.cli.mapping_files import Kinds, kinds
from hub.cli.partnering import report
from hub.cli.partnering.compliance import judge
from hub.cli.partnering.draft import draft
from hub.cli.partnering.samples import read_sample
from hub.cli.partnering.words import MARK
from hub.cli.scaffold import name_of, partner_files, write_new
from hub.cli.show import json_option, print_json
from hub.domain.errors import Problem, Rejected
from hub.settings import HubSettings
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
@click.option(
    "--from", "samples", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of theirs, or one that shows what they want from us; may be given several times.",
)  # fmt: skip
@click.option("--us", "ours", multiple=True, help="Our own interchange id in the samples, where hub.toml has it not.")
def new(name: str, syntax: str, partner_id: str, samples: Sequence[Path], ours: Sequence[str]) -> None:
    """Write a partner's file and mappings that extend the base, below the configuration folder (HUB_CONFIG).

    With --from, identities, delimiters, versions, sets and qualifiers are read from sample files; what is guessed
    is marked "# ?".
    """
    given = settings()
    files: dict[str, str] | dict[str, bytes]
    if samples:
        known = kinds(given)
        found = [one for file in samples for one in read_sample(known, file)]
        files = draft(known, name_of(name), found, ours, our_ids(given)).files
    else:
        files = partner_files(name_of(name), syntax, partner_id or f"ZZ:{name.upper()}")
    written = write_new(given.config, files)
    marks = sum(file.read_bytes().count(MARK.encode()) for file in written if file.suffix == ".toml")
    for file in written:
        click.echo(file)
    if samples:
        click.echo(f"{marks} lines are marked {MARK!r}: decide each, then run: hub partner test {name}")
    else:
        click.echo(f"Now change what differs for them, then run: hub partner test {name}")


def our_ids(given: HubSettings) -> list[str]:
    """Return what hub.toml says we are called; empty where there is no such file."""
    if not (given.config / "hub.toml").is_file():
        return []
    sellers = [seed.value for seed in read_folder(given.config).of("seller")]
    named = [each.value for seller in sellers for each in seller.identifiers]
    return [*named, *(seller.gln for seller in sellers if seller.gln)]


@command.command()
@click.argument("name")
@json_option
def test(name: str, as_json: bool) -> None:
    """Check a partner's file, run their mappings' tests, and judge their sample files as their compliance desk would.

    The samples are those beside the mappings (mappings/partners/NAME/samples). Exit status 1 where one has an error.
    """
    given = settings()
    known = kinds(given)
    file = f"partners/{name}.toml"
    found = read_folder(given.config)
    seeds = tuple(seed for seed in found.records if seed.file == file)
    if not seeds:
        raise click.ClickException(f"there is no {given.config / file}; hub partner new {name} writes one")
    own = replace(found, records=seeds, stock=())
    check_connections(own, known)
    partners = [identifier.value for seed in own.of("partner") for identifier in seed.value.identifiers]
    agreements = [seed.value for seed in own.of("agreement")]
    judged = judge(known, agreements, partners, report.sample_files(known, given.config, name))
    if as_json:
        print_json(judged)
    else:
        report.show(judged)
    failed = sum([not passes(known, mapping, quiet=as_json) for mapping in own.mappings])
    bad = sum(one.failed for one in judged)
    if failed or bad:
        raise click.ClickException(
            f"{failed} of {len(own.mappings)} mappings and {bad} of {len(judged)} documents in samples failed"
        )
    if not as_json:
        click.echo(f"{file}: {len(seeds)} records, {len(own.mappings)} mappings, {len(judged)} samples, all good")
        report.show_marks(given.config, name)


def passes(known: Kinds, name: str, *, quiet: bool = False) -> bool:
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
    if not quiet:
        click.echo(f"ok     {name}: {len(cases)} tests")
    return True
