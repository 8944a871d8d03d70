"""The one word a person sees, derived from the axes by a fixed precedence."""

from __future__ import annotations

from typing import Literal

from hub.domain.order import Order

Phase = Literal[
    "cancelled", "closed", "delivered", "partially_delivered", "in_transit", "fulfilment_failed", "on_hold",
    "amending", "in_fulfilment", "allocated", "backordered", "accepted", "rejected", "validating", "received", "draft",
]  # fmt: skip


def phase(order: Order, *, in_fulfilment: bool = False, failed: bool = False) -> Phase:
    """Return the phase: the first rule that matches wins (canonical order of precedence)."""
    if order.cancellation == "confirmed":
        return "cancelled"
    if order.closed_at is not None:
        return "closed"
    return _moved(order, failed) or _waiting(order, in_fulfilment) or _accepted(order)


def overlay(order: Order) -> str:
    """Return what must be shown beside the phase: a cancelled order that shipped anyway."""
    shipped = any(line.shipped for line in order.lines)
    return "shipped anyway" if order.cancellation == "confirmed" and shipped else ""


def _moved(order: Order, failed: bool) -> Phase | None:
    if order.fulfillment == "delivered":
        return "delivered"
    if order.fulfillment == "partially_delivered":
        return "partially_delivered"
    if order.fulfillment == "fulfilled":
        return "in_transit"
    return "fulfilment_failed" if failed else None


def _waiting(order: Order, in_fulfilment: bool) -> Phase | None:
    if order.open_holds:
        return "on_hold"
    if order.amending:
        return "amending"
    if in_fulfilment or order.fulfillment == "partially_fulfilled":
        return "in_fulfilment"
    if order.lines and all(line.allocated >= line.ordered - line.cancelled for line in order.lines):
        return "allocated"
    return "backordered" if any(line.backordered for line in order.lines) else None


def _accepted(order: Order) -> Phase:
    names: dict[str, Phase] = {
        "accepted": "accepted",
        "rejected": "rejected",
        "validated": "validating",
        "received": "received",
        "draft": "draft",
    }
    return names[order.acceptance]
