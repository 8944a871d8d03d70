"""An order that nothing holds is accepted; one that a person refuses is rejected."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.order import Order
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Accept, reject, or let go on what was accepted before it was held."""
    orders = unit.load(Order, [event.order_id for event in events])
    for event in events:
        order = orders.get(event.order_id)
        if order is None or order.cancellation == "confirmed" or order.acceptance == "rejected":
            continue
        if order.open_holds and event.name != "order.reject_requested":
            continue
        after, name = _decided(order, event)
        if after is not order:
            unit.put(after)
            orders[order.id] = after
        if name:
            unit.emit(name, order_id=order.id, subject_kind="order", subject_id=order.id, partner=order.partner)


def _decided(order: Order, event: Event) -> tuple[Order, str]:
    if event.name == "order.reject_requested":
        refused = order.acceptance != "accepted"
        return (replace(order, acceptance="rejected"), "order.rejected") if refused else (order, "")
    if order.acceptance == "accepted":
        return order, "" if event.name == "order.received" else "order.resumed"
    return replace(order, acceptance="accepted"), "order.accepted"


OPERATION = Operation(
    name="accept", on=("order.received", "order.released", "order.changed", "order.reject_requested"), run=run
)
