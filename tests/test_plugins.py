"""Loading plug-ins: what is broken is named and left out, and nothing that one does stops another."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.domain.event import Event
from hub.hookspecs import hookimpl
from hub.plugins import Candidate, Loaded, declared, each, find, first, load_plugins, observe

EVENT = Event(id="e1", name="order.received", at=datetime(2026, 11, 22, tzinfo=UTC))


class Declares:
    """A plug-in that declares connectors of the given names."""

    def __init__(self, *names: str) -> None:
        self._names = names

    @hookimpl
    def hub_connectors(self) -> Iterator[Any]:
        for name in self._names:
            yield SimpleNamespace(name=name)


def candidate(name: str, plugin: object) -> Candidate:
    return Candidate(name=name, load=lambda: plugin)


def loaded(**plugins: object) -> Loaded:
    return load_plugins([candidate(name, plugin) for name, plugin in plugins.items()])


def fails(error: BaseException) -> Any:
    def load() -> object:
        raise error

    return load


def test_what_plugins_declare_is_found_by_name() -> None:
    found = declared(loaded(one=Declares("acme"), two=Declares("globex", "initech")).manager, "hub_connectors")
    assert sorted(found) == ["acme", "globex", "initech"]


@pytest.mark.parametrize("error", [ImportError("no module x"), SystemExit(3), RuntimeError("boom")])
def test_a_plugin_that_fails_at_import_is_named_and_left_out(error: BaseException) -> None:
    result = load_plugins([Candidate(name="bad", load=fails(error)), candidate("good", Declares("acme"))])
    assert [(one.plugin, type(error).__name__ in one.reason) for one in result.broken] == [("bad", True)]
    assert list(declared(result.manager, "hub_connectors")) == ["acme"]


def test_a_misspelt_hook_is_named_and_left_out() -> None:
    class Misspelt:
        @hookimpl
        def hub_conectors(self) -> list[Any]:
            return []

    result = loaded(bad=Misspelt(), good=Declares("acme"))
    assert [one.plugin for one in result.broken] == ["bad"]
    assert "hub_conectors" in result.broken[0].reason
    assert result.names == ("good",)


def test_a_hook_with_an_unknown_argument_is_named_and_left_out() -> None:
    class Wrong:
        @hookimpl
        def hub_observe(self, occurrence: Event) -> None:
            raise AssertionError

    result = loaded(bad=Wrong(), good=Declares("acme"))
    assert [one.plugin for one in result.broken] == ["bad"]
    assert result.names == ("good",)


def test_two_of_one_name_are_an_error_that_names_both() -> None:
    manager = loaded(first_one=Declares("acme"), second_one=Declares("acme")).manager
    with pytest.raises(ValueError, match=r"(?=.*first_one)(?=.*second_one)(?=.*'acme')"):
        declared(manager, "hub_connectors")


def test_a_plugin_of_a_name_that_is_taken_is_left_out() -> None:
    result = load_plugins([candidate("acme", Declares("one")), candidate("acme", Declares("two"))])
    assert list(declared(result.manager, "hub_connectors")) == ["one"]
    assert "two plug-ins are called acme" in result.broken[0].reason


def test_a_declaration_that_fails_half_way_is_left_out_whole(caplog: pytest.LogCaptureFixture) -> None:
    class HalfWay:
        @hookimpl
        def hub_connectors(self) -> Iterator[Any]:
            yield SimpleNamespace(name="half")
            raise RuntimeError("boom")

    with caplog.at_level(logging.ERROR):
        found = declared(loaded(half=HalfWay(), good=Declares("acme")).manager, "hub_connectors")
    assert list(found) == ["acme"]
    assert "plug-in half failed in hub_connectors" in caplog.text


@pytest.mark.parametrize("answer", [None, 7, [SimpleNamespace()], ["text"]])
def test_a_declaration_of_the_wrong_type_is_left_out(answer: Any) -> None:
    class Wrong:
        @hookimpl
        def hub_connectors(self) -> Any:
            return answer

    found = declared(loaded(wrong=Wrong(), good=Declares("acme")).manager, "hub_connectors")
    assert list(found) == ["acme"]


def test_an_observer_that_raises_does_not_silence_the_others() -> None:
    heard: list[str] = []

    class Raises:
        @hookimpl
        def hub_observe(self, event: Event) -> None:
            raise RuntimeError("boom")

    class Hears:
        @hookimpl
        def hub_observe(self, event: Event) -> None:
            heard.append(event.name)

    observe(loaded(a=Hears(), b=Raises(), c=Hears()).manager, EVENT)
    assert heard == ["order.received", "order.received"]


def test_the_first_answer_that_is_not_none_decides() -> None:
    class Says:
        def __init__(self, answer: str | None) -> None:
            self._answer = answer

        @hookimpl
        def hub_reveal(self, reference: str) -> str | None:
            return f"{self._answer} of {reference}" if self._answer else None

    class Raises:
        @hookimpl
        def hub_reveal(self, reference: str) -> str | None:
            raise RuntimeError(reference)

    manager = loaded(early=Says("early"), silent=Says(None), broken=Raises()).manager
    assert first(manager, "hub_reveal", reference="env:X") == "early of env:X"
    assert first(loaded(silent=Says(None)).manager, "hub_reveal", reference="env:X") is None


def test_legs_of_all_plugins_are_collected() -> None:
    class Adds:
        @hookimpl
        def hub_legs(self, event: Event, document: Any) -> Iterator[Any]:
            yield (event.name, document)

    found = list(each(loaded(adds=Adds()).manager, "hub_legs", event=EVENT, document="d"))
    assert found == [("adds", ("order.received", "d"))]


def test_a_folder_dropped_into_connectors_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dropped_in" / "acme").mkdir(parents=True)
    (tmp_path / "dropped_in" / "__init__.py").touch()
    (tmp_path / "dropped_in" / "acme" / "__init__.py").write_text("raise OSError('touched the world')")
    monkeypatch.syspath_prepend(str(tmp_path))

    candidates = list(find(package="dropped_in", built_in=(), allowed=()))
    result = load_plugins(candidates)

    assert [one.name for one in candidates] == ["dropped_in.acme"]
    assert result.broken[0].reason == "OSError: touched the world"
    sys.modules.pop("dropped_in", None)


def test_an_installed_plugin_loads_by_entry_point_only_if_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "third_party_hub.py").write_text("name = 'third'\n")
    info = tmp_path / "third_party_hub-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party-hub\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hub]\nthird = third_party_hub\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert "third" in [one.name for one in find(built_in=())]
    assert "third" in [one.name for one in find(built_in=(), allowed=("third",))]
    assert "third" not in [one.name for one in find(built_in=(), allowed=())]
    sys.modules.pop("third_party_hub", None)


def test_everything_in_this_checkout_loads() -> None:
    assert load_plugins().broken == ()
