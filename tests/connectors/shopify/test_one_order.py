"""A shop's webhooks and its poll, through the hub: one order is one record, and none is missed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.shopify.simulator import Shop
from hub.domain.stock import StockReportLine
from hub.testing.serve import serve
from hub.web.app import create_app
from tests.connectors.shopify.hub_with_shop import ONE, Company, company_of
from tests.connectors.shopify.sandbox import sample


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop, address: str) -> Iterator[Company]:
    monkeypatch.setenv("SHOP_TOKEN", "sandbox-token")
    monkeypatch.setenv("SHOP_SECRET", "sandbox-secret")
    with company_of(tmp_path, shop, address) as company:
        yield company


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
    company.publish("shop", [StockReportLine(sku="WIDGET-001", quantity=Decimal(7), external_id="49148385")])

    assert list(company.shop.levels.values()) == [7]
    assert company.rows("SELECT state FROM deliveries") == [("delivered",)]
