"""What every connector must keep, ours or not.

A package buys the suite with three lines in its tests::

    from hub.testing.connector_contract import *
    from acme_hub import hub_connectors
    connector = connector_fixture(hub_connectors())
"""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import re
import subprocess
import sys
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.domain.secret import Secret
from hub.kit.fields import SettingField, describe_settings, read_settings
from hub.ports import VERBS, Connector, Finds, Push, PushesMany
from hub.testing.fakes import IdleKit

ON_DOUBT = ("resend", "find", "ask")
SIGNATURES = re.compile(r"[a-z0-9][a-z0-9-]*")
QUALITY = re.compile(r"^\|\s*(?P<rule>[^|]+?)\s*\|\s*(?P<state>done|todo|exempt)\b(?P<why>[^|]*)\|(?P<more>.*)", re.M)
IMPORTED = """
import socket, subprocess, sys, threading
before = threading.active_count()
def refuse(*_, **__):
    raise SystemExit("the world was touched on import")
socket.socket.connect = socket.getaddrinfo = subprocess.Popen.__init__ = refuse
__import__(sys.argv[1])
if threading.active_count() != before:
    raise SystemExit("a thread was started on import")
if sys.argv[1] + ".simulator" in sys.modules:
    raise SystemExit("the simulator was imported")
"""


def connector_fixture(connectors: Iterable[Connector]) -> Any:
    """Return the fixture `connector` that the suite runs over."""
    found = list(connectors)

    @pytest.fixture(params=found, ids=[one.name for one in found])
    def connector(request: pytest.FixtureRequest) -> Connector:
        one: Connector = request.param
        return one

    return connector


def test_its_name_is_a_plain_word(connector: Connector) -> None:
    """The name stands in tables, addresses and file names."""
    assert connector.name.isidentifier()
    assert connector.name == connector.name.lower()
    assert connector.title, f"{connector.name} has no title"


def test_its_settings_are_frozen_and_explained(connector: Connector) -> None:
    """Each setting carries help that a person can act on."""
    assert dataclasses.is_dataclass(connector.settings)
    made_as: Any = vars(connector.settings)["__dataclass_params__"]
    assert made_as.frozen, f"{connector.name}: Settings must be a frozen dataclass"
    for given in dataclasses.fields(connector.settings):
        assert given.kw_only, f"{connector.name}: Settings must be keyword-only"
    for field in describe_settings(connector.settings):
        assert len(field.help) > 5, f"{connector.name}: settings.{field.name} has no Annotated help"


def test_what_holds_a_credential_is_a_secret(connector: Connector) -> None:
    """A token in a plain string would be shown and logged."""
    for field in describe_settings(connector.settings):
        words = set(field.name.split("_"))
        if words & {"password", "secret", "token"} and not words & {"url", "path", "user", "username", "name"}:
            assert field.kind in ("secret", "integer", "yes_no"), f"{connector.name}: {field.name} must be a Secret"


@pytest.mark.parametrize("verb", VERBS)
def test_what_it_declares_it_can_do(connector: Connector, verb: str) -> None:
    """A declared verb has its method, and a method its declaration."""
    opened = opened_idle(connector)
    can = isinstance(opened, VERBS[verb]) or (verb == "pushes" and isinstance(opened, PushesMany))
    assert bool(getattr(connector, verb)) == can, f"{connector.name}: {verb} and the methods of {opened!r} differ"


def test_each_push_says_what_to_do_in_doubt(connector: Connector) -> None:
    """There is no default: somebody thought about it."""
    opened = opened_idle(connector)
    for kind, push in connector.pushes.items():
        assert isinstance(push, Push), f"{connector.name}: pushes[{kind!r}] is not a Push"
        assert push.on_doubt in ON_DOUBT
        assert push.batch >= 1
        assert push.window >= 1
        assert push.parallel >= 1
        if push.on_doubt == "find":
            assert isinstance(opened, Finds), f"{connector.name}: {kind} is looked up in doubt, so it needs find()"
        if push.batch > 1 or push.window > 1:
            assert isinstance(opened, PushesMany), f"{connector.name}: {kind} goes in batches, so it needs push_many()"


