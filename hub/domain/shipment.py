"""Work for a place, and what left it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from hub.domain.party import Address, Party

FulfillmentStatus = Literal["scheduled", "open", "in_progress", "closed", "incomplete", "cancelled", "on_hold"]
RequestStatus = Literal[
    "unsubmitted", "submitted", "accepted", "rejected", "cancellation_requested", "cancellation_accepted",
    "cancellation_rejected", "closed",
]  # fmt: skip
ShipmentState = Literal[
    "draft", "rated", "label_purchased", "voided", "manifested", "handed_over", "in_transit", "out_for_delivery",
    "delivered", "delivery_failed", "returned_to_sender", "lost",
]  # fmt: skip
TargetKind = Literal["location", "supplier", "production", "3pl"]


class FulfillmentLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of an order line is to be fulfilled here."""

    line_no: str
    item_id: str
    quantity: Decimal
    sku: str = ""
    gtin: str = ""
    buyer_sku: str = ""
    description: str = ""
    external_id: str = ""
    unit: str = "EA"
    unit_price: Decimal | None = None
    shipped: Decimal = Decimal(0)


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place that was considered, with its score and why."""

    target: str
    score: Decimal
    reason: str = ""


class SourcingDecision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why this target: what was considered, and who came second."""

    rules_version: str = ""
    candidates: tuple[Candidate, ...] = ()
    chosen: str = ""
    runner_up: str = ""
    reasons: tuple[str, ...] = ()


class FulfillmentOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of an order that one target is asked to fulfil (X12 940, EDIFACT INSDES).

    One that comes in asks us to be the warehouse: it becomes an order of whoever sent it, see `order_asked`.
    """

    number: str
    id: str = ""
    order_id: str = ""
    target_kind: TargetKind = "location"
    target: str = ""
    """Location id, or the connection of a supplier, production unit or 3PL."""
    lines: tuple[FulfillmentLine, ...] = ()
    version: int = 0
    partner: str = ""
    order_number: str = ""
    """What the buyer calls the order."""
    owner: Party | None = None
    """Whose goods they are."""
    buyer: Party | None = None
    ship_to: Address | None = None
    ship_by: date | None = None
    deliver_by: date | None = None
    carrier: str = ""
    service_level: str = ""
    notes: tuple[str, ...] = ()
    decision: SourcingDecision = SourcingDecision()
    status: FulfillmentStatus = "open"
    request_status: RequestStatus = "unsubmitted"
    extensions: dict[str, Any] = {}


class Package(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parcel or carton; `sscc` is GS1's 18 digits without the (00)."""

    id: str = ""
    sscc: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    weight_grams: int | None = None
    label: str = ""
    """Reference of the message that holds the label."""
    contents: tuple[FulfillmentLine, ...] = ()
    pallet: str = ""
    """SSCC of the pallet that it stands on; empty where it travels by itself."""


class Pallet(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on one pallet (X12 tare)."""

    sscc: str
    packages: tuple[Package, ...]


class TrackingEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One scan, normalised to twelve statuses."""

    status: str
    at: datetime
    place: str = ""
    raw_code: str = ""
    reason: str = ""


class Shipment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods on their way. `order_number`, `buyer_order_number` and `ship_to` are copied to make it self-contained."""

    id: str = ""
    order_id: str = ""
    number: str
    version: int = 0
    partner: str = ""
    fulfillment_order_id: str = ""
    purchase_order_id: str = ""
    """Ours, where a supplier ships."""
    order_number: str = ""
    order_external_id: str = ""
    order_placed_on: date | None = None
    direction: Literal["outbound", "return"] = "outbound"
    carrier: str = ""
    service: str = ""
    ship_from: Address | None = None
    ship_to: Address | None = None
    buyer_name: str = ""
    packages: tuple[Package, ...] = ()
    lines: tuple[FulfillmentLine, ...] = ()
    state: ShipmentState = "draft"
    dispatched_at: datetime | None = None
    estimated_delivery: date | None = None
    delivered_at: datetime | None = None
    tracking: tuple[TrackingEvent, ...] = ()
    cost_quoted: Decimal | None = None
    cost_currency: str = ""
    extensions: dict[str, Any] = {}

    @property
    def pallets(self) -> tuple[Pallet, ...]:
        """Return the pallets with what stands on them, in the order of the packages."""
        found: dict[str, list[Package]] = {}
        for package in self.packages:
            if package.pallet:
                found.setdefault(package.pallet, []).append(package)
        return tuple(Pallet(sscc=sscc, packages=tuple(packages)) for sscc, packages in found.items())

    @property
    def loose_packages(self) -> tuple[Package, ...]:
        """Return the packages that stand on no pallet."""
        return tuple(package for package in self.packages if not package.pallet)
