"""A marketplace order through the hub: taken in, answered by line, completed by its address: one record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.mirakl.simulator import Market
from hub.bootstrap import Hub, build
from hub.settings import HubSettings
from hub.store import seeds
from hub.store.migrate import upgrade
from hub.store.seed_files import read_folder
from tests.connectors.mirakl.sandbox import ONE

CONFIG = """
[connection]
connector    = "mirakl"
items        = "any"
fulfilled_by = "elsewhere"
source_kind  = "marketplace"
pull_every   = {{ order = 60 }}

[connection.settings]
base_url = "{url}"
api_key  = "env:MARKET_KEY"
since    = "2026-11-20T00:00:00Z"

[[agreement]]
direction = "in"
document  = "order"
codec     = "json"
mapping   = "mirakl/order.in"

[[agreement]]
direction = "out"
document  = "acknowledgement"
codec     = "json"
mapping   = "mirakl/acknowledgement.out"
"""
ROUTES = '[[route]]\non = "acknowledgement.issued"\nto = "origin"\nsend = "acknowledgement"\n'


class Company:
    """A hub with a marketplace, worked by hand."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def poll(self) -> None:
        """The pull is due; do all that follows."""
        self.hub.store.write(lambda db: db.run("UPDATE cursors SET next_us = 0"))
        self.hub.tick()
        self.hub.worker.run_dry()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.hub.store.read(lambda db: [tuple(row) for row in db.all(sql)])


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> Iterator[Company]:
    monkeypatch.setenv("MARKET_KEY", "sandbox-key")
    folder = tmp_path / "config"
    (folder / "connections").mkdir(parents=True)
    (folder / "connections/market.toml").write_text(CONFIG.format(url=address))
    (folder / "routes.toml").write_text(ROUTES)
    database = f"sqlite:///{tmp_path / 'hub.db'}"
    upgrade(database)
    hub = build(HubSettings(database_url=database, var=tmp_path / "var", allow_networks=("127.0.0.0/8",)))
    found = read_folder(folder)
    hub.store.write(lambda db: seeds.apply(db, found, who="test"))
    yield Company(hub)
    hub.close()


def test_an_order_is_answered_and_then_completed_by_its_address(company: Company, market: Market) -> None:
    company.poll()
    assert market.orders[ONE]["order_state"] == "WAITING_DEBIT_PAYMENT"

    market.pay(ONE)
    company.poll()
    company.poll()

    assert company.rows("SELECT account, external_id FROM orders") == [("market", ONE)]
    ((doc,),) = company.rows("SELECT doc FROM orders")
    assert '"city":"Hamburg"' in doc
    assert company.rows("SELECT state FROM deliveries") == [("delivered",)]
    assert sum(call.endswith("/accept") for call in market.calls) == 1


def test_a_cancelled_order_is_cancelled_here(company: Company, market: Market) -> None:
    company.poll()
    market.cancel(ONE)
    company.poll()

    assert ("order.cancelled",) in company.rows("SELECT name FROM events")
