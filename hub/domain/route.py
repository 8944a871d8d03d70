"""Which event goes out, as what, to whom."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

DeliveryState = Literal[
    "planned", "begun", "delivered", "acknowledged", "refused", "in_doubt", "parked", "dead", "superseded", "skipped"
]


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule: when `on` happens, `send` this document to connection `to` (`origin` = where the order came from)."""

    name: str
    on: str
    to: str
    send: str
    origin: str = ""
    """Only for orders from this connection; empty means any."""
    lane: str = "document"
    active: bool = True


class ExpectedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """An acknowledgement that they owe us for a delivery, and until when."""

    delivery_id: str
    subject_id: str = ""
    kind: str
    """997, 999, TA1, CONTRL; or the set that answers the document itself, such as 855."""
    due_at: datetime
    connection: str = ""
    partner: str = ""
    state: str = "due"
    """due, overdue, received, refused."""
    detail: str = ""


class Leg(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event that goes to one connection as one document."""

    connection: str
    send: str
    subject_kind: str
    subject_id: str
    event_id: str
    order_id: str = ""
    order_key: str = ""
    route: str = ""
    lane: str = "document"
    partner: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A leg on its way. Its id is the idempotency key of every attempt."""

    id: str
    leg: Leg
    state: DeliveryState = "planned"
    attempts: int = 0
    message_id: str = ""
    reference: str = ""
    problem: str = ""
