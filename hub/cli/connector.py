"""`hub connector`: start a connector, and run the contract that every connector keeps."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from hub.cli.database import settings
from hub.cli.mapping_files import kinds
from hub.cli.scaffold import connector_files, name_of, write_new

_CONTRACT = """
from hub import plugins
from hub.testing.connector_contract import *
from hub.testing.connector_contract import connector_fixture

connector = connector_fixture([plugins.declared(plugins.load_plugins().manager, "hub_connectors")[{name!r}]])
"""
_LONGEST_SECONDS = 900


@click.group()
def command() -> None:
    """Start a connector, and test it."""


@command.command()
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Root of the checkout.")
def new(name: str, into: Path) -> None:
    """Write the files of a new REST connector, which pass the contract at once: then make them speak to yours.

    A connector folder with its simulator and its table of quality, a mapping with a sample, and tests.
    """
    for file in write_new(into, connector_files(name_of(name))):
        click.echo(file)
    click.echo(f"Now run: hub connector test {name}")


@command.command()
@click.argument("name")
def test(name: str) -> None:
    """Run the contract on one connector, and its own tests where tests/connectors/NAME is there."""
    if importlib.util.find_spec("pytest") is None:
        raise click.ClickException("pytest is not installed here; pip install pytest, or make dev in a checkout")
    known = kinds(settings())
    if name not in known.connectors:
        reasons = "; ".join(f"{broken.plugin}: {broken.reason}" for broken in known.loaded.broken)
        raise click.ClickException(f"there is no connector {name}; {reasons or 'hub catalogue lists them'}")
    own = Path("tests/connectors") / name
    with tempfile.TemporaryDirectory() as folder:
        contract = Path(folder) / "test_contract.py"
        contract.write_text(_CONTRACT.format(name=name), encoding="utf-8")
        command_line = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider"]
        if own.is_dir():
            codes = [_run([*command_line, str(contract)]), _run([*command_line, str(own)])]
        else:
            codes = [_run([*command_line, str(contract)])]
    raise SystemExit(max(codes))


def _run(command_line: list[str]) -> int:
    return subprocess.run(command_line, timeout=_LONGEST_SECONDS, check=False).returncode
