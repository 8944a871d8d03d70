"""What was sold and what is left, by item and place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from hub.domain.order import Skus
from hub.domain.party import Party
from hub.domain.trade_document import TradeDocument


class SalesFigure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure about one item at one place.

    `kind`: sold, returned, on_hand, on_order, in_transit, received, out_of_stock, forecast; other codes as they came.
    """

    quantity: Decimal
    kind: str = "sold"
    unit: str = "EA"
    sku: Skus = Skus()
    item_id: str = ""
    description: str = ""
    location: str = ""
    """Store or place by GLN or by the sender's number; empty means all of them together."""
    unit_price: Decimal | None = None
    amount: Decimal | None = None
    on: date | None = None
    """The day it is about, where it is not the report's period."""


class SalesReport(TradeDocument, frozen=True, kw_only=True, omit_defaults=True):
    """Product activity (X12 852, EDIFACT SLSRPT), for a period of days, both included."""

    begins_on: date | None = None
    ends_on: date | None = None
    currency: str = ""
    location: str = ""
    buyer: Party | None = None
    """Who sells on and reports."""
    seller: Party | None = None
    lines: tuple[SalesFigure, ...] = ()
