"""Items, places and what lies there."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from hub.domain.money import ZERO
from hub.domain.party import Address

ItemKind = Literal["simple", "bundle", "service", "digital", "made_to_order"]
MovementKind = Literal[
    "receipt", "sale", "allocation", "release", "cancellation", "adjustment", "count", "transfer", "return", "scrap"
]
LocationKind = Literal["warehouse", "store", "supplier", "3pl", "production", "in_transit"]
ReservationState = Literal["requested", "held", "committed", "consumed", "released", "expired"]


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that can be sold, made or moved; `sku` is ours and unique."""

    id: str
    sku: str
    name: str = ""
    gtin: str = ""
    kind: ItemKind = "simple"
    supplier: str = ""
    """Connection of the dropship supplier that fulfils it where no location has stock."""
    cost: Decimal | None = None
    weight_grams: int | None = None
    reorder_point: Decimal | None = None
    """Below this much available and incoming, the item is reported as low."""
    extensions: dict[str, Any] = {}


class Listing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a connection or partner calls an item."""

    connection: str
    sku: str
    item_id: str
    external_id: str = ""
    buffer: Decimal = ZERO
    cap: Decimal | None = None


class Location(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place that holds stock or fulfils; a lower `priority` is asked first where distance says nothing."""

    id: str
    code: str
    name: str = ""
    kind: LocationKind = "warehouse"
    address: Address = Address()
    priority: int = 100
    connection: str = ""
    """Connection that works here: a 3PL or warehouse system; for a supplier's place, the supplier's connection."""
    carrier: str = ""
    """Connection of the carrier that makes labels for what leaves here; empty means the setting `ship.carrier`."""
    dispatch: Literal["automatic", "manual"] = "automatic"
    """automatic: a fulfillment order here becomes a shipment draft at once, where a carrier is known."""


class StockLevel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one location has of one item. `source_at` is the newest source time applied to it."""

    item_id: str
    location_id: str
    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    incoming: Decimal = ZERO
    safety_stock: Decimal = ZERO
    source_at: datetime | None = None

    @property
    def available(self) -> Decimal:
        """Return what may still be promised: never below zero by construction."""
        return self.on_hand - self.reserved - self.safety_stock


class StockMovement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One append-only change; the sums of the deltas are the level."""

    id: str
    item_id: str
    location_id: str
    kind: MovementKind
    on_hand_delta: Decimal = ZERO
    reserved_delta: Decimal = ZERO
    incoming_delta: Decimal = ZERO
    order_id: str = ""
    reason: str = ""
    at: datetime


class Reservation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Stock promised to one order line at one location; while it is only requested, no location has it."""

    id: str
    order_id: str
    line_no: str
    item_id: str
    location_id: str
    quantity: Decimal
    state: ReservationState = "held"
    version: int = 0

    @property
    def number(self) -> str:
        """Return what it is searched by: the item that it waits for."""
        return self.item_id if self.state == "requested" else ""


class StockReportLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of an item somebody has."""

    sku: str
    quantity: Decimal
    item_id: str = ""
    location: str = ""
    external_id: str = ""
    buyer_sku: str = ""
    gtin: str = ""
    unit: str = "EA"
    description: str = ""


class StockReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A count of stock, coming in (a supplier, an ERP) or going out to a channel (X12 846, EDIFACT INVRPT)."""

    number: str = ""
    """The sender's number of the report, where there is one."""
    lines: tuple[StockReportLine, ...] = ()
    id: str = ""
    version: int = 0
    partner: str = ""
    connection: str = ""
    at: datetime | None = None
    location: str = ""
    complete: bool = False
    """True where items that are not listed are at zero."""
    extensions: dict[str, Any] = {}
