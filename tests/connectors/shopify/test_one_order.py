"""A shop's webhooks and its poll, through the hub: one order is one record, and none is missed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.shopify.simulator import Shop
from hub.bootstrap import Hub, build
from hub.domain.shipment import FulfillmentLine, Package, Shipment
from hub.domain.stock import StockReport, StockReportLine
from hub.pipeline.route import route
from hub.settings import HubSettings
from hub.store import seeds
from hub.store.migrate import upgrade
from hub.store.seed_files import read_folder
from hub.testing.serve import serve
from hub.web.app import create_app
from tests.connectors.shopify.sandbox import sample

CONFIG = """
[connection]
connector    = "shopify"
items        = "any"
fulfilled_by = "elsewhere"
source_kind  = "web"
pull_every   = {{ order = 60 }}

[connection.settings]
shop_url       = "{url}"
access_token   = "env:SHOP_TOKEN"
webhook_secret = "env:SHOP_SECRET"
location_id    = "1"
since          = "2026-11-20T00:00:00Z"

[[agreement]]
direction = "in"
document  = "order"
codec     = "json"
mapping   = "shopify/order.in"
match     = {{ kind = "order" }}

[[agreement]]
direction = "in"
document  = "order"
codec     = "json"
mapping   = "shopify/order_poll.in"
match     = {{ kind = "order_poll" }}

[[agreement]]
direction = "in"
document  = "order_cancel"
codec     = "json"
mapping   = "shopify/order_cancel.in"
match     = {{ kind = "order_cancel" }}

[[agreement]]
direction = "out"
document  = "shipment"
codec     = "json"
mapping   = "shopify/shipment.out"

[[agreement]]
direction = "out"
document  = "stock"
codec     = "json"
mapping   = "shopify/stock.out"
"""
ROUTES = """
[[route]]
on   = "shipment.dispatched"
to   = "origin"
send = "shipment"

