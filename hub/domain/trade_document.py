"""What the documents have in common that trading partners send beside orders, shipments and invoices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class TradeDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document of a partner that is kept as it was said. `number` is the sender's; the rest the hub fills in.

    Mappings fill `number`, the fields of their kind and `extensions`; `apply` sets the others when it stores it.
    """

    number: str = ""
    id: str = ""
    version: int = 0
    partner: str = ""
    connection: str = ""
    """Connection that brought it."""
    message_id: str = ""
    order_id: str = ""
    """Our order that it speaks of, where that is known."""
    state: str = "received"
    """received, or what became of it, such as answered."""
    stored_at: datetime | None = None
    extensions: dict[str, Any] = {}
