"""The VAT breakdown of an invoice: what is shared out, what rounding leaves, and what is not made up."""

from __future__ import annotations

from decimal import Decimal

from hub.domain.invoice import Invoice, InvoiceLine
from hub.domain.order import Charge, Discount, TaxLine, Totals
from hub.domain.party import Party

SELLER = Party(name="Northwind", kind="self", vat="DE123456788")


def line(amount: str, rate: str | None = None, category: str = "") -> InvoiceLine:
    """A line of one piece."""
    taxes = (TaxLine(amount=Decimal(0), rate=Decimal(rate), category=category),) if rate is not None else ()
    return InvoiceLine(
        line_no="1", quantity=Decimal(1), unit_price=Decimal(amount), amount=Decimal(amount), taxes=taxes
    )


def invoice(*lines: InvoiceLine, tax: str, grand: str, **more: object) -> Invoice:
    """An invoice that states its tax and its total."""
    totals = Totals(tax=Decimal(tax), grand=Decimal(grand))
    return Invoice(number="1", currency="EUR", seller=SELLER, lines=lines, totals=totals, **more)  # type: ignore[arg-type]


def told(found: Invoice) -> list[tuple[str, str, str, str]]:
    """Each subtotal as text."""
    return [(each.category, str(each.rate), str(each.taxable), str(each.amount)) for each in found.vat]


def test_charges_and_discounts_are_shared_out_over_the_rates_and_add_up() -> None:
    found = invoice(
        line("141.90", "0.19"), line("42.00", "0.07"), tax="30.55", grand="218.45",
        charges=(Charge(kind="shipping", amount=Decimal("9.00")),), discounts=(Discount(amount=Decimal("5.00")),),
    )  # fmt: skip

    assert told(found) == [("S", "0.19", "144.98", "27.55"), ("S", "0.07", "42.92", "3.00")]
    assert [(each.is_charge, str(each.amount)) for each in found.vat_allowances] == [
        (True, "6.94"), (True, "2.06"), (False, "3.86"), (False, "1.14"),
    ]  # fmt: skip
    assert found.vat_total == Decimal("30.55")


def test_what_rounding_lines_left_goes_to_the_largest_subtotal() -> None:
    found = invoice(line("10.03", "0.19"), line("5.02", "0.07"), tax="2.28", grand="17.33")

    assert told(found) == [("S", "0.19", "10.03", "1.93"), ("S", "0.07", "5.02", "0.35")]


def test_one_tax_of_the_whole_invoice_is_that_of_its_lines() -> None:
    found = invoice(
        line("100.00"), tax="19.00", grand="119.00", taxes=(TaxLine(amount=Decimal(19), rate=Decimal("0.19")),)
    )

    assert told(found) == [("S", "0.19", "100.00", "19.00")]


def test_a_seller_without_vat_number_and_without_tax_is_outside_the_scope() -> None:
    found = Invoice(
        number="1",
        currency="USD",
        seller=Party(name="Northwind"),
        lines=(line("8.00"),),
        totals=Totals(grand=Decimal(8)),
    )

    assert [(each.category, each.rate, each.exemption) for each in found.vat] == [("O", None, "Not subject to VAT")]


def test_nothing_is_made_up_where_a_rate_is_missing_or_the_tax_does_not_fit() -> None:
    missing = invoice(line("10.00", "0.19"), line("5.00"), tax="1.90", grand="16.90")
    wrong = invoice(line("100.00", "0.19"), tax="7.00", grand="107.00")
    gross = invoice(line("5.95", "0.19"), tax="0.95", grand="5.95")
    vat_payer_without_tax = invoice(line("5.00"), tax="0", grand="5.00")

    for each in (missing, wrong, gross, vat_payer_without_tax):
        assert (each.vat, each.vat_total) == ((), None)
