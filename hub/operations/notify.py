"""Ask that the buyer is told, where notifications are on and there is an address to tell them at."""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.event import Event
from hub.domain.order import Order
from hub.operations.configured import setting_for
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Emit `notification.requested` about the event's own subject; the template is the event's name."""
    orders = unit.load(Order, {event.order_id for event in events})
    for event in events:
        order = orders.get(event.order_id)
        if order is None or order.buyer is None or not order.buyer.email:
            continue
        if setting_for(unit.config, order, "notify.enabled", False):
            unit.emit(
                "notification.requested",
                order_id=order.id,
                subject_kind=event.subject_kind,
                subject_id=event.subject_id,
                partner=order.partner,
                detail={"template": event.name, "target": setting_for(unit.config, order, "notify.connection", "")},
            )


OPERATION = Operation(name="notify", on=("order.accepted", "shipment.dispatched"), run=run)
