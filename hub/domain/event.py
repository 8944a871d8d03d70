"""What happened: the timeline of an order, and what routes listen to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened to an order or another record, at an instant, for a stated reason.

    Names are `<kind>.<past participle>`: order.received, order.accepted, order.held, shipment.dispatched,
    invoice.issued, stock.changed. `subject` is the record the event is about, `origin` the connection
    whose message caused it (empty where the hub decided itself).
    """

    id: str
    name: str
    at: datetime
    order_id: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    origin: str = ""
    message_id: str = ""
    partner: str = ""
    detail: dict[str, Any] = {}
