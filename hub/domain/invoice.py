"""What we ask money for, and what we answer an order with."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from hub.domain.money import ZERO
from hub.domain.order import Charge, Discount, Skus, TaxLine, Totals
from hub.domain.party import Address, Party
from hub.domain.vat import VatAllowance, VatSubtotal, allowances, breakdown, resolved

InvoiceState = Literal[
    "draft", "issued", "transmitted", "acknowledged", "rejected", "partially_paid", "paid", "credited"
]


class PaymentMeans(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How we want to be paid: `code` is UN/EDIFACT 4461 (30 credit transfer, 58 SEPA, 1 not agreed)."""

    code: str
    account: str = ""
    """IBAN, or the account's number."""
    account_name: str = ""
    bank: str = ""
    """BIC."""
    reference: str = ""


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One invoiced line; `amount` is net of line discounts. The amounts of an order's invoices add up to its line."""

    line_no: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    unit: str = "EA"
    sku: Skus = Skus()
    description: str = ""
    taxes: tuple[TaxLine, ...] = ()
    price_basis: Decimal = Decimal(1)
    """The price is for this many units."""

    @property
    def discount(self) -> Decimal | None:
        """Return what the amount is below quantity x price; None where it is not."""
        return self._gross - self.amount if self._gross > self.amount else None

    @property
    def surcharge(self) -> Decimal | None:
        """Return what the amount is above quantity x price; None where it is not."""
        return self.amount - self._gross if self.amount > self._gross else None

    @property
    def _gross(self) -> Decimal:
        coin = Decimal(1).scaleb(min(-2, int(self.amount.as_tuple().exponent)))
        return (self.quantity * self.unit_price / self.price_basis).quantize(coin, rounding=ROUND_HALF_UP)


class Invoice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An invoice (type 380) or credit note (381), self-contained."""

    number: str
    id: str = ""
    order_id: str = ""
    version: int = 0
    partner: str = ""
    type: Literal["380", "381"] = "380"
    issued_on: date | None = None
    due_on: date | None = None
    currency: str = ""
    order_number: str = ""
    order_external_id: str = ""
    order_placed_on: date | None = None
    shipment_id: str = ""
    shipment_number: str = ""
    trigger: Literal["confirmation", "shipment", "delivery", "manual"] = "shipment"
    buyer: Party | None = None
    seller: Party | None = None
    bill_to: Address | None = None
    ship_to: Address | None = None
    lines: tuple[InvoiceLine, ...] = ()
    charges: tuple[Charge, ...] = ()
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    totals: Totals = Totals()
    corrects: str = ""
    state: InvoiceState = "issued"
    paid: Decimal = ZERO
    extensions: dict[str, Any] = {}
    buyer_reference: str = ""
    """What the buyer wants to see on it to find whom it is for."""
    delivered_on: date | None = None
    payment_terms: str = ""
    """In words; `due_on` is the date."""
    payment_means: PaymentMeans | None = None
    notes: tuple[str, ...] = ()

    @property
    def vat_lines(self) -> tuple[InvoiceLine, ...]:
        """Return the lines, each with the one tax that it falls under; none where that is not known of all."""
        outside = not self.taxes and not self.totals.tax and not (self.seller and self.seller.vat)
        taxes = [resolved(line.taxes, self.taxes, outside=outside) for line in self.lines]
        known = [tax for tax in taxes if tax is not None]
        if len(known) < len(self.lines):
            return ()
        return tuple(replace(line, taxes=(tax,)) for line, tax in zip(self.lines, known, strict=True))

    @property
    def vat_allowances(self) -> tuple[VatAllowance, ...]:
        """Return charges and discounts by VAT category."""
        return allowances(self._taxed, self.charges, self.discounts, self.currency)

    @property
    def vat(self) -> tuple[VatSubtotal, ...]:
        """Return the VAT breakdown; none where too little is said, it does not add up, or prices are gross."""
        extras, tax = self.vat_allowances, self.totals.tax or ZERO
        net = sum((amount for _, amount in self._taxed), ZERO)
        more = sum((each.amount if each.is_charge else -each.amount for each in extras), ZERO)
        if self.totals.grand not in (None, net + more + tax):
            return ()
        return breakdown(self._taxed, extras, tax, self.currency)

    @property
    def vat_total(self) -> Decimal | None:
        """Return the VAT of all categories, None where there is no breakdown."""
        found = self.vat
        return sum((each.amount for each in found), ZERO) if found else None

    @property
    def _taxed(self) -> list[tuple[TaxLine, Decimal]]:
        return [(line.taxes[0], line.amount) for line in self.vat_lines]
