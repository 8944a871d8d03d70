"""A folder in a whole hub: a crash between storing and moving repeats the file without effect."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.bootstrap import Hub, build
from hub.domain.work import WorkItem
from hub.pipeline.receive import receive
from hub.settings import HubSettings
from hub.store.migrate import upgrade
from hub.store.seed_files import read_folder
from hub.store.seeds import apply

SAMPLE = Path(__file__).parents[3] / "mappings/webhook/samples/order-two-lines.json"
OLD = 1_700_000_000
CONNECTION = """
[connection]
connector = "folder"
items     = "any"
settings  = { inbox = "shop/in", outbox = "shop/out" }
[[agreement]]
direction = "in"
document  = "order"
codec     = "json"
mapping   = "webhook/order.in"
[[agreement]]
direction = "out"
document  = "order"
codec     = "json"
mapping   = "rest/order.out"
"""
ROUTES = '[[route]]\nname = "back"\non = "order.accepted"\nto = "shop"\nsend = "order"\n'


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    config, var = tmp_path / "config", tmp_path / "var"
    (config / "connections").mkdir(parents=True)
    (config / "connections/shop.toml").write_text(CONNECTION)
    (config / "routes.toml").write_text(ROUTES)
    (var / "shop/in").mkdir(parents=True)
    settings = HubSettings(config=config, var=var)
    upgrade(settings.database)
    running = build(settings)
    running.store.write(lambda db: apply(db, read_folder(config), who="test"))
    yield running
    running.close()


def drop(hub: Hub, name: str) -> None:
    place = hub.settings.var / "shop/in" / name
    shutil.copyfile(SAMPLE, place)
    os.utime(place, (OLD, OLD))


def fetch(hub: Hub) -> None:
    hub.ledger.transact(lambda unit: unit.later([WorkItem(task="pull", subject_id="shop/order", connection="shop")]))
    hub.worker.run_dry()


def count(hub: Hub, table: str) -> int:
    (row,) = hub.store.read(lambda db: db.all(f"SELECT count(*) FROM {table}"))
    return int(row[0])


def written(hub: Hub) -> int:
    return len(list((hub.settings.var / "shop/out").glob("*.json")))


def test_a_file_becomes_an_order_and_goes_back_out_as_a_file(hub: Hub) -> None:
    drop(hub, "order.json")

    fetch(hub)
    fetch(hub)

    assert (count(hub, "orders"), written(hub)) == (1, 1)
    assert [file.name for file in (hub.settings.var / "shop/in/taken").iterdir()] == ["order.json"]


def test_a_crash_between_storing_and_moving_has_no_second_effect(hub: Hub) -> None:
    drop(hub, "order.json")
    looking = hub.services.opened("shop").instance.pull("order", "")
    page = next(looking)
    receive(hub.services, hub.config().connections["shop"], page.messages)
    looking.close()

    fetch(hub)

    assert (count(hub, "orders"), written(hub)) == (1, 1)
    assert (hub.settings.var / "shop/in/taken/order.json").exists()


def test_an_order_that_is_dropped_again_under_another_name_is_one_order(hub: Hub) -> None:
    drop(hub, "order.json")
    drop(hub, "order-again.json")

    fetch(hub)

    assert (count(hub, "orders"), written(hub)) == (1, 1)
