"""The contract lets a good connector pass and catches each thing that it forbids."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

from hub.ports import VERBS
from hub.sdk import Connector, Kit, Outgoing, Page, Push, Rate, Receipt, Secret
from hub.testing import connector_contract as contract

FORBIDDEN = (AssertionError, pytest.fail.Exception)


@dataclass(frozen=True, kw_only=True)
class Settings:
    token: Annotated[Secret, "API token, from Acme > Settings"]
    base_url: Annotated[str, "Change this only for the sandbox"] = "https://api.acme.example"


class Acme:
    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.http = kit.http(settings.base_url, bearer=settings.token)

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        yield Page(messages=(), cursor=cursor)

    def push(self, out: Outgoing) -> Receipt:
        return Receipt(reference=out.key)

    def find(self, out: Outgoing) -> Receipt | None:
        return None

    def push_many(self, outs: Sequence[Outgoing]) -> Sequence[Receipt]:
        return [Receipt(reference=out.key) for out in outs]


class Bare:
    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings = settings

    def push(self, out: Outgoing) -> Receipt:
        return Receipt()


GOOD = Connector(
    name="acme",
    title="Acme",
    settings=Settings,
    open=Acme,
    pulls=("order",),
    pushes={"stock": Push(on_doubt="find", batch=10)},
    rate=Rate(per_second=2),
)
BARE = Connector(name="bare", title="Bare", settings=Settings, open=Bare, pushes={"stock": Push(on_doubt="ask")})


def change(base: Connector = GOOD, **fields: Any) -> Connector:
    return dataclasses.replace(base, **fields)


@pytest.mark.parametrize("good", [GOOD, BARE], ids=["full", "bare"])
def test_a_good_connector_passes(good: Connector) -> None:
    contract.test_its_name_is_a_plain_word(good)
    contract.test_its_settings_are_frozen_and_explained(good)
    contract.test_what_holds_a_credential_is_a_secret(good)
    for verb in VERBS:
        contract.test_what_it_declares_it_can_do(good, verb)
    contract.test_each_push_says_what_to_do_in_doubt(good)
    contract.test_opening_touches_nothing(good)
    contract.test_its_rate_is_a_rate(good)
    contract.test_whoever_receives_says_how_the_sender_is_proven(good)


@pytest.mark.parametrize("bad", [change(name="Acme"), change(name="a-b"), change(title="")])
def test_a_name_that_is_no_plain_word_is_caught(bad: Connector) -> None:
    with pytest.raises(FORBIDDEN):
        contract.test_its_name_is_a_plain_word(bad)


def test_settings_that_thaw_or_lack_help_are_caught() -> None:
    @dataclass(kw_only=True)
    class Thawed:
        shop: Annotated[str, "The shop's name"] = ""

    @dataclass(frozen=True)
    class ByPosition:
        shop: Annotated[str, "The shop's name"] = ""

    @dataclass(frozen=True, kw_only=True)
    class Unexplained:
        shop: str = ""

    for settings in (Thawed, ByPosition, Unexplained):
        with pytest.raises(FORBIDDEN):
            contract.test_its_settings_are_frozen_and_explained(change(settings=settings))


def test_a_credential_in_a_plain_text_is_caught() -> None:
    bad = dataclasses.make_dataclass("Bad", [("api_token", str, "")], frozen=True, kw_only=True)
    with pytest.raises(FORBIDDEN):
        contract.test_what_holds_a_credential_is_a_secret(change(settings=bad))


@pytest.mark.parametrize(
    ("bad", "verb"),
    [
        (change(pulls=()), "pulls"),
        (change(receives=("order",)), "receives"),
        (change(BARE, pulls=("order",)), "pulls"),
        (change(BARE, pushes={}), "pushes"),
    ],
)
def test_a_verb_that_differs_from_the_methods_is_caught(bad: Connector, verb: str) -> None:
    with pytest.raises(FORBIDDEN):
        contract.test_what_it_declares_it_can_do(bad, verb)


@pytest.mark.parametrize(
    "pushes",
    [
        {"stock": Push(on_doubt="find")},
        {"stock": Push(on_doubt="ask", batch=10)},
        {"stock": Push(on_doubt="hope")},  # type: ignore[arg-type]
        {"stock": "resend"},
    ],
    ids=["find without find()", "batch without push_many()", "no such answer", "not a Push"],
)
def test_a_push_that_it_cannot_keep_is_caught(pushes: Any) -> None:
    with pytest.raises(FORBIDDEN):
        contract.test_each_push_says_what_to_do_in_doubt(change(BARE, pushes=pushes))


@pytest.mark.parametrize("what", ["http", "secret", "note", "clock", "folder"])
def test_opening_that_touches_the_world_is_caught(what: str) -> None:
    touches: dict[str, Any] = {
        "http": lambda _, kit: kit.http("https://partner.example").get("/me"),
        "secret": lambda settings, _: settings.token.reveal(),
        "note": lambda _, kit: kit.recall("token"),
        "clock": lambda _, kit: kit.clock.now(),
        "folder": lambda _, kit: list(kit.folder("in").stable()),
    }
    with pytest.raises(FORBIDDEN):
        contract.test_opening_touches_nothing(change(open=touches[what]))


def test_a_receiver_without_a_named_signature_is_caught() -> None:
    with pytest.raises(FORBIDDEN):
        contract.test_whoever_receives_says_how_the_sender_is_proven(change(receives=("order",)))
    contract.test_whoever_receives_says_how_the_sender_is_proven(change(receives=("order",), signature="none"))


def test_a_rate_of_nothing_is_caught() -> None:
    with pytest.raises(FORBIDDEN):
        contract.test_its_rate_is_a_rate(change(rate=Rate(per_second=0)))


def connector_in(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str) -> Connector:
    """Return a connector whose Settings lie in a package that was just written."""
    package = folder / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(source)
    (package / "simulator.py").write_text("")
    monkeypatch.syspath_prepend(str(folder))
    return change(settings=type("Settings", (), {"__module__": name}))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "touched on import"),
        ("import subprocess; subprocess.run(['true'])", "touched on import"),
        ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", "thread"),
        ("from quietly import simulator", "simulator was imported"),
        ("raise RuntimeError('boom')", "boom"),
    ],
)
def test_an_import_with_effects_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str
) -> None:
    bad = connector_in(tmp_path, monkeypatch, "quietly", source)
    with pytest.raises(FORBIDDEN, match=reason):
        contract.test_importing_it_does_nothing(bad)


def test_a_quiet_import_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract.test_importing_it_does_nothing(connector_in(tmp_path, monkeypatch, "quiet_one", "import json"))


def test_a_connector_that_knows_its_simulator_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "def f():\n    from with_stand_in import simulator\n"
    monkeypatch.delitem(sys.modules, "with_stand_in", raising=False)
    bad = connector_in(tmp_path, monkeypatch, "with_stand_in", source)
    with pytest.raises(FORBIDDEN, match="imports"):
        contract.test_it_does_not_import_its_simulator(bad)


pytest_plugins = ["hub.testing.pytest_plugin"]


def test_the_fixtures_lend_a_kit_that_works(hub_kit: Kit, hub_scripted: Any) -> None:
    with hub_scripted() as partner:
        assert hub_kit.http(partner.url).get("/me") == {}
    assert partner.calls[0].path == "/me"