def test_opening_touches_nothing(connector: Connector) -> None:
    """`check`, `pull`, `push` and `receive` touch the world; opening does not, and reveals no secret."""
    opened_idle(connector)


def test_whoever_receives_says_how_the_sender_is_proven(connector: Connector) -> None:
    """No signature is a choice to be written down, not left out."""
    if connector.receives:
        assert SIGNATURES.fullmatch(connector.signature), f"{connector.name}: signature must be named, or 'none'"


def test_its_rate_is_a_rate(connector: Connector) -> None:
    """A rate of nothing would stop it for good."""
    if connector.rate is not None:
        assert connector.rate.per_second > 0
        assert connector.rate.burst >= 1


def test_importing_it_does_nothing(connector: Connector) -> None:
    """Its module is imported in a process of its own that cannot connect, resolve or start anything."""
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTED, _module(connector)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": ":".join(part for part in sys.path if part), "PATH": "/usr/bin:/bin"},
    )
    assert ran.returncode == 0, f"{connector.name}: {ran.stderr.strip()[-500:]}"


def test_it_does_not_import_its_simulator(connector: Connector) -> None:
    """The stand-in is for tests and the demo; the connector must not know it."""
    for file in _sources(connector):
        if file.name == "simulator.py":
            continue
        for name in _imports(file):
            assert name.split(".")[-1] != "simulator", f"{file.name} imports {name}"


def test_in_tree_it_answers_every_rule_of_quality(connector: Connector) -> None:
    """README.md has a table: each rule done, todo, or exempt with the reason."""
    module = _module(connector)
    if not module.startswith("connectors."):
        pytest.skip("not in this tree")
    readme = _folder(connector) / "README.md"
    assert readme.is_file(), f"{module} has no README.md"
    rows = list(QUALITY.finditer(readme.read_text(encoding="utf-8")))
    assert rows, f"{module}: README.md has no quality table (| rule | done, todo or exempt | why |)"
    for row in rows:
        if row["state"] == "exempt":
            assert (row["why"] + row["more"]).strip(" |:-"), f"{module}: {row['rule']} is exempt without a reason"


def opened_idle(connector: Connector) -> Any:
    """Open a connector with invented settings and a kit that must not be used."""
    settings: Any = read_settings(connector.settings, invented_settings(connector.settings), _never)
    return connector.open(settings, typing.cast(Any, IdleKit()))


def invented_settings(settings: type) -> dict[str, Any]:
    """Return a value of the right type for each required setting."""
    hints = typing.get_type_hints(settings)
    return {field.name: _invented(field, hints[field.name]) for field in describe_settings(settings) if field.required}


_TEXTS = {
    "url": "https://partner.example/api", "host": "partner.example", "mail": "hub@partner.example",
    "sender": "hub@partner.example", "gln": "4012345000009",
}  # fmt: skip
"""Sample values by a word in the setting's name."""


def _invented(field: SettingField, hint: Any) -> Any:
    if field.kind == "text" and hint is not Secret:
        return next((value for word, value in _TEXTS.items() if word in field.name), "example")
    samples: dict[str, Any] = {
        "secret": f"env:{field.name.upper()}", "integer": 1, "number": 1, "yes_no": False, "list": ["example"],
        "table": {}, "choice": field.choices[0] if field.choices else "",
    }  # fmt: skip
    return samples[field.kind]


def _never(reference: str) -> str:
    raise AssertionError(f"opening revealed {reference}; secrets are for the wire only")


def _module(connector: Connector) -> str:
    name: str = connector.settings.__module__
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "connectors" else name


def _folder(connector: Connector) -> Path:
    spec = importlib.util.find_spec(_module(connector))
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _sources(connector: Connector) -> Iterator[Path]:
    yield from sorted(_folder(connector).glob("*.py"))


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)
            yield node.module or ""


__all__ = [
    "connector_fixture", "invented_settings", "opened_idle",
    *(name for name in dir() if name.startswith("test_")),
]  # fmt: skip
