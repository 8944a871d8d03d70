"""Exporting: the files say what the database holds, and applying them again changes nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.connection import ConnectionConfig
from hub.domain.errors import Rejected
from hub.domain.route import Route
from hub.store import seeds
from hub.store.config import delete_record, save_record
from hub.store.seed_export import export, gather
from hub.store.seed_files import read_folder
from hub.store.store import Store
from hub.store.toml_text import section


def apply(store: Store, folder: Path) -> None:
    found = read_folder(folder)
    store.write(lambda db: seeds.apply(db, found, who="tests"))


def export_to(store: Store, folder: Path) -> list[str]:
    return export(store.read(gather), folder)


def test_an_empty_folder_gets_files_that_change_nothing_when_applied(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    apply(store, folder)

    written = export_to(store, tmp_path / "out")

    assert written == [
        "connections/shop.toml", "hub.toml", "items.csv", "listings.csv", "locations.toml",
        "partners/north_supply.toml", "routes.toml",
    ]  # fmt: skip
    found = read_folder(tmp_path / "out")
    assert {change.state for change in store.read(lambda db: seeds.plan(db, found)).changes} == {"same"}


def test_a_file_that_says_the_same_keeps_its_comments(store: Store, folder: Path) -> None:
    text = "# ours\n" + (folder / "routes.toml").read_text()
    (folder / "routes.toml").write_text(text)
    apply(store, folder)

    assert export_to(store, folder) == []

    assert (folder / "routes.toml").read_text() == text


def test_what_the_console_changed_is_written_where_it_was(store: Store, folder: Path) -> None:
    apply(store, folder)
    route = Route(name="suppliers", on="order.accepted", to="target", send="purchase_order", active=False)
    store.write(lambda db: save_record(db, "route", "suppliers", route, "a person"))

    assert export_to(store, folder) == ["routes.toml"]

    routes = {each["name"]: each for each in tomllib.loads((folder / "routes.toml").read_text())["route"]}
    assert routes["suppliers"] == {
        "name": "suppliers", "on": "order.accepted", "to": "target", "send": "purchase_order", "active": False,
    }  # fmt: skip


def test_a_connection_without_partner_in_a_partners_file_stays_without(store: Store, folder: Path) -> None:
    apply(store, folder)
    loose = ConnectionConfig(name="north_supply", connector="folder", settings={"inbox": "n"})
    store.write(lambda db: save_record(db, "connection", "north_supply", loose, "a person"))

    export_to(store, folder)

    connection = read_folder(folder).of("connection")[1].value
    assert (connection.name, connection.partner) == ("north_supply", "")


def test_a_file_whose_last_record_went_is_removed(store: Store, folder: Path) -> None:
    apply(store, folder)
    for name in ("suppliers", "shipment.dispatched shipment to origin"):
        store.write(lambda db, name=name: delete_record(db, "route", name, "a person"))

    assert export_to(store, folder) == ["routes.toml"]

    assert not (folder / "routes.toml").exists()


WORDS = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.booleans() | st.integers(-(2**53), 2**53) | WORDS | st.decimals(-1000, 1000, places=2).map(float)
VALUES = st.recursive(
    PLAIN,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(WORDS, below, max_size=3),
    max_leaves=10,
)


@given(table=st.dictionaries(WORDS, VALUES, max_size=5))
def test_what_is_written_is_what_a_toml_reader_reads(table: dict[str, object]) -> None:
    assert tomllib.loads(section("[it]", table)) == {"it": table}


def test_what_toml_cannot_say_is_refused_with_its_path() -> None:
    with pytest.raises(Rejected, match=r"codes\[1\]: None cannot be written as TOML"):
        section("[it]", {"codes": ["a", None]})
