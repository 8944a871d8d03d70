"""Invoices of ours are booked once, to the cent, on the sale they belong to: stand-in and original alike."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from connectors.tryton import Settings, Tryton
from hub.sdk import Kit, Outgoing, Rejected, Secret
from tests.peers.tryton import Erp

pytest_plugins = ["hub.testing.pytest_plugin", "tests.peers.tryton_fixtures"]

ADDRESS = {"party_name": "Jo Sample", "street_unstructured": "1 Main St", "postal_code": "45402", "city": "Dayton"}
PARTY = {"email": "jo@customer.example", "name": "Jo Sample"}


def opened(erp: Erp, kit: Kit, **given: Any) -> Tryton:
    settings = {"base_url": erp.url, "database": erp.database, "key": Secret(erp.key), "invoices": "ours", **given}
    return Tryton(Settings(**settings), kit)


def out(kind: str, tree: dict[str, Any], key: str) -> Outgoing:
    return Outgoing(key=key, kind=kind, body=json.dumps(tree).encode(), content_type="application/json")


def sold(tryton: Tryton, *lines: tuple[str, int, str]) -> None:
    """Make the sale W-1001."""
    given = [
        {"product": code, "quantity": n, "unit_price": {"__class__": "Decimal", "decimal": p}} for code, n, p in lines
    ]
    address = {**ADDRESS, "country": "US"}
    order = {"reference": "W-1001", "currency": "USD", "party": PARTY, "shipment_address": address, "lines": given}
    tryton.push(out("order", order, "order-1"))


def line(product: str, quantity: str, price: str, amount: str) -> dict[str, Any]:
    found = {"quantity": quantity, "price": price, "amount": amount, "description": product or "shipping"}
    return {**found, "product": product} if product else found


def invoice(total: str, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "type": "380", "reference": "INV-000007", "order": "W-1001", "currency": "USD", "total": total, "party": PARTY,
        "invoice_address": {**ADDRESS, "country": "US"}, "lines": list(lines), **changes,
    }  # fmt: skip


def booked(erp: Erp) -> list[dict[str, Any]]:
    """Return what the books say, oldest first."""
    names = ("number", "state", "reference", "description", "total_amount", "tax_amount", "sales.reference",
             "lines.product.code", "lines.quantity", "lines.amount", "lines.origin", "party.code")  # fmt: skip
    order = base64.urlsafe_b64encode(b'[["id", "ASC"]]').decode()
    fields = "&".join(f"f={name}" for name in names)
    found: list[dict[str, Any]] = erp.rest("GET", f"account.invoice?{fields}&o={order}")
    return found


def amounts(found: dict[str, Any]) -> list[str]:
    return [str(each["amount"]["decimal"]) for each in found["lines"]]


def test_an_invoice_is_booked_once_on_the_sale_that_makes_none_itself(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit)
    sold(tryton, ("WIDGET-001", 2, "12.50"), ("PANEL-A3", 1, "124.50"))
    assert booked(erp) == []
    given = invoice("29.90", line("WIDGET-001", "2", "12.50", "25.00"), line("", "1", "4.90", "4.90"))

    receipts = [tryton.push(out("invoice", given, "key-7")) for _ in range(3)]

    (found,) = booked(erp)
    assert {receipt.reference for receipt in receipts} == {str(found["id"])}
    assert (found["state"], found["reference"], found["description"]) == ("draft", "INV-000007", "key-7")
    assert (found["total_amount"]["decimal"], amounts(found)) == ("29.90", ["25.00", "4.90"])
    assert found["party"]["code"] == "jo@customer.example"
    assert [each["reference"] for each in found["sales"]] == ["W-1001"]
    assert [bool(each["origin"]) for each in found["lines"]] == [True, False]


def test_invoices_of_parts_are_booked_side_by_side(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit)
    sold(tryton, ("WIDGET-001", 3, "12.50"))

    for key, quantity, amount in (("key-1", "2", "25.00"), ("key-2", "1", "12.50")):
        given = invoice(amount, line("WIDGET-001", quantity, "12.50", amount), reference=f"INV-{key}")
        tryton.push(out("invoice", given, key))

    assert [found["total_amount"]["decimal"] for found in booked(erp)] == ["25.00", "12.50"]
    assert [[each["reference"] for each in found["sales"]] for found in booked(erp)] == [["W-1001"]] * 2


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (line("WIDGET-001", "4", "12.50", "48.00"), ["48.00"]),
        (line("WIDGET-001", "3", "12.50", "35.50"), ["37.50", "-2.00"]),
        (line("WIDGET-001", "3", "3.333", "10.00"), ["10.00"]),
    ],
)
def test_what_was_taken_off_a_line_is_kept_to_the_cent(
    erp: Erp, hub_kit: Kit, given: dict[str, Any], lines: list[str]
) -> None:
    opened(erp, hub_kit).push(out("invoice", invoice(given["amount"], given), "key-7"))

    (found,) = booked(erp)
    assert (found["total_amount"]["decimal"], amounts(found)) == (given["amount"], lines)


def test_a_total_that_the_books_see_otherwise_is_refused_and_mended_by_the_next_attempt(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit)
    taxed = line("TAXED-9", "1", "10.00", "10.00")

    with pytest.raises(Rejected, match=r"Tryton comes to 11\.00 and the invoice says 10\.00"):
        tryton.push(out("invoice", invoice("10.00", taxed), "key-7"))
    assert tryton.find(out("invoice", invoice("10.00", taxed), "key-7")) is None

    tryton.push(out("invoice", invoice("11.00", taxed), "key-7"))
    (found,) = booked(erp)
    assert (found["total_amount"]["decimal"], found["tax_amount"]["decimal"]) == ("11.00", "1.00")


def test_an_invoice_is_posted_where_the_settings_say_so(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit, post_invoices=True)
    delivery = out("invoice", invoice("12.50", line("WIDGET-001", "1", "12.50", "12.50")), "key-7")
    assert tryton.find(delivery) is None

    receipt = tryton.push(delivery)

    (found,) = booked(erp)
    assert (found["state"], found["number"]) == ("posted", receipt.reference)
    assert tryton.find(delivery) == tryton.push(delivery) == receipt
    assert len(booked(erp)) == 1


def test_every_unknown_product_is_named_and_nothing_is_booked(erp: Erp, hub_kit: Kit) -> None:
    lines = (line(code, "1", "1.00", "1.00") for code in ("NOPE-1", "WIDGET-001", "NOPE-2"))

    with pytest.raises(Rejected) as caught:
        opened(erp, hub_kit).push(out("invoice", invoice("3.00", *lines), "key-7"))

    assert [(each.path, each.value) for each in caught.value.problems] == [
        ("lines[0].sku", "NOPE-1"), ("lines[2].sku", "NOPE-2"),
    ]  # fmt: skip
    assert booked(erp) == []


def test_a_credit_note_is_not_booked_as_an_invoice(erp: Erp, hub_kit: Kit) -> None:
    given = invoice("1.00", line("WIDGET-001", "1", "1.00", "1.00"), type="381")

    with pytest.raises(Rejected, match="no credit notes"):
        opened(erp, hub_kit).push(out("invoice", given, "key-7"))


def test_where_tryton_makes_the_invoices_ours_are_refused_and_where_we_do_none_is_pulled(
    erp: Erp, hub_kit: Kit
) -> None:
    given = invoice("12.50", line("WIDGET-001", "1", "12.50", "12.50"))

    with pytest.raises(Rejected, match="set it to ours"):
        opened(erp, hub_kit, invoices="theirs").push(out("invoice", given, "key-7"))
    with pytest.raises(Rejected, match="our own would come back"):
        list(opened(erp, hub_kit).pull("invoice", ""))
    assert booked(erp) == []
