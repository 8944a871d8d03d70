"""What a mapping writes, its counterpart reads as the same document."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from .samples import document, inward, outward

INVOICES = ["invoice-two-rates", "invoice-reverse-charge"]


@pytest.mark.parametrize("name", INVOICES)
def test_an_invoice_comes_back_as_it_went(name: str) -> None:
    given = document("ubl/invoice.out", f"ubl/{name}.invoice.json")

    assert inward("ubl/invoice.in", outward("ubl/invoice.out", given)) == given


def test_a_credit_note_comes_back_as_it_went() -> None:
    given = document("ubl/credit_note.out", "ubl/credit-note.invoice.json")

    assert inward("ubl/credit_note.in", outward("ubl/credit_note.out", given)) == given


def test_an_order_response_comes_back_to_the_buyer() -> None:
    given = document("ubl/order_response.out", "ubl/order-response-changes.acknowledgement.json")

    found = inward("ubl/order_response.in", outward("ubl/order_response.out", given))

    assert found.purchase_order_number == given.order_external_id
    # UBL's answer to a line knows accepted, changed and refused: what is back-ordered is a change for the buyer.
    codes = [replace(line, code="changed" if line.code == "backordered" else line.code) for line in given.lines]
    assert list(found.lines) == codes
    assert (found.number, found.code, found.acknowledged_at, found.currency) == (
        given.number, given.code, given.acknowledged_at, given.currency,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["despatch-loose", "despatch-two-packs"])
def test_a_despatch_advice_comes_back_to_the_buyer(name: str) -> None:
    given = document("ubl/despatch_advice.out", f"ubl/{name}.shipment.json")

    found = inward("ubl/despatch_advice.in", outward("ubl/despatch_advice.out", given))

    assert found.order_number == given.order_external_id
    assert found.lines == given.lines
    assert _packages(found) == _packages(given)
    assert replace(found, lines=(), packages=()) == replace(
        given, lines=(), packages=(), order_external_id="", state="in_transit"
    )


def _packages(shipment: Any) -> list[tuple[str, str]]:
    return [(each.sscc, each.tracking_number) for each in shipment.packages]


def test_a_purchase_order_is_an_order_for_the_supplier() -> None:
    given = document("ubl/order.out", "ubl/order-dropship.purchase_order.json")

    found = inward("ubl/order.in", outward("ubl/order.out", given))

    assert (found.number, found.placed_on, found.currency) == (given.number, given.ordered_on, given.currency)
    assert found.ship_to == given.ship_to
    assert replace(found.buyer, kind="self") == given.buyer
    assert [(line.line_no, line.ordered, line.unit, line.sku, line.description) for line in found.lines] == [
        (line.line_no, line.quantity, line.unit, line.sku, line.description) for line in given.lines
    ]
    assert [line.unit_price for line in found.lines] == [given.lines[0].cost, 0]


def test_an_idoc_invoice_comes_back_as_it_went() -> None:
    given = document("idoc/invoic.out", "idoc/invoic-shipped.invoice.json")

    found = inward("idoc/invoic.in", outward("idoc/invoic.out", given))

    assert found == replace(
        given, seller=replace(given.seller, kind="supplier"), buyer=replace(given.buyer, kind="self")
    )


def test_an_idoc_order_response_comes_back_to_the_buyer() -> None:
    given = document("idoc/ordrsp.out", "idoc/ordrsp-changes.acknowledgement.json")

    found = inward("idoc/ordrsp.in", outward("idoc/ordrsp.out", given))

    assert (found.purchase_order_number, found.order_placed_on) == (given.order_external_id, given.order_placed_on)
    assert (found.number, found.code, found.acknowledged_at) == (given.number, given.code, given.acknowledged_at)
    codes = [replace(line, code="changed" if line.code == "backordered" else line.code) for line in given.lines]
    assert list(found.lines) == codes


def test_an_idoc_delivery_comes_back_with_what_lies_in_its_packages() -> None:
    given = document("idoc/desadv.out", "idoc/desadv-two-packs.shipment.json")

    found = inward("idoc/desadv.in", outward("idoc/desadv.out", given))

    packages = tuple(replace(each, id=each.sscc) for each in given.packages)
    assert found == replace(given, packages=packages, order_external_id="", state="in_transit")


@pytest.mark.parametrize(
    ("mapping", "sample"),
    [("idoc/orders.out", "orders-dropship.purchase_order.json"), ("idoc/sales_order.out", "sales-order.order.json")],
)
def test_an_idoc_order_is_read_by_who_gets_it(mapping: str, sample: str) -> None:
    given = document(mapping, f"idoc/{sample}")

    found = inward("idoc/orders.in", outward(mapping, given))

    assert (found.number, found.currency, found.ship_to) == (given.number, given.currency, given.ship_to)
    assert replace(found.buyer, kind="self") == replace(given.buyer, kind="self")
    assert [(line.line_no, line.sku, line.unit) for line in found.lines] == [
        (line.line_no, line.sku, line.unit) for line in given.lines
    ]


def test_a_cxml_invoice_comes_back_as_it_went() -> None:
    given = document("cxml/invoice_detail.out", "cxml/invoice-detail.invoice.json")

    found = inward("cxml/invoice_detail.in", outward("cxml/invoice_detail.out", given))

    plain_parties = {role: replace(getattr(given, role), vat="", address=None) for role in ("seller", "buyer")}
    assert found == replace(given, bill_to=None, **plain_parties)


def test_a_cxml_confirmation_comes_back_to_the_buyer() -> None:
    given = document("cxml/confirmation_request.out", "cxml/confirmation-changes.acknowledgement.json")

    found = inward("cxml/confirmation_request.in", outward("cxml/confirmation_request.out", given))

    assert found == replace(given, order_external_id="", order_number="", purchase_order_number=given.order_external_id)


def test_a_cxml_ship_notice_comes_back_to_the_buyer() -> None:
    given = document("cxml/ship_notice.out", "cxml/ship-notice.shipment.json")

    found = inward("cxml/ship_notice.in", outward("cxml/ship_notice.out", given))

    packages = tuple(replace(each, id="", contents=()) for each in given.packages)
    assert found == replace(given, packages=packages, order_external_id="", buyer_name="", state="in_transit")


def test_a_cxml_order_is_read_by_the_supplier() -> None:
    given = document("cxml/order_request.out", "cxml/order-dropship.purchase_order.json")

    found = inward("cxml/order_request.in", outward("cxml/order_request.out", given))

    assert (found.number, found.currency, found.ship_to) == (given.number, given.currency, given.ship_to)
    assert [(line.line_no, line.ordered, line.unit, line.sku) for line in found.lines] == [
        (line.line_no, line.quantity, line.unit, line.sku) for line in given.lines
    ]
