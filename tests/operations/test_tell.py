"""The buyer is answered, what was paid is noted, and notifications are asked for where they are on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.domain.order import Hold, Totals
from hub.domain.party import Address, Party
from hub.domain.purchase import Acknowledgement
from hub.domain.route import Route
from hub.domain.shipment import Package, Shipment
from hub.domain.stock import Item
from hub.operations.sscc import sscc


def test_the_acknowledgement_says_per_line_what_must_wait(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="2")
    company.has(Item(id="pot", sku="POT"), hamburg="9")

    company.receive(company.order("1", company.line("1", "cup", "5"), company.line("2", "pot", "1")))

    [answer] = company.below(Acknowledgement, "1")
    assert (answer.number, answer.code, answer.order_number) == ("ACK-000001", "accepted_with_changes", "1")
    assert [(x.line_no, x.code, x.quantity) for x in answer.lines] == [
        ("1", "backordered", Decimal(2)),
        ("2", "accepted", Decimal(1)),
    ]


def test_an_order_of_nothing_but_services_is_answered_too(company: Any) -> None:
    company.has(Item(id="set_up", sku="SETUP", kind="service"))

    company.receive(company.order("1", company.line("1", "set_up", "1")))

    assert [each.code for each in company.below(Acknowledgement, "1")] == ["accepted"]


def test_a_rejected_order_is_answered_with_a_rejection(company: Any) -> None:
    held = Hold(code="fraud", reason="a doubt")
    company.receive(company.order("1", company.line("1", "cup", "5"), holds=(held,)))

    company.hear("order.reject_requested", order_id="order-1")

    [answer] = company.below(Acknowledgement, "1")
    assert (answer.code, answer.lines[0].code) == ("rejected", "rejected")


def test_an_order_that_somebody_else_fulfils_is_acknowledged_at_once_where_a_route_sends_it(company: Any) -> None:
    company.receive(company.order("1", company.line("1", "", "5"), connection="edi"))
    company.route(Route(name="answer", on="acknowledgement.issued", to="origin", send="acknowledgement"))
    company.receive(company.order("2", company.line("1", "", "5"), connection="edi"))

    assert company.below(Acknowledgement, "1") == []
    assert [each.code for each in company.below(Acknowledgement, "2")] == ["accepted"]


@pytest.mark.parametrize(
    ("totals", "terms", "state"),
    [
        (Totals(grand=Decimal("20.00"), paid=Decimal("20.00")), "prepaid", "paid"),
        (Totals(grand=Decimal("20.00"), paid=Decimal("5.00")), "prepaid", "partially_paid"),
        (Totals(grand=Decimal("20.00")), "cod", "cod_pending"),
        (Totals(grand=Decimal("20.00")), None, "unpaid"),
    ],
)
def test_what_was_paid_becomes_the_payment_axis(company: Any, totals: Totals, terms: str, state: str) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="9")

    company.receive(company.order("1", company.line("1", "cup", "2"), totals=totals, payment_terms=terms))

    assert company.stored("1").payment == state


def test_a_buyer_is_told_only_where_notifications_are_on(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="9")
    buyer = Party(name="A Buyer", email="buyer@example.com")

    silent = company.receive(company.order("1", company.line("1", "cup", "1"), buyer=buyer))
    company.set("notify.enabled", True)
    company.set("notify.connection", "mail")
    told = company.receive(company.order("2", company.line("1", "cup", "1"), buyer=buyer))
    unknown = company.receive(company.order("3", company.line("1", "cup", "1")))

    asked = [[e for e in events if e.name == "notification.order_accepted"] for events in (silent, told, unknown)]
    assert [len(events) for events in asked] == [0, 1, 0]
    assert (asked[1][0].subject_kind, asked[1][0].subject_id, asked[1][0].detail) == (
        "order", "order-2", {"target": "mail"},
    )  # fmt: skip


LABEL = Shipment(number="SH-000001", carrier="Parcel Post", packages=(Package(tracking_number="PP123"),))


def test_a_shipment_that_left_knows_whom_to_tell_and_in_which_language(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="9")
    company.set("notify.enabled", True)
    buyer = Party(name="A Buyer", email="buyer@example.com", language="de")
    company.receive(company.order("1", company.line("1", "cup", "1"), buyer=buyer))

    events = company.hear("label.received", LABEL, origin="parcel")

    assert company.names(events).count("notification.shipment_dispatched") == 1
    [shipment] = company.below(Shipment, "1")
    asked = next(event for event in events if event.name == "notification.shipment_dispatched")
    assert (asked.subject_kind, asked.subject_id) == ("shipment", shipment.id)
    assert shipment.extensions["buyer_email"] == "buyer@example.com"
    assert shipment.extensions["buyer_language"] == "de"


def test_who_receives_the_goods_is_told_where_the_buyer_has_no_address(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="9")
    company.set("notify.enabled", True)
    to = Address(name="A Friend", country="DE", city="Hamburg", email="friend@example.com")
    extensions = {"no_notifications": True}
    company.receive(company.order("1", company.line("1", "cup", "1"), ship_to=to, extensions=extensions))

    company.hear("label.received", LABEL, origin="parcel")

    [shipment] = company.below(Shipment, "1")
    assert shipment.extensions["buyer_email"] == "friend@example.com"
    assert shipment.extensions["no_notifications"] is True


def test_a_shipment_keeps_no_address_where_nobody_is_told(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="9")
    buyer = Party(name="A Buyer", email="buyer@example.com")
    company.receive(company.order("1", company.line("1", "cup", "1"), buyer=buyer))

    company.hear("label.received", LABEL, origin="parcel")

    [shipment] = company.below(Shipment, "1")
    assert "buyer_email" not in shipment.extensions


def test_a_parcel_number_has_the_check_digit_of_the_standard() -> None:
    assert sscc("0614141", 123456789) == "006141411234567890"
