"""An order is cancelled until a closing document exists: a dispatched shipment, or work a supplier accepted.

Undoes what allocation and fulfilment did; each who was asked is told. Afterwards the request is declined, with why.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.money import ZERO
from hub.domain.order import Order
from hub.domain.purchase import PurchaseOrder
from hub.operations.allocate import release
from hub.operations.fulfil import withdraw
from hub.operations.stock_moves import announce_stock
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Cancel or decline, once per order."""
    asked = {event.order_id: event for event in events}
    orders = {key: order for key, order in unit.load(Order, asked).items() if order.cancellation != "confirmed"}
    if not orders:
        return
    reasons = closing(unit, orders)
    going = [order for order in orders.values() if order.id not in reasons]
    ids = [order.id for order in going]
    if ids:
        announce_stock(unit, release(unit, ids, "cancellation"), risen=True)
    for order in going:
        _cancel(unit, order, asked[order.id])
    if ids:
        withdraw(unit, ids)
    for order_id, reason in reasons.items():
        _decline(unit, orders[order_id], asked[order_id], reason)


def closing(unit: Unit, orders: dict[str, Order]) -> dict[str, str]:
    """Return order id -> why it can no longer be undone."""
    found = {key: "a shipment has left" for key, order in orders.items() if any(line.shipped for line in order.lines)}
    for order_id, purchases in unit.below(PurchaseOrder, orders).items():
        for each in purchases:
            if each.state != "cancelled" and each.acknowledgement in ("accepted", "accepted_with_changes"):
                found.setdefault(order_id, f"{each.supplier} accepted {each.number}")
    return found


def _cancel(unit: Unit, order: Order, event: Event) -> None:
    lines = tuple(replace(line, cancelled=line.ordered, allocated=ZERO, backordered=ZERO) for line in order.lines)
    unit.put(replace(order, lines=lines, cancellation="confirmed", amending=False))
    _say(unit, "order.cancelled", order, event, "")
    if any(line.invoiced for line in order.lines):
        unit.incident(
            Incident(
                fingerprint=f"credit_due/{order.id}",
                kind="value",
                title=f"order {order.number} was invoiced and is now cancelled",
                next_action="issue the credit note and pay back what was paid",
                connection=order.source.connection,
                partner=order.partner,
                subject_kind="order",
                subject_id=order.id,
            )
        )


def _decline(unit: Unit, order: Order, event: Event, reason: str) -> None:
    unit.put(replace(order, cancellation="declined"))
    _say(unit, "order.cancel_declined", order, event, reason)


def _say(unit: Unit, name: str, order: Order, event: Event, reason: str) -> None:
    unit.emit(
        name,
        order_id=order.id,
        subject_kind="order",
        subject_id=order.id,
        message_id=event.message_id,
        partner=order.partner,
        detail={"reason": reason} if reason else None,
    )


OPERATION = Operation(name="cancel", on=("order.cancel_received", "order.cancel_requested"), run=run)
