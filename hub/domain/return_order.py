"""Goods that a buyer wants to give back, and what is answered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from hub.domain.order import Skus
from hub.domain.party import Address, Party
from hub.domain.trade_document import TradeDocument


class ReturnLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of an item is to come back, why, and what is decided about it."""

    line_no: str
    quantity: Decimal
    unit: str = "EA"
    sku: Skus = Skus()
    item_id: str = ""
    description: str = ""
    unit_price: Decimal | None = None
    reason: str = ""
    """damaged, defective, wrong_item, overstock, not_wanted, recalled; other codes as they came."""
    disposition: str = ""
    """return, destroy, repair, credit_only, replace; other codes as they came."""
    decision: Literal["", "accepted", "rejected"] = ""
    note: str = ""


class ReturnOrder(TradeDocument, frozen=True, kw_only=True, omit_defaults=True):
    """A return merchandise authorisation, asked for or answered (X12 180, EDIFACT RETANN and RETINS)."""

    status: Literal["requested", "authorized", "declined", "announced", "cancelled"] = "requested"
    authorization: str = ""
    """Number that the seller gave the return (RMA)."""
    order_number: str = ""
    invoice_number: str = ""
    issued_on: date | None = None
    return_by: date | None = None
    currency: str = ""
    reason: str = ""
    buyer: Party | None = None
    seller: Party | None = None
    return_to: Address | None = None
    ship_from: Address | None = None
    notes: tuple[str, ...] = ()
    lines: tuple[ReturnLine, ...] = ()
