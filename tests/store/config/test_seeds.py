"""Applying a folder: the files become the configuration, once, and never over a person's change."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.domain.errors import Rejected
from hub.domain.party import Identifier
from hub.store import seeds
from hub.store.config import config_version, delete_record, load_config, save_record
from hub.store.seed_files import read_folder
from hub.store.store import Store


def apply(store: Store, folder: Path, **options: object) -> seeds.Plan:
    found = read_folder(folder)
    return store.write(lambda db: seeds.apply(db, found, who="tests", **options))  # type: ignore[arg-type]


def states(store: Store, folder: Path) -> Counter[str]:
    found = read_folder(folder)
    return Counter(change.state for change in store.read(lambda db: seeds.plan(db, found)).changes)


def test_a_folder_becomes_the_configuration(store: Store, folder: Path) -> None:
    apply(store, folder)

    config = store.read(load_config)
    assert config.seller.name == "Harbour Goods"
    assert config.seller.kind == "self"
    assert config.settings == {"reservation_minutes": 30}
    assert sorted(config.connections) == ["north_supply", "shop"]
    assert config.connections["north_supply"].partner == "north_supply"
    assert config.connections["shop"].settings["token"] == "env:SHOP_TOKEN"
    assert config.connections["shop"].pull_every == {"order": 60}
    assert config.partners["north_supply"].identifiers == (Identifier(scheme="ISA", value="ZZ:NORTHSUPPLY"),)
    assert [each.document for each in config.inbound["north_supply"]] == ["order"]
    assert config.outbound["north_supply", "shipment"].expect == {"997": "PT4H"}
    assert sorted(route.name for route in config.routes) == ["shipment.dispatched shipment to origin", "suppliers"]
    assert [location.code for location in config.locations.values()] == ["MAIN"]


def test_applying_twice_changes_nothing(store: Store, folder: Path) -> None:
    apply(store, folder)
    version = store.read(config_version)

    assert states(store, folder) == {"same": 14}
    apply(store, folder)

    assert store.read(config_version) == version
    assert store.read(lambda db: db.one("SELECT sum(on_hand) FROM stock_levels"))[0] == 42_500_000


def test_opening_stock_is_a_receipt_and_is_taken_once(store: Store, folder: Path) -> None:
    apply(store, folder)
    (folder / "stock.csv").write_text("location,sku,quantity\nMAIN,MUG-1,99\n")

    apply(store, folder)

    rows = store.read(
        lambda db: db.all("SELECT kind, on_hand_delta, reason FROM stock_movements ORDER BY on_hand_delta")
    )
    assert [tuple(row) for row in rows] == [
        ("receipt", 2_500_000, "opening stock"),
        ("receipt", 40_000_000, "opening stock"),
    ]


def test_a_changed_file_changes_its_record_only(store: Store, folder: Path) -> None:
    apply(store, folder)
    text = (folder / "hub.toml").read_text()
    (folder / "hub.toml").write_text(text.replace("30", "45"))
    (folder / "items.csv").write_text("sku,name,gtin,cost\nMUG-1,Big mug,4006381333931,2.75\nCUP-1,Cup,,\n")

    assert states(store, folder) == {"same": 12, "change": 2}
    apply(store, folder)

    assert store.read(load_config).settings == {"reservation_minutes": 45}
    assert states(store, folder) == {"same": 14}
    doc = store.read(lambda db: db.one("SELECT doc FROM items WHERE sku = 'MUG-1'"))[0]
    assert '"Big mug"' in doc


def test_what_the_console_changed_stays_while_the_file_is_the_same(store: Store, folder: Path) -> None:
    apply(store, folder)
    store.write(lambda db: save_record(db, "setting", "reservation_minutes", 60, "a person"))

    assert states(store, folder) == {"same": 13, "kept": 1}
    apply(store, folder)

    assert store.read(load_config).settings == {"reservation_minutes": 60}


def test_what_both_changed_stops_and_shows_both(store: Store, folder: Path) -> None:
    apply(store, folder)
    store.write(lambda db: save_record(db, "setting", "reservation_minutes", 60, "a person"))
    (folder / "hub.toml").write_text("[settings]\nreservation_minutes = 15\nfresh = true\n")

    with pytest.raises(Rejected) as raised:
        apply(store, folder)

    assert "hub.toml and the console both changed it; file: 15 console: 60" in str(raised.value)
    assert store.read(load_config).settings == {"reservation_minutes": 60}


@pytest.mark.parametrize(("take", "kept"), [("file", 15), ("record", 60)])
def test_a_conflict_is_settled_for_one_side_and_stays_settled(store: Store, folder: Path, take: str, kept: int) -> None:
    apply(store, folder)
    store.write(lambda db: save_record(db, "setting", "reservation_minutes", 60, "a person"))
    (folder / "hub.toml").write_text("[settings]\nreservation_minutes = 15\n")

    apply(store, folder, take=take)

    assert store.read(load_config).settings == {"reservation_minutes": kept}
    assert states(store, folder)["conflict"] == 0


def test_what_the_console_deleted_does_not_come_back(store: Store, folder: Path) -> None:
    apply(store, folder)
    store.write(lambda db: delete_record(db, "route", "suppliers", "a person"))

    apply(store, folder)

    assert [route.send for route in store.read(load_config).routes] == ["shipment"]


def test_what_a_file_no_longer_names_is_left_until_it_is_pruned(store: Store, folder: Path) -> None:
    apply(store, folder)
    (folder / "routes.toml").unlink()

    assert states(store, folder) == {"same": 12, "left": 2}
    apply(store, folder)
    assert len(store.read(load_config).routes) == 2

    apply(store, folder, prune=True)
    assert store.read(load_config).routes == ()


def test_more_particular_agreements_are_asked_first(store: Store, folder: Path) -> None:
    apply(store, folder)
    general = store.read(load_config).inbound["north_supply"][0]
    wide = replace(general, match={}, mapping="x12/850.in")

    store.write(lambda db: save_record(db, "agreement", "north_supply/in/order", wide, "a person"))

    mappings = [each.mapping for each in store.read(load_config).inbound["north_supply"]]
    assert mappings == ["partners/north_supply/850.in", "x12/850.in"]


def test_every_fault_is_named_with_its_file_and_key(folder: Path) -> None:
    (folder / "routes.toml").write_text('[[route]]\non = "x"\nto = "origin"\nsend = "y"\nwhen = "z"\n')
    (folder / "connections" / "shop.toml").write_text('[connection]\ntitle = "Shop"\n')
    (folder / "hub.toml").write_text("seller = {name = 3}\n[extra]\n")
    (folder / "items.csv").write_text("sku,name,cost\nA,Apple,dear\n")
    (folder / "stock.csv").write_text("location,sku,quantity\nMAIN,A,-1\n")

    with pytest.raises(Rejected) as raised:
        read_folder(folder)

    found = {problem.path: problem.text for problem in raised.value.problems}
    assert found["routes.toml: route[0].when"].startswith("is not known here; allowed are active, lane, name, on")
    assert "missing required field `connector`" in found["connections/shop.toml: connection[0]"]
    assert "Expected `str`, got `int`" in found["hub.toml: seller.name"]
    assert found["hub.toml: extra"] == "is not known here; allowed are seller, settings"
    assert "Invalid decimal" in found["items.csv:2.cost"]
    assert found["stock.csv:2"] == "quantity is -1; opening stock is zero or more"


def test_a_name_that_is_nowhere_is_refused(store: Store, folder: Path) -> None:
    (folder / "connections" / "shop.toml").unlink()
    (folder / "routes.toml").write_text('[[route]]\non = "x"\nto = "nobody"\nsend = "y"\n')
    (folder / "listings.csv").write_text("connection,sku,item\nshop,a,PEN-1\n")

    with pytest.raises(Rejected) as raised:
        apply(store, folder)

    assert [problem.value for problem in raised.value.problems] == ["nobody", "PEN-1"]


def test_the_cost_of_an_item_is_exact(folder: Path) -> None:
    costs = {seed.name: seed.value.cost for seed in read_folder(folder).of("item")}

    assert costs == {"MUG-1": Decimal("2.50"), "CUP-1": None}
