"""A marketplace order through the hub: taken in, answered by line, completed by its address: one record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.mirakl.simulator import Market
from hub.testing.fakes import FakeClock
from tests.connectors.mirakl.hub_with_market import company_of
from tests.connectors.mirakl.sandbox import ONE, sample
from tests.connectors.worked_hub import WorkedHub


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> Iterator[WorkedHub]:
    monkeypatch.setenv("MARKET_KEY", "sandbox-key")
    with company_of(tmp_path, address) as company:
        yield company


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> Iterator[WorkedHub]:
    """A hub that ships what the marketplace sells."""
    monkeypatch.setenv("MARKET_KEY", "sandbox-key")
    with company_of(tmp_path, address, fulfils=True) as company:
        yield company


def test_an_order_is_answered_and_then_completed_by_its_address(company: WorkedHub, market: Market) -> None:
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


def test_a_cancelled_order_is_cancelled_here(company: WorkedHub, market: Market) -> None:
    company.poll()
    market.cancel(ONE)
    company.poll()

    assert ("order.cancelled",) in company.rows("SELECT name FROM events")


def test_an_order_that_moves_to_shipping_is_paid_and_goes_on_once(
    warehouse: WorkedHub, market: Market, market_clock: FakeClock
) -> None:
    warehouse.poll()
    assert warehouse.rows("SELECT payment, acceptance FROM orders") == [("unpaid", "accepted")]

    market_clock.advance(hours=1)
    market.pay(ONE)
    warehouse.poll()
    market.orders[ONE] = {**market.orders[ONE], "has_customer_message": True}
    warehouse.poll()

    assert warehouse.rows("SELECT payment FROM orders") == [("paid",)]
    assert warehouse.count("order.paid") == warehouse.count("order.resumed") == 1
    asked = [doc for (doc,) in warehouse.rows("SELECT doc FROM fulfillment_orders")]
    (doc,) = [each for each in asked if '"status":"cancelled"' not in each]
    assert '"city":"Hamburg"' in doc
    assert warehouse.rows("SELECT fingerprint FROM incidents") == []


def test_an_order_that_is_paid_within_the_second_it_was_answered_is_not_missed(
    warehouse: WorkedHub, market: Market
) -> None:
    market.orders[ONE] = {**market.orders[ONE], "last_updated_date": "2026-11-20T09:00:00Z"}
    warehouse.poll()
    market.pay(ONE)
    assert market.orders[ONE]["last_updated_date"] == "2026-11-20T09:00:00Z"

    warehouse.poll()

    ((doc,),) = warehouse.rows("SELECT doc FROM orders")
    assert '"city":"Hamburg"' in doc
    assert warehouse.rows("SELECT payment FROM orders") == [("paid",)]


@pytest.mark.parametrize(
    ("workflow", "debited", "payment"),
    [
        ("PAY_ON_ACCEPTANCE", None, "paid"),
        ("PAY_ON_DELIVERY", None, "unpaid"),
        ("PAY_ON_DELIVERY", "2026-11-20T10:00:00Z", "paid"),
    ],
)
def test_what_is_paid_depends_on_when_the_marketplace_debits(
    company: WorkedHub, market: Market, workflow: str, debited: str | None, payment: str
) -> None:
    order = sample("order-shipping.json")
    market.place({**order, "payment_workflow": workflow, "customer_debited_date": debited})
    company.poll()

    assert company.rows("SELECT payment FROM orders") == [(payment,)]
