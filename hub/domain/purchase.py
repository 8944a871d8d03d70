"""What we order from others, and what is answered to an order."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from hub.domain.order import LineChange, Skus
from hub.domain.party import Address, Party

PurchaseState = Literal[
    "draft", "approved", "sent", "receipt_confirmed", "acknowledged", "partially_shipped", "shipped", "invoiced",
    "matched", "closed", "cancelled",
]  # fmt: skip
AckCode = Literal["accepted", "accepted_with_changes", "rejected", "pending"]
LineAckCode = Literal["accepted", "changed", "backordered", "rejected"]


class PurchaseLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line we buy."""

    line_no: str
    item_id: str
    quantity: Decimal
    sku: Skus = Skus()
    description: str = ""
    unit: str = "EA"
    cost: Decimal | None = None
    promised_on: date | None = None
    shipped: Decimal = Decimal(0)
    rejected: Decimal = Decimal(0)
    """What the supplier declined; it is sourced again elsewhere."""


class PurchaseOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order we place with a supplier: dropship for a customer's order, or replenishment."""

    number: str
    supplier: str = ""
    """Connection of the supplier."""
    id: str = ""
    order_id: str = ""
    version: int = 0
    partner: str = ""
    kind: Literal["dropship", "replenishment", "production"] = "dropship"
    fulfillment_order_id: str = ""
    customer_order_number: str = ""
    ordered_on: date | None = None
    currency: str = ""
    ship_to: Address | None = None
    buyer: Party | None = None
    lines: tuple[PurchaseLine, ...] = ()
    state: PurchaseState = "approved"
    acknowledgement: AckCode | None = None
    extensions: dict[str, Any] = {}


class AcknowledgedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one line."""

    line_no: str
    code: LineAckCode
    quantity: Decimal
    """How much of the line the code is about: what is promised, or 0 where it is refused."""
    ordered: Decimal | None = None
    """What the order asked for, where it is known."""
    unit: str = "EA"
    sku: Skus = Skus()
    external_id: str = ""
    description: str = ""
    unit_price: Decimal | None = None
    promised_on: date | None = None
    reason: str = ""
    change: LineChange = ""
    """In the answer to a change: what the change asked for."""


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A business answer to an order: ours to a buyer (855, ORDRSP), or a supplier's to our purchase order.

    `change_acknowledgement` is the same answer to a change of an order (865, ORDRSP); `answers` tells the two apart.
    """

    answers: Literal["order", "order_change"] = "order"
    change_number: str = ""
    """The buyer's number of the change that is answered."""
    number: str = ""
    """Our number for this answer."""
    code: AckCode = "accepted"
    id: str = ""
    order_id: str = ""
    version: int = 0
    partner: str = ""
    order_number: str = ""
    order_external_id: str = ""
    order_placed_on: date | None = None
    purchase_order_number: str = ""
    currency: str = ""
    buyer: Party | None = None
    seller: Party | None = None
    ship_to: Address | None = None
    acknowledged_at: datetime | None = None
    lines: tuple[AcknowledgedLine, ...] = ()
    extensions: dict[str, Any] = {}
