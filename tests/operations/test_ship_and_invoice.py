"""From an accepted order to goods that left and money that was asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.domain.invoice import Invoice
from hub.domain.order import Charge, Discount, TaxLine, Totals, TotalsProof
from hub.domain.purchase import AcknowledgedLine, Acknowledgement, PurchaseOrder
from hub.domain.route import Route
from hub.domain.shipment import FulfillmentLine, FulfillmentOrder, Package, Shipment
from hub.domain.stock import Item, Reservation


def labelled(number: str = "SH-000001") -> Shipment:
    return Shipment(
        number=number, carrier="Parcel Post", service="express", packages=(Package(tracking_number="PP123"),),
        cost_quoted=Decimal("6.90"), cost_currency="EUR",
    )  # fmt: skip


def test_an_accepted_order_becomes_a_draft_with_a_parcel_number_and_the_carrier_is_asked(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", weight_grams=350), hamburg="5")

    events = company.receive(company.order("1", company.line("1", "cup", "2")))

    assert company.names(events) == [
        "order.received", "order.accepted", "order.allocated", "stock.changed", "acknowledgement.issued",
        "fulfillment_order.opened", "shipment.drafted",
    ]  # fmt: skip
    [shipment] = company.below(Shipment, "1")
    assert (shipment.number, shipment.packages[0].sscc, shipment.packages[0].weight_grams) == (
        "SH-000001", "040123450000000016", 700,
    )  # fmt: skip
    assert events[-1].detail["target"] == "parcel"


def test_a_label_leads_to_dispatch_and_invoice_and_consumes_the_stock(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    company.receive(company.order("1", company.line("1", "cup", "2", price="7.50")))

    events = company.hear("label.received", labelled(), origin="parcel")

    assert company.names(events) == [
        "label.received", "shipment.labelled", "shipment.dispatched", "stock.changed", "invoice.issued",
    ]  # fmt: skip
    [shipment] = company.below(Shipment, "1")
    assert (shipment.state, shipment.packages[0].tracking_number, shipment.packages[0].sscc) == (
        "handed_over", "PP123", "040123450000000016",
    )  # fmt: skip
    assert shipment.dispatched_at is not None
    stored = company.stored("1")
    assert (stored.fulfillment, stored.lines[0].shipped, stored.lines[0].invoiced) == ("fulfilled", 2, 2)
    assert company.level("cup", "hamburg") == ("3", "0")
    assert [each.state for each in company.below(Reservation, "1")] == ["consumed"]
    assert [each.status for each in company.below(FulfillmentOrder, "1")] == ["closed"]
    [invoice] = company.below(Invoice, "1")
    assert (invoice.number, invoice.totals.grand, invoice.shipment_number) == (
        "INV-000001", Decimal("15.00"), "SH-000001",
    )  # fmt: skip
    company.settle()


def test_a_second_label_has_no_second_effect(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    company.receive(company.order("1", company.line("1", "cup", "2")))
    company.hear("label.received", labelled(), origin="parcel")

    events = company.hear("label.received", labelled(), origin="parcel")

    assert company.names(events) == ["label.received"]
    assert company.level("cup", "hamburg") == ("3", "0")
    assert len(company.below(Invoice, "1")) == 1


def test_a_label_from_somebody_who_was_not_asked_is_an_incident(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    company.receive(company.order("1", company.line("1", "cup", "2")))

    company.hear("label.received", labelled(), origin="market")

    assert company.below(Shipment, "1")[0].state == "draft"
    assert company.incidents() == [("label/market/SH-000001", 1)]


def test_without_automatic_dispatch_a_person_lets_the_parcel_go(company: Any) -> None:
    company.set("ship", {"auto_dispatch": False})
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    company.receive(company.order("1", company.line("1", "cup", "2")))
    waiting = company.hear("label.received", labelled(), origin="parcel")
    [shipment] = company.below(Shipment, "1")

    events = company.hear("shipment.dispatch_requested", order_id="order-1", subject=("shipment", shipment.id))

    assert company.names(waiting) == ["label.received", "shipment.labelled"]
    assert company.names(events)[:2] == ["shipment.dispatch_requested", "shipment.dispatched"]


def advice(number: str, order_number: str, quantity: str, line_no: str = "1") -> Shipment:
    return Shipment(
        number=number, order_number=order_number, carrier="Theirs",
        lines=(FulfillmentLine(line_no=line_no, item_id="", quantity=Decimal(quantity)),),
    )  # fmt: skip


def test_three_partial_shipments_make_invoices_that_add_up_to_the_cent(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), outside="9")
    company.receive(
        company.order(
            "1",
            company.line("1", "cup", "3", price="3.333", discounts=(Discount(amount=Decimal("0.50"), scope="line"),)),
            charges=(Charge(kind="shipping", amount=Decimal("4.95")),),
            discounts=(Discount(amount=Decimal("1.00")),),
            taxes=(TaxLine(amount=Decimal("2.55"), rate=Decimal("0.19")),),
            totals=Totals(grand=Decimal("16.00")),
        )
    )

    for number in ("A", "B", "C"):
        company.hear("shipment.received", advice(number, "FO-000001", "1"), origin="logistics")

    invoices = company.below(Invoice, "1")
    assert [each.number for each in invoices] == ["INV-000001", "INV-000002", "INV-000003"]
    assert [str(each.totals.grand) for each in invoices] == ["8.64", "3.67", "3.69"]
    assert [str(each.totals.tax) for each in invoices] == ["0.85", "0.85", "0.85"]
    assert [each.charges for each in invoices][1:] == [(), ()]
    assert sum(each.totals.grand for each in invoices) == Decimal("16.00")
    assert company.stored("1").fulfillment == "fulfilled"
    company.settle()


def test_taxes_that_do_not_divide_add_up(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), outside="9")
    company.has(Item(id="pot", sku="POT"), outside="9")
    company.receive(
        company.order(
            "1",
            company.line("1", "cup", "3", price="0.10", taxes=(TaxLine(amount=Decimal("0.05")),)),
            company.line("2", "pot", "7", price="1.99", taxes=(TaxLine(amount=Decimal("2.64")),)),
            totals=Totals(grand=Decimal("16.92")),
        )
    )

    for number, quantity, line in (("A", "1", "1"), ("B", "2", "2"), ("C", "2", "1"), ("D", "5", "2")):
        company.hear("shipment.received", advice(number, "FO-000001", quantity, line), origin="logistics")

    grands = [each.totals.grand for each in company.below(Invoice, "1")]
    assert [str(each) for each in grands] == ["0.12", "4.73", "0.23", "11.84"]
    assert sum(grands) == Decimal("16.92")


def test_a_difference_that_a_person_accepted_is_on_the_last_invoice(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    proof = TotalsProof(rule="line", computed=Decimal("20.00"), stated=Decimal("19.99"), difference=Decimal("-0.01"))
    company.receive(
        company.order("1", company.line("1", "cup", "2"), totals=Totals(grand=Decimal("19.99")), totals_proof=proof)
    )

    company.hear("label.received", labelled(), origin="parcel")

    assert company.below(Invoice, "1")[0].totals.grand == Decimal("19.99")


@pytest.mark.parametrize(
    ("trigger", "after_accepting", "after_shipping", "after_asking"),
    [("confirmation", 1, 1, 1), ("shipment", 0, 1, 1), ("delivery", 0, 0, 1), ("manual", 0, 0, 1)],
)
def test_each_trigger_gives_one_invoice_at_its_event(
    company: Any, trigger: str, after_accepting: int, after_shipping: int, after_asking: int
) -> None:
    company.set("invoice.trigger", trigger)
    company.has(Item(id="cup", sku="CUP"), hamburg="5")

    company.receive(company.order("1", company.line("1", "cup", "2")))
    accepting = len(company.below(Invoice, "1"))
    company.hear("label.received", labelled(), origin="parcel")
    shipping = len(company.below(Invoice, "1"))
    [shipment] = company.below(Shipment, "1")
    last = (
        ("shipment.delivered", ("shipment", shipment.id))
        if trigger == "delivery"
        else ("order.invoice_requested", ("", ""))
    )
    company.hear(last[0], order_id="order-1", subject=last[1])

    assert (accepting, shipping, len(company.below(Invoice, "1"))) == (after_accepting, after_shipping, after_asking)


def test_a_supplier_ships_once_per_number_of_theirs(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", supplier="acme"))
    company.receive(company.order("1", company.line("1", "cup", "4")))

    first = company.hear("shipment.received", advice("ASN-7", "PO-000001", "3"), origin="acme")
    again = company.hear("shipment.received", advice("ASN-7", "PO-000001", "3"), origin="acme")

    assert company.names(first)[:3] == ["shipment.received", "shipment.advised", "shipment.dispatched"]
    assert company.names(again) == ["shipment.received"]
    [shipment] = company.below(Shipment, "1")
    assert (shipment.number, shipment.extensions["their_number"], shipment.order_number) == ("SA-000001", "ASN-7", "1")
    [bought] = company.below(PurchaseOrder, "1")
    assert (bought.state, bought.lines[0].shipped) == ("partially_shipped", Decimal(3))
    assert company.stored("1").fulfillment == "partially_fulfilled"


def test_a_supplier_cannot_ship_an_order_that_was_given_to_another(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", supplier="acme"))
    company.receive(company.order("1", company.line("1", "cup", "4")))

    company.hear("shipment.received", advice("ASN-7", "PO-000001", "3"), origin="other_supplier")

    assert company.below(Shipment, "1") == []
    assert company.incidents() == [("shipment/other_supplier/ASN-7/", 1)]


def test_who_fulfils_an_order_elsewhere_says_when_it_left(company: Any) -> None:
    company.route(Route(name="to erp", on="order.accepted", to="erp", send="order", origin="edi"))
    company.receive(company.order("77", company.line("1", "", "2"), connection="edi"))

    told = company.hear("shipment.received", advice("D-1", "77", "2"), origin="erp")
    stranger = company.hear("shipment.received", advice("D-2", "77", "2"), origin="other_supplier")

    assert company.names(told) == ["shipment.received", "shipment.advised", "shipment.dispatched"]
    assert company.names(stranger) == ["shipment.received"]
    assert company.stored("77").fulfillment == "fulfilled"
    assert company.below(Invoice, "77") == []


def test_what_a_supplier_declines_is_sourced_again_and_a_person_is_told(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", supplier="acme"), hamburg="1")
    company.receive(company.order("1", company.line("1", "cup", "4")))
    company.arrives("cup", "hamburg", "2")
    answer = Acknowledgement(
        purchase_order_number="PO-000001", code="accepted_with_changes",
        lines=(AcknowledgedLine(line_no="1", code="rejected", quantity=Decimal(0)),),
    )  # fmt: skip

    events = company.hear("acknowledgement.received", answer, origin="acme")

    assert company.names(events)[:4] == [
        "acknowledgement.received", "purchase_order.acknowledged", "order.source_again", "order.backordered",
    ]  # fmt: skip
    stored = company.stored("1").lines[0]
    assert (stored.allocated, stored.backordered) == (Decimal(3), Decimal(1))
    assert [each.state for each in company.below(PurchaseOrder, "1")] == ["cancelled"]
    assert company.level("cup", "hamburg") == ("3", "3")
    company.settle()


def test_without_an_address_nothing_is_drafted_until_a_change_brings_it(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    waiting = company.order("1", company.line("1", "cup", "2"), ship_to=None)

    events = company.receive(waiting)

    assert "fulfillment_order.opened" in company.names(events)
    assert "shipment.drafted" not in company.names(events)

    paid = company.order("1", company.line("1", "cup", "2"))
    events = company.hear("order.change_received", paid, order_id="order-1")

    assert "shipment.drafted" in company.names(events)
    assert company.level("cup", "hamburg") == ("5", "2")
