"""Goods that are on their way to a place, and goods that arrived."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from hub.domain.money import ZERO
from hub.domain.order import Skus
from hub.domain.party import Address, Party
from hub.domain.trade_document import TradeDocument


class TransferLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of an item is on its way."""

    line_no: str
    quantity: Decimal
    unit: str = "EA"
    sku: Skus = Skus()
    item_id: str = ""
    description: str = ""
    lot: str = ""


class StockTransfer(TradeDocument, frozen=True, kw_only=True, omit_defaults=True):
    """Goods of one owner on their way to a warehouse (UBL DespatchAdvice, X12 943, EDIFACT DESADV).

    `location` is the code of the place they go to, where the sender names one of ours.
    """

    order_number: str = ""
    """Whoever owns the goods calls the transfer so; the receipt advice repeats it."""
    shipped_on: date | None = None
    expected_on: date | None = None
    carrier: str = ""
    location: str = ""
    owner: Party | None = None
    ship_from: Address | None = None
    ship_to: Address | None = None
    lines: tuple[TransferLine, ...] = ()


class ReceivedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of an item arrived. Of `received`, `damaged` and `refused` are not for sale; `missing` never arrived."""

    line_no: str
    received: Decimal
    advised: Decimal | None = None
    """How much was said to be on its way, where the receiver repeats it."""
    damaged: Decimal = ZERO
    refused: Decimal = ZERO
    missing: Decimal = ZERO
    surplus: Decimal = ZERO
    """How much of `received` is more than was advised."""
    unit: str = "EA"
    sku: Skus = Skus()
    item_id: str = ""
    description: str = ""
    lot: str = ""
    package: str = ""
    """SSCC of what it came in."""
    reason: str = ""
    """Why not all of it is good, in the sender's words or code."""

    @property
    def usable(self) -> Decimal:
        """Return how much of it can be sold."""
        return max(ZERO, self.received - self.damaged - self.refused)


class ReceiptAdvice(TradeDocument, frozen=True, kw_only=True, omit_defaults=True):
    """What arrived, and in which condition (UBL ReceiptAdvice, X12 861 and 944, EDIFACT RECADV).

    Two documents have this shape. `receipt_advice`: our buyer says what arrived of our shipment. `goods_receipt`: a
    warehouse says what arrived at a place where our stock lies, and the stock rises by it.
    """

    purpose: Literal["original", "replace", "cancel"] = "original"
    order_number: str = ""
    """The buyer's order, or what the owner of the goods calls the transfer."""
    shipment_number: str = ""
    issued_on: date | None = None
    arrived_on: date | None = None
    location: str = ""
    """Code of the place they arrived at."""
    carrier: str = ""
    buyer: Party | None = None
    seller: Party | None = None
    ship_from: Address | None = None
    ship_to: Address | None = None
    lines: tuple[ReceivedLine, ...] = ()
