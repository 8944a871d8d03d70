"""apply, export and check: what a person does with configuration files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from hub.store.config import load_config, save_record
from hub.store.store import Store

Hub = Callable[..., Result]


@pytest.mark.usefixtures("config")
def test_apply_shows_what_it_adds_and_publishes(ready: Hub, store: Store) -> None:
    done = ready("apply")

    assert done.exit_code == 0, done.output
    assert "+ connection shop (connections/shop.toml): will be added" in done.output
    assert "+ mapping webhook/order.in: will be published as " in done.output
    assert sorted(store.read(load_config).published) == ["rest/order.out", "webhook/order.in"]
    assert ready("apply").output == "0 differ, 6 are the same\n"


@pytest.mark.usefixtures("config")
def test_a_dry_run_changes_nothing(ready: Hub, store: Store) -> None:
    done = ready("apply", "--dry-run", "--json")

    assert {change["state"] for change in json.loads(done.stdout)["changes"]} == {"add"}
    assert store.read(load_config).connections == {}


def test_a_conflict_shows_both_sides_and_changes_nothing(ready: Hub, config: Path, store: Store) -> None:
    ready("apply")
    route = {"name": "to erp", "on": "order.accepted", "to": "erp", "send": "order", "active": False}
    store.write(lambda db: save_record(db, "route", "to erp", route, "a person"))
    (config / "routes.toml").write_text((config / "routes.toml").read_text().replace("order.accepted", "order.paid"))

    done = ready("apply")

    assert done.exit_code == 1
    assert "! route to erp (routes.toml): changed in the file and in the console" in done.stdout
    assert '"on":"order.paid"' in done.stdout
    assert '"active":false' in done.stdout
    assert "--take file or --take record" in done.stderr
    assert ready("apply", "--take", "record").exit_code == 0
    assert [route.active for route in store.read(load_config).routes] == [False]


def test_a_secret_in_a_file_is_refused(ready: Hub, config: Path, store: Store) -> None:
    shop = config / "connections" / "shop.toml"
    shop.write_text(shop.read_text().replace("env:SHOP_SECRET", "s3cret"))

    done = ready("apply")

    assert done.exit_code == 1
    assert "connections/shop.toml: connection shop.settings.secret: must be a reference" in done.stderr
    assert "s3cret" not in done.output
    assert store.read(load_config).connections == {}


def test_export_writes_what_the_console_changed(ready: Hub, config: Path, store: Store) -> None:
    ready("apply")
    store.write(lambda db: save_record(db, "setting", "reservation_minutes", 20, "a person"))

    done = ready("export")

    assert done.output == f"{config}/hub.toml\n1 files changed\n"
    assert "reservation_minutes = 20" in (config / "hub.toml").read_text()
    assert ready("apply").output == "0 differ, 7 are the same\n"


@pytest.mark.usefixtures("config")
def test_a_good_hub_passes_its_check(ready: Hub) -> None:
    ready("apply")

    done = ready("check", "--json")

    assert done.exit_code == 0, done.output
    assert {"level": "ok", "about": "connection shop", "text": "webhook, active"} in json.loads(done.stdout)


@pytest.mark.usefixtures("config")
def test_check_names_what_is_wrong_and_the_remedy(ready: Hub, store: Store, surroundings: dict[str, str]) -> None:
    ready("apply")
    surroundings["SHOP_SECRET"] = ""
    route = {"name": "x", "on": "shipment.dispatched", "to": "shop", "send": "shipment"}
    store.write(lambda db: save_record(db, "route", "x", route, "a person"))
    gone = {"name": "old", "connector": "gone"}
    store.write(lambda db: save_record(db, "connection", "old", gone, "a person"))

    done = ready("check")

    assert done.exit_code == 1
    assert "connection shop: the secret env:SHOP_SECRET is not there or empty" in done.output
    assert "route x: connection shop has no outbound agreement for shipment; add one" in done.output
    assert "connection old: connector 'gone' is not installed" in done.output


def test_check_before_the_first_upgrade_says_so(hub: Hub) -> None:
    done = hub("check")

    assert done.exit_code == 1
    assert "run hub db upgrade" in done.output


def test_commands_on_a_database_without_tables_say_what_to_do(hub: Hub) -> None:
    done = hub("user", "list")

    assert done.exit_code == 1
    assert "run hub db upgrade" in done.stderr


def test_a_new_partner_passes_its_test_and_can_be_applied(ready: Hub, config: Path, store: Store) -> None:
    for name, syntax in (("north_supply", "x12"), ("east_trade", "edifact")):
        assert ready("partner", "new", name, "--syntax", syntax).exit_code == 0
        file = config / "partners" / f"{name}.toml"
        text = file.read_text().replace('connector = "folder"', 'connector = "rest"')
        file.write_text(re.sub("settings = .*", 'settings = { base_url = "https://partner.example" }', text))

        done = ready("partner", "test", name)
        assert done.exit_code == 0, done.output

    assert ready("apply").exit_code == 0
    assert sorted(store.read(load_config).partners) == ["east_trade", "north_supply"]


def test_a_partner_that_is_there_is_not_overwritten(ready: Hub, config: Path) -> None:
    ready("partner", "new", "north_supply")
    before = (config / "partners" / "north_supply.toml").read_text()

    done = ready("partner", "new", "north_supply", "--syntax", "edifact")

    assert done.exit_code == 1
    assert "partners/north_supply.toml: is there already" in done.stderr
    assert (config / "partners" / "north_supply.toml").read_text() == before
