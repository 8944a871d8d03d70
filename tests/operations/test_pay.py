"""The payment axis follows the source, forwards, and what waits for the money goes on when it is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.order import Hold, Order, Totals
from hub.domain.payment import payment_after
from hub.domain.shipment import Package, Shipment
from hub.domain.stock import Item

MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LABEL = Shipment(number="SH-000001", carrier="Parcel Post", packages=(Package(tracking_number="PP123"),))


@pytest.fixture
def shop(company: Any) -> Any:
    """The company, with cups to sell."""
    company.has(Item(id="cup", sku="CUP"), hamburg="9")
    return company


def bought(company: Any, kind: str = "web", **more: Any) -> Order:
    """Return a prepaid order of a customer, as its source told it in the morning."""
    order: Order = company.order("1", company.line("1", "cup", "2"), **{
        "payment_terms": "prepaid", "source_updated_at": MORNING, "totals": Totals(grand=Decimal("20.00")), **more,
    })  # fmt: skip
    return replace(order, source=replace(order.source, kind=kind))


def copy(order: Order, payment: str, minutes: int = 1, **more: Any) -> Order:
    """Return what the source says of an order some minutes later."""
    at = MORNING + timedelta(minutes=minutes)
    return replace(order, **{"id": "", "version": 0, "payment": payment, "source_updated_at": at, **more})


def report(company: Any, given: Order) -> list[Event]:
    found: list[Event] = company.hear("order.payment_reported", given, order_id="order-1")
    return found


def test_a_prepaid_order_waits_until_it_is_paid_and_then_goes_on_once(shop: Any) -> None:
    order = bought(shop)

    held = shop.receive(order)
    waiting = shop.stored("1")
    assert "order.held" in shop.names(held)
    assert "order.accepted" not in shop.names(held)
    assert [(hold.code, hold.reason) for hold in waiting.open_holds] == [("payment", "the customer has not paid")]
    assert shop.incidents() == [("hold/payment/shop/order-1", 1)]
    assert shop.level("cup", "hamburg") == ("9", "0")

    paid = report(shop, copy(order, "paid"))
    again = report(shop, copy(order, "paid"))

    assert shop.names(paid)[:6] == [
        "order.payment_reported", "order.payment_changed", "order.paid", "order.released", "order.accepted",
        "order.allocated",
    ]  # fmt: skip
    assert paid[1].detail == {"from": "unpaid", "to": "paid"}
    assert shop.names(again) == ["order.payment_reported"]
    assert (shop.stored("1").payment, shop.stored("1").acceptance) == ("paid", "accepted")
    assert shop.incidents() == []
    assert shop.level("cup", "hamburg") == ("9", "2")
    shop.settle()


def test_an_authorized_payment_is_enough_to_go_on(shop: Any) -> None:
    order = bought(shop)
    shop.receive(order)

    events = report(shop, copy(order, "authorized"))

    assert "order.accepted" in shop.names(events)
    assert "order.paid" not in shop.names(events)


def test_a_part_of_the_money_is_not_enough(shop: Any) -> None:
    order = bought(shop)
    shop.receive(order)

    part = report(shop, copy(order, "unpaid", totals=Totals(grand=Decimal("20.00"), paid=Decimal("5.00"))))
    assert shop.names(part) == ["order.payment_reported", "order.payment_changed"]
    assert (shop.stored("1").payment, shop.stored("1").totals.paid) == ("partially_paid", Decimal("5.00"))

    rest = report(shop, copy(order, "paid", 2))
    assert "order.accepted" in shop.names(rest)


def test_a_hold_that_waits_for_capture_goes_when_it_is_paid_and_not_before(shop: Any) -> None:
    hold = Hold(code="payment", reason="capture before shipping", path="risk")
    order = bought(shop, payment="authorized", holds=(hold, Hold(code="fraud", reason="a doubt")))
    shop.receive(order)

    report(shop, copy(order, "authorized"))
    assert [each.code for each in shop.stored("1").open_holds] == ["payment", "fraud"]

    events = report(shop, copy(order, "paid", 2))
    assert [each.code for each in shop.stored("1").open_holds] == ["fraud"]
    assert "order.accepted" not in shop.names(events)


def test_what_a_person_let_go_unpaid_is_not_held_again(shop: Any) -> None:
    order = bought(shop)
    shop.receive(order)
    shop.hear("order.release_requested", order_id="order-1", detail={"codes": ["payment"], "by": "Ada"})

    change = replace(order, id="", purpose="change", lines=(shop.line("1", "cup", "3"),))
    events = shop.hear("order.change_received", change, order_id="order-1")

    assert "order.resumed" in shop.names(events)
    assert shop.stored("1").open_holds == ()


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("marketplace", {}),
        ("api", {}),
        ("web", {"payment_terms": "on_account"}),
        ("web", {"payment_terms": "cod"}),
        ("web", {"payment_terms": None}),
        ("web", {"payment": "authorized"}),
        ("web", {"totals": Totals(grand=Decimal(0))}),
    ],
)
def test_orders_that_are_paid_later_or_elsewhere_do_not_wait(shop: Any, kind: str, more: dict[str, Any]) -> None:
    events = shop.receive(bought(shop, kind, **more))

    assert "order.accepted" in shop.names(events)


def test_an_admin_decides_whether_unpaid_orders_wait(shop: Any) -> None:
    shop.set("pay.hold_unpaid", False)
    assert "order.accepted" in shop.names(shop.receive(bought(shop)))

    shop.set("pay.hold_unpaid", True)
    api = shop.order("2", shop.line("1", "cup", "1"), payment_terms="prepaid")
    assert "order.held" in shop.names(shop.receive(api))


def test_an_order_that_arrives_paid_says_so_once(shop: Any) -> None:
    assert shop.names(shop.receive(bought(shop, payment="paid"))).count("order.paid") == 1


def test_a_cancelled_order_does_not_wait_for_its_money_any_more(shop: Any) -> None:
    order = bought(shop)
    shop.receive(order)

    shop.hear("order.cancel_received", replace(order, purpose="cancel"), order_id="order-1")
    late = report(shop, copy(order, "refunded"))

    assert shop.incidents() == []
    assert shop.names(late) == ["order.payment_reported", "order.payment_changed"]


def test_money_that_is_gone_before_the_goods_are_is_for_a_person(shop: Any) -> None:
    order = bought(shop, payment="paid")
    shop.receive(order)

    report(shop, copy(order, "refunded"))

    assert shop.incidents() == [("payment/order-1", 1)]
    assert shop.stored("1").open_holds == ()


def test_a_refund_after_the_goods_left_is_no_incident_and_a_chargeback_is(shop: Any) -> None:
    order = bought(shop, payment="paid")
    shop.receive(order)
    shop.hear("label.received", LABEL, origin="parcel")

    report(shop, copy(order, "partially_refunded"))
    assert shop.incidents() == []
    report(shop, copy(order, "chargeback", 2))
    assert shop.incidents() == [("payment/order-1", 1)]
    report(shop, copy(order, "paid", 3))
    assert shop.incidents() == []


def test_a_change_brings_its_payment_along_also_when_it_comes_too_late(shop: Any) -> None:
    order = bought(shop, payment="authorized")
    shop.receive(order)
    shop.hear("label.received", LABEL, origin="parcel")

    events = shop.hear(
        "order.change_received", copy(order, "paid", lines=(shop.line("1", "cup", "5"),)), order_id="order-1"
    )

    assert shop.names(events) == [
        "order.change_received", "order.payment_changed", "order.paid", "order.change_declined",
    ]  # fmt: skip
    assert shop.stored("1").payment == "paid"


def test_a_change_that_asks_for_more_money_holds_the_order_until_it_is_there(shop: Any) -> None:
    order = bought(shop, payment="paid")
    shop.receive(order)
    more = copy(order, "partially_paid", lines=(shop.line("1", "cup", "3"),), totals=Totals(grand=Decimal("30.00")))

    changed = shop.hear("order.change_received", more, order_id="order-1")
    assert "order.resumed" not in shop.names(changed)
    assert shop.level("cup", "hamburg") == ("9", "0")
    assert [hold.reason for hold in shop.stored("1").open_holds] == ["only a part is paid"]

    paid = report(shop, replace(more, payment="paid", source_updated_at=MORNING + timedelta(minutes=2)))
    assert "order.resumed" in shop.names(paid)
    assert shop.level("cup", "hamburg") == ("9", "3")
    assert shop.incidents() == []
    shop.settle()


def test_a_change_that_brings_the_address_and_the_money_goes_on_once(shop: Any) -> None:
    order = bought(shop, "marketplace", ship_to=None)
    shop.receive(order)

    events = shop.hear(
        "order.change_received", copy(order, "paid", ship_to=shop.order("9").ship_to), order_id="order-1"
    )

    assert [shop.names(events).count(name) for name in ("order.paid", "order.resumed", "shipment.drafted")] == [1, 1, 1]


def test_a_hold_that_a_document_brings_again_is_placed_once(shop: Any) -> None:
    test_order = Hold(code="manual", path="test", reason="a test order of the shop")
    order = bought(shop, payment="paid", holds=(test_order,))
    shop.receive(order)
    shop.hear("order.release_requested", order_id="order-1", detail={"by": "Ada"})

    shop.hear("order.change_received", copy(order, "paid", lines=(shop.line("1", "cup", "3"),)), order_id="order-1")

    assert [(hold.code, hold.released_by) for hold in shop.stored("1").holds] == [("manual", "Ada")]


@pytest.mark.parametrize(
    ("known", "given", "minutes", "after"),
    [
        ("unpaid", "paid", 1, "paid"),
        ("authorized", "paid", 1, "paid"),
        ("paid", "partially_paid", 1, "partially_paid"),
        ("paid", "partially_refunded", 1, "partially_refunded"),
        ("partially_refunded", "refunded", 1, "refunded"),
        ("authorized", "void", 1, "void"),
        ("authorized", "unpaid", 1, "unpaid"),
        ("paid", "unpaid", 1, "paid"),
        ("cod_pending", "paid", 1, "paid"),
        ("paid", "authorized", -1, "paid"),
        ("refunded", "paid", -1, "refunded"),
        ("unpaid", "paid", -1, "unpaid"),
        ("authorized", "paid", 0, "paid"),
        ("paid", "authorized", 0, "paid"),
        ("authorized", "unpaid", 0, "authorized"),
    ],
)
def test_later_copies_count_older_ones_do_not_and_of_one_second_the_further_one_does(
    known: Any, given: Any, minutes: int, after: str
) -> None:
    order = Order(number="1", payment=known, source_updated_at=MORNING)

    assert payment_after(order, copy(order, given, minutes)) == after


@pytest.mark.parametrize(("known", "given", "after"), [("unpaid", "paid", "paid"), ("paid", "authorized", "paid")])
def test_without_a_time_payment_only_goes_forwards(known: Any, given: Any, after: str) -> None:
    assert payment_after(Order(number="1", payment=known), Order(number="1", payment=given)) == after
