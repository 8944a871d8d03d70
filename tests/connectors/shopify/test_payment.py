"""An order that is paid after it came: by webhook, by poll, in any order; it goes on once, and never back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.shopify.simulator import Shop
from tests.connectors.shopify.hub_with_shop import ONE, Company, company_of

AT_ONCE = "2026-11-20T09:20:31+01:00"
LATER = "2026-11-20T10:00:00+01:00"
LAST = "2026-11-20T11:00:00+01:00"


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop, address: str) -> Iterator[Company]:
    """A hub that ships what the shop sells; the shop's order is not paid yet."""
    monkeypatch.setenv("SHOP_TOKEN", "sandbox-token")
    monkeypatch.setenv("SHOP_SECRET", "sandbox-secret")
    shop.change(ONE, financial_status="pending", updated_at=AT_ONCE)
    with company_of(tmp_path, shop, address, fulfils=True) as company:
        yield company


def state(company: Company) -> tuple[str, str]:
    ((payment, acceptance),) = company.rows("SELECT payment, acceptance FROM orders")
    return payment, acceptance


def hear(company: Company, topic: str, status: str, at: str) -> None:
    """The shop says at an instant how an order of it is paid."""
    company.shop.change(ONE, financial_status=status, updated_at=at)
    assert company.hear(topic, ONE) == 202
    company.work()


def released(company: Company) -> list[int]:
    names = ("order.paid", "order.released", "order.accepted", "order.allocated")
    return [company.count(name) for name in names]


def test_an_unpaid_order_waits_for_the_webhook_that_says_it_is_paid(company: Company) -> None:
    hear(company, "orders/create", "pending", AT_ONCE)
    assert state(company) == ("unpaid", "received")
    assert company.rows("SELECT code FROM holds") == [("payment",)]

    hear(company, "orders/paid", "paid", LATER)
    hear(company, "orders/updated", "paid", LATER)
    company.poll()

    assert state(company) == ("paid", "accepted")
    assert released(company) == [1, 1, 1, 1]
    assert company.rows("SELECT code FROM holds") == []
    assert company.rows("SELECT state FROM incidents") == [("auto_resolved",)]
    assert company.documents() == [("applied", 2), ("repeated", 2)]


def test_a_payment_that_only_the_poll_saw_counts(company: Company) -> None:
    hear(company, "orders/create", "pending", AT_ONCE)
    company.shop.change(ONE, financial_status="paid", updated_at=LATER)
    company.poll()

    assert state(company) == ("paid", "accepted")
    assert released(company) == [1, 1, 1, 1]


@pytest.mark.parametrize("statuses", [("pending", "paid"), ("paid", "pending")])
def test_created_and_paid_within_one_second_ends_paid(company: Company, statuses: tuple[str, str]) -> None:
    for status in statuses:
        hear(company, "orders/updated", status, AT_ONCE)

    assert state(company) == ("paid", "accepted")
    assert released(company)[0] == 1


def test_webhooks_that_wait_together_are_taken_in_the_order_of_the_shops_time(company: Company) -> None:
    for topic, status, at in (
        ("orders/create", "pending", AT_ONCE),
        ("orders/paid", "paid", LAST),
        ("orders/updated", "authorized", LATER),
    ):
        company.shop.change(ONE, financial_status=status, updated_at=at)
        assert company.hear(topic, ONE) == 202
    company.work()

    assert state(company) == ("paid", "accepted")
    assert released(company) == [1, 1, 1, 1]


def test_an_old_copy_takes_nothing_back(company: Company) -> None:
    hear(company, "orders/create", "pending", AT_ONCE)
    hear(company, "orders/updated", "partially_refunded", LAST)
    hear(company, "orders/paid", "paid", LATER)

    assert state(company)[0] == "partially_refunded"


def test_a_copy_from_before_one_without_effect_is_old_too(company: Company) -> None:
    hear(company, "orders/create", "paid", AT_ONCE)
    hear(company, "orders/updated", "paid", LAST)
    hear(company, "orders/updated", "voided", LATER)

    assert state(company)[0] == "paid"


@pytest.mark.parametrize(
    ("status", "payment", "held"),
    [
        ("pending", "unpaid", True),
        ("expired", "unpaid", True),
        ("partially_paid", "partially_paid", True),
        ("voided", "void", True),
        ("refunded", "refunded", True),
        ("authorized", "authorized", False),
        ("paid", "paid", False),
        ("partially_refunded", "partially_refunded", False),
    ],
)
def test_every_status_of_the_shop_has_its_place(company: Company, status: str, payment: str, held: bool) -> None:
    hear(company, "orders/create", status, AT_ONCE)

    assert state(company) == (payment, "received" if held else "accepted")


def test_a_refund_that_comes_with_a_cancellation_is_noted_on_the_cancelled_order(company: Company) -> None:
    hear(company, "orders/create", "paid", AT_ONCE)
    company.shop.change(ONE, cancelled_at=LATER)
    hear(company, "orders/cancelled", "refunded", LATER)

    ((payment, cancellation),) = company.rows("SELECT payment, phase FROM orders")
    assert (payment, cancellation) == ("refunded", "cancelled")
    assert open_incidents(company) == []


def test_a_refund_of_what_has_not_left_is_for_a_person(company: Company) -> None:
    hear(company, "orders/create", "paid", AT_ONCE)
    hear(company, "orders/updated", "refunded", LATER)

    ((title,),) = open_incidents(company)
    assert title == "order #1001: the payment is refunded, and the goods have not left"


def open_incidents(company: Company) -> list[tuple[Any, ...]]:
    return company.rows("SELECT title FROM incidents WHERE state = 'open'")
