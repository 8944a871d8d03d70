"""What we ask money for, and what we answer an order with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec

from hub.domain.money import ZERO
from hub.domain.order import Charge, Discount, Skus, TaxLine, Totals
from hub.domain.party import Address, Party

InvoiceState = Literal[
    "draft", "issued", "transmitted", "acknowledged", "rejected", "partially_paid", "paid", "credited"
]


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
