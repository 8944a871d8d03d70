"""Every command explains itself, and loading one loads no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from hub.cli import VERBS, main

OTHERS = {"run", "demo", "web", "events", "worker", "schedule", "bench"}
"""Verbs that serve; they are tested where their parts are."""
PRINTING = {
    "apply", "export", "check", "backup", "restore", "inspect", "translate", "replay", "catalogue", "user list",
    "key add", "key list", "secret list", "audit verify", "partner test",
}  # fmt: skip


def commands(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        if name in OTHERS and not above:
            continue
        command = group.get_command(context, name)
        assert command is not None
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))


ALL = dict(commands(main))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, [*words, "--help"], prog_name="hub")

    assert done.exit_code == 0
    assert (ALL[words].help or "").strip()
    for parameter in ALL[words].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(words)} {parameter.name} has no help"


def test_every_command_that_prints_data_prints_json() -> None:
    able = {" ".join(words) for words, command in ALL.items() if any("--json" in each.opts for each in command.params)}

    assert able == PRINTING


def test_the_verbs_of_the_public_interface_are_there() -> None:
    promised = {
        "run", "demo", "web", "events", "worker", "schedule", "check", "apply", "export", "db", "backup", "restore",
        "user", "key", "keys", "partner", "inspect", "translate", "ack", "replay", "connector", "catalogue", "audit",
        "bench",
    }  # fmt: skip

    assert promised <= set(VERBS)
    assert {words[0] for words in ALL} >= promised - OTHERS


def test_the_list_of_verbs_loads_none_of_them() -> None:
    code = (
        "import sys; from hub.cli import main; main(['--help'], standalone_mode=False); "
        "sys.exit(any(name.startswith(('sqlalchemy', 'hub.store', 'hub.cli.')) for name in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert "audit" in done.stdout


def test_an_unknown_verb_fails() -> None:
    done = CliRunner().invoke(main, ["nonsense"], prog_name="hub")

    assert done.exit_code == 2
    assert "No such command 'nonsense'" in done.stderr