[[route]]
on   = "stock_report.published"
to   = "target"
send = "stock"
"""


class Company:
    """A hub with a shop, worked by hand."""

    def __init__(self, hub: Hub, shop: Shop) -> None:
        self.hub, self.shop = hub, shop
        self.client = create_app(hub.services, hub.store).test_client()

    def hear(self, topic: str, order_id: str, event: str = "") -> int:
        """The shop calls; return the hub's status."""
        headers, body = self.shop.webhook(topic, order_id, event)
        return self.client.post("/in/shop", data=body, headers=headers).status_code

    def work(self) -> None:
        """Do all that is due."""
        self.hub.worker.run_dry()

    def poll(self) -> None:
        """The poll is due."""
        self.hub.store.write(lambda db: db.run("UPDATE cursors SET next_us = 0"))
        self.hub.tick()
        self.work()

    def dispatch(self, tracking: str, **lines: str) -> None:
        """Goods of the order leave: its lines by number, with quantities."""

        def left(unit: Any) -> None:
            ((order_id,),) = self.rows("SELECT id FROM orders")
            shipment = Shipment(
                id=unit.new_id(),
                order_id=order_id,
                number="SH-1",
                order_external_id=ONE,
                carrier="DHL",
                packages=(Package(tracking_number=tracking),),
                lines=tuple(
                    FulfillmentLine(
                        line_no=key.strip("_"), item_id="i", quantity=Decimal(value), external_id=key.strip("_")
                    )
                    for key, value in lines.items()
                ),
            )
            unit.put(shipment)
            unit.emit("shipment.dispatched", order_id=order_id, subject_kind="shipment", subject_id=shipment.id)
            route(self.hub.services, unit)

        self.hub.ledger.transact(left)
        self.work()

    def again(self) -> None:
        """What was put back for later is due."""
        self.hub.store.write(lambda db: db.run("UPDATE work SET due_us = 0 WHERE status = 'queued'"))
        self.work()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.hub.store.read(lambda db: [tuple(row) for row in db.all(sql)])

    def orders(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT account, external_id FROM orders ORDER BY external_id")

    def documents(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT state, count(*) FROM documents GROUP BY state ORDER BY state")


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop, address: str) -> Iterator[Company]:
    monkeypatch.setenv("SHOP_TOKEN", "sandbox-token")
    monkeypatch.setenv("SHOP_SECRET", "sandbox-secret")
    folder = tmp_path / "config"
    (folder / "connections").mkdir(parents=True)
    (folder / "connections/shop.toml").write_text(CONFIG.format(url=address))
    (folder / "routes.toml").write_text(ROUTES)
    database = f"sqlite:///{tmp_path / 'hub.db'}"
    upgrade(database)
    hub = build(HubSettings(database_url=database, var=tmp_path / "var", allow_networks=("127.0.0.0/8",)))
    found = read_folder(folder)
    hub.store.write(lambda db: seeds.apply(db, found, who="test"))
    yield Company(hub, shop)
    hub.close()


ONE = "5500000001001"


def test_a_webhook_and_a_poll_of_one_order_are_one_record(company: Company) -> None:
    assert company.hear("orders/create", ONE) == 202
    company.work()
    company.poll()

    assert company.orders() == [("shop", ONE)]
    assert company.documents() == [("applied", 1), ("repeated", 1)]


def test_a_poll_before_the_webhook_is_the_same_record(company: Company) -> None:
    company.poll()
    assert company.hear("orders/create", ONE) == 202
    company.work()

    assert company.orders() == [("shop", ONE)]


def test_both_at_the_same_moment_are_one_record(company: Company) -> None:
    company.hear("orders/create", ONE)
    company.poll()

    assert company.orders() == [("shop", ONE)]
    assert company.documents() == [("applied", 1), ("repeated", 1)]


def test_a_repeated_webhook_is_answered_without_effect(company: Company) -> None:
    assert [company.hear("orders/create", ONE, "e-1") for _ in range(3)] == [202, 200, 200]
    company.work()

    assert company.documents() == [("applied", 1)]


def test_a_second_poll_brings_nothing_new(company: Company) -> None:
    company.poll()
    company.poll()

    assert company.documents() == [("applied", 1)]


def test_what_webhooks_lost_the_poll_finds(company: Company, server: Callable[[], str]) -> None:
    shop = company.shop
    shop.drop_every, shop.repeat_every = 10, 7
    hub = server()
    lost = 0
    for at in range(30):
        key = shop.place(
            {**sample("order-presentment.json"), "id": 9000 + at, "updated_at": f"2026-11-20T09:{at:02}:00Z"}
        )
        lost += shop.send(hub, "orders/create", key) == 0
    company.work()
    assert (lost, len(company.orders())) == (3, 27)

    company.poll()

    assert len(company.orders()) == 31  # With the one that was there before.


@pytest.fixture
def server(company: Company) -> Iterator[Callable[[], str]]:
    """Serves the hub's intake for the shop's webhooks."""
    app = create_app(company.hub.services, company.hub.store)
    with serve(app) as url:
        yield lambda: f"{url}/in/shop"


def test_a_cancellation_reaches_the_order(company: Company) -> None:
    company.hear("orders/create", ONE)
    company.work()
    company.shop.change(ONE, cancelled_at="2026-11-20T12:00:00Z")
    company.hear("orders/cancelled", ONE)
    company.work()

    assert company.rows("SELECT name FROM events WHERE name LIKE 'order.cancel%' ORDER BY name") == [
        ("order.cancel_received",),
        ("order.cancelled",),
    ]


def test_a_cancellation_that_only_the_poll_saw_reaches_the_order(company: Company) -> None:
    company.hear("orders/create", ONE)
    company.work()
    company.shop.change(ONE, cancelled_at="2026-11-20T12:00:00Z")
    company.poll()

    assert ("order.cancelled",) in company.rows("SELECT name FROM events")


def test_totals_prove_to_the_cent_in_the_customers_currency(company: Company) -> None:
    company.hear("orders/create", ONE)
    company.work()

    ((proof,),) = company.rows("SELECT doc FROM orders")
    assert '"computed":"330.84","stated":"330.84"' in proof
    assert company.rows("SELECT fingerprint FROM incidents") == []


def test_units_that_the_merchant_takes_out_are_taken_out_here(company: Company) -> None:
    company.hear("orders/create", ONE)
    company.work()
    widgets, panels = company.shop.orders[ONE]["line_items"]
    company.shop.change(ONE, line_items=[{**widgets, "current_quantity": 1}, panels])
    company.hear("orders/updated", ONE)
    company.work()

    ((doc,),) = company.rows("SELECT doc FROM orders")
    lines = {line["line_no"]: line.get("cancelled") for line in json.loads(doc)["lines"]}
    assert lines == {"13001": "2", "13002": "1"}
    assert company.rows("SELECT fingerprint FROM incidents") == []


def test_the_shops_echo_of_a_shipment_changes_nothing(company: Company) -> None:
    company.hear("orders/create", ONE)
    company.work()
    company.shop.change(ONE, fulfillment_status="fulfilled")
    company.hear("orders/updated", ONE)
    company.poll()

    assert ("order.changed",) not in company.rows("SELECT name FROM events")
    assert company.documents() == [("applied", 1), ("repeated", 2)]


def test_what_left_is_a_fulfilment_at_the_shop(company: Company) -> None:
    company.hear("orders/create", ONE)
    company.work()
    company.dispatch("T-1", _13001="3", _13002="1")

    (made,) = company.shop.fulfillments.values()
    assert (made["order"], made["numbers"]) == (ONE, ["T-1"])
    assert made["lines"] == {"gid://shopify/LineItem/13001": 3, "gid://shopify/LineItem/13002": 1}
    assert company.rows("SELECT state, reference FROM deliveries") == [("delivered", "gid://shopify/Fulfillment/1")]


def test_an_answer_lost_after_the_fulfilment_was_made_is_not_a_second_one(company: Company) -> None:
    company.hear("orders/create", ONE)
    company.work()
    answered = company.shop.data

    def lost(given: dict[str, Any]) -> dict[str, Any]:
        data = answered(given)
        if given["operationName"] == "Fulfill":
            company.shop.data = answered  # type: ignore[method-assign]
            raise ConnectionError("the shop's server broke after it had done its work")
        return data

    company.shop.data = lost  # type: ignore[method-assign]
    company.dispatch("T-1", _13001="3")
    assert company.rows("SELECT state FROM deliveries") != [("delivered",)]
    company.again()
    company.again()

    assert company.rows("SELECT state FROM deliveries") == [("delivered",)]
    assert len(company.shop.fulfillments) == 1


def test_what_may_be_sold_is_set_at_the_shop(company: Company) -> None:
    def published(unit: Any) -> None:
        lines = (StockReportLine(sku="WIDGET-001", quantity=Decimal(7), external_id="49148385"),)
        report = StockReport(id=unit.new_id(), connection="shop", lines=lines)
        unit.put(report)
        unit.emit(
            "stock_report.published", subject_kind="stock_report", subject_id=report.id, detail={"target": "shop"}
        )
        route(company.hub.services, unit)

    company.hub.ledger.transact(published)
    company.work()

    assert list(company.shop.levels.values()) == [7]
    assert company.rows("SELECT state FROM deliveries") == [("delivered",)]
