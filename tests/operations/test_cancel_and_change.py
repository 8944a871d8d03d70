"""What was begun can be undone until something left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from hub.domain.party import Address
from hub.domain.phase import overlay, phase
from hub.domain.purchase import AcknowledgedLine, Acknowledgement, PurchaseOrder
from hub.domain.shipment import FulfillmentOrder, Package, Shipment
from hub.domain.stock import Item, Reservation

LABEL = Shipment(number="SH-000001", carrier="Parcel Post", packages=(Package(tracking_number="PP123"),))


def test_a_cancellation_before_dispatch_gives_everything_back(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", supplier="other_supplier"), hamburg="2")
    order = company.order("1", company.line("1", "cup", "3"))
    company.receive(order)

    events = company.hear("order.cancel_received", replace(order, purpose="cancel"), order_id="order-1")

    assert company.names(events) == [
        "order.cancel_received", "stock.changed", "order.cancelled", "fulfillment_order.cancelled",
        "purchase_order.cancelled", "shipment.voided",
    ]  # fmt: skip
    stored = company.stored("1")
    assert (stored.cancellation, stored.lines[0].cancelled, stored.lines[0].allocated) == ("confirmed", 3, 0)
    assert company.level("cup", "hamburg") == ("2", "0")
    assert [each.state for each in company.below(Reservation, "1")] == ["released"]
    assert [each.status for each in company.below(FulfillmentOrder, "1")] == ["cancelled"]
    assert [each.state for each in company.below(PurchaseOrder, "1")] == ["cancelled"]
    assert [each.state for each in company.below(Shipment, "1")] == ["voided"]
    company.settle()


def test_a_cancellation_after_dispatch_is_declined(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="2")
    order = company.order("1", company.line("1", "cup", "2"))
    company.receive(order)
    company.hear("label.received", LABEL, origin="parcel")

    events = company.hear("order.cancel_received", replace(order, purpose="cancel"), order_id="order-1")

    assert company.names(events) == ["order.cancel_received", "order.cancel_declined"]
    assert events[-1].detail == {"reason": "a shipment has left"}
    assert company.stored("1").cancellation == "declined"
    assert company.level("cup", "hamburg") == ("0", "0")


def test_a_cancellation_after_a_supplier_accepted_is_declined(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", supplier="acme"))
    company.receive(company.order("1", company.line("1", "cup", "2")))
    yes = Acknowledgement(
        purchase_order_number="PO-000001", lines=(AcknowledgedLine(line_no="1", code="accepted", quantity=Decimal(2)),)
    )
    company.hear("acknowledgement.received", yes, origin="acme")

    events = company.hear("order.cancel_requested", order_id="order-1")

    assert events[-1].detail == {"reason": "acme accepted PO-000001"}


def test_a_cancelled_order_that_a_supplier_shipped_anyway_shows_both(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", supplier="acme"))
    company.receive(company.order("1", company.line("1", "cup", "2")))
    company.hear("order.cancel_requested", order_id="order-1")

    company.hear("shipment.received", Shipment(number="ASN-1", order_number="PO-000001"), origin="acme")
    shipped = company.hear("shipment.received", _advice("ASN-2"), origin="acme")

    assert "shipment.dispatched" in company.names(shipped)
    stored = company.stored("1")
    assert (phase(stored), overlay(stored)) == ("cancelled", "shipped anyway")


def _advice(number: str) -> Shipment:
    from hub.domain.shipment import FulfillmentLine

    return Shipment(
        number=number, order_number="PO-000001", lines=(FulfillmentLine(line_no="1", item_id="", quantity=Decimal(2)),)
    )


def test_a_second_cancellation_has_no_effect(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="2")
    company.receive(company.order("1", company.line("1", "cup", "2")))
    company.hear("order.cancel_requested", order_id="order-1")

    assert company.names(company.hear("order.cancel_requested", order_id="order-1")) == ["order.cancel_requested"]


def test_an_order_that_arrives_with_its_cancellation_is_never_allocated(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="2")
    order = company.order("1", company.line("1", "cup", "2"))

    def both(unit: Any) -> None:
        unit.put(order)
        unit.emit("order.received", order_id=order.id, subject_kind="order", subject_id=order.id)
        unit.attached[unit.emit("order.cancel_received", order_id=order.id).id] = replace(order, purpose="cancel")

    events = company.happen(both)

    assert "order.allocated" not in company.names(events)
    assert company.level("cup", "hamburg") == ("2", "0")


def test_a_changed_quantity_and_address_are_allocated_anew(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="9")
    order = company.order("1", company.line("1", "cup", "2"), company.line("2", "cup", "1"))
    company.receive(order)
    to = Address(name="A Buyer", line1="New Street 2", country="DE", region="HH")
    change = replace(order, purpose="change", lines=(company.line("1", "cup", "5"),), ship_to=to)

    events = company.hear("order.change_received", change, order_id="order-1")

    assert company.names(events)[:6] == [
        "order.change_received", "stock.changed", "fulfillment_order.cancelled", "shipment.voided", "order.changed",
        "order.resumed",
    ]  # fmt: skip
    assert [(x.line_no, x.ordered, x.allocated) for x in company.stored("1").lines] == [("1", 5, 5), ("2", 1, 1)]
    assert [(x.status, x.ship_to.line1) for x in company.below(FulfillmentOrder, "1")] == [
        ("cancelled", ""),
        ("open", "New Street 2"),
    ]
    assert company.level("cup", "hamburg") == ("9", "6")
    company.settle()


def test_a_newer_version_of_an_order_cancels_the_lines_it_leaves_out(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="9")
    order = company.order("1", company.line("1", "cup", "2"), company.line("2", "cup", "1"))
    company.receive(order)

    company.hear("order.change_received", replace(order, lines=order.lines[:1]), order_id="order-1")

    assert [(x.line_no, x.cancelled, x.allocated) for x in company.stored("1").lines] == [("1", 0, 2), ("2", 1, 0)]
    assert company.level("cup", "hamburg") == ("9", "2")


def test_a_change_after_dispatch_goes_to_a_person(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="9")
    order = company.order("1", company.line("1", "cup", "2"))
    company.receive(order)
    company.hear("label.received", LABEL, origin="parcel")

    events = company.hear(
        "order.change_received",
        replace(order, purpose="change", lines=(company.line("1", "cup", "5"),)),
        order_id="order-1",
    )

    assert company.names(events) == ["order.change_received", "order.change_declined"]
    assert company.incidents() == [("change_too_late/order-1", 1)]
    assert company.stored("1").lines[0].ordered == Decimal(2)
