"""What somebody sells, and at which prices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from hub.domain.order import Skus
from hub.domain.party import Party
from hub.domain.trade_document import TradeDocument


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One price of an item. `kind`: net, list, retail, promotional, minimum; other codes as they came."""

    amount: Decimal
    kind: str = "net"
    currency: str = ""
    """Empty means the catalogue's."""
    basis: Decimal = Decimal(1)
    """The price is for this many units."""
    unit: str = ""
    minimum: Decimal | None = None
    """It counts from this quantity on."""
    valid_from: date | None = None
    valid_to: date | None = None


class CatalogueLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item that is offered, changed or withdrawn."""

    line_no: str
    action: Literal["", "add", "change", "delete"] = ""
    sku: Skus = Skus()
    item_id: str = ""
    description: str = ""
    brand: str = ""
    unit: str = "EA"
    pack: Decimal | None = None
    """Units in an outer pack."""
    minimum: Decimal | None = None
    """Least quantity that can be ordered."""
    available_from: date | None = None
    available_to: date | None = None
    prices: tuple[Price, ...] = ()


class Catalogue(TradeDocument, frozen=True, kw_only=True, omit_defaults=True):
    """Items and prices (UBL Catalogue, X12 832, EDIFACT PRICAT)."""

    purpose: Literal["original", "change", "replace", "cancel"] = "original"
    issued_on: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    currency: str = ""
    seller: Party | None = None
    buyer: Party | None = None
    lines: tuple[CatalogueLine, ...] = ()
