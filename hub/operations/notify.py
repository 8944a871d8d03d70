"""Ask that the customer is told, where notifications are on and the order says how to reach them.

Settings of the hub, a partner or a connection: `notify.enabled`, and `notify.connection`, which sends. Each kind of
notification is an event of its own, so that a route for it names the document: `on = "notification.order_accepted"`,
`to = "target"`, `send = "order_accepted"`. Who is told, and in which language, is the order's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.order import Order
from hub.domain.shipment import Shipment
from hub.operations.configured import setting_for
from hub.pipeline.services import Operation
from hub.ports.records import Unit

TOLD: Mapping[str, str] = {
    "order.accepted": "notification.order_accepted",
    "shipment.dispatched": "notification.shipment_dispatched",
}
"""What happened -> the event that asks to tell it; the word after the point is the template's name."""


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Emit a notification about the event's own subject; a shipment is given the customer's address and language."""
    orders = unit.load(Order, {event.order_id for event in events})
    wanted = [event for event in events if event.order_id in orders and _is_told(unit, orders[event.order_id])]
    shipments = unit.load(Shipment, [event.subject_id for event in wanted if event.subject_kind == "shipment"])
    for event in wanted:
        order = orders[event.order_id]
        if event.subject_id in shipments:
            unit.put(_addressed(shipments[event.subject_id], order))
        unit.emit(
            TOLD[event.name],
            order_id=order.id,
            subject_kind=event.subject_kind,
            subject_id=event.subject_id,
            partner=order.partner,
            detail={"target": setting_for(unit.config, order, "notify.connection", "")},
        )


def _is_told(unit: Unit, order: Order) -> bool:
    return bool(address_of(order)) and bool(setting_for(unit.config, order, "notify.enabled", False))


def address_of(order: Order) -> str:
    """Return the mail address of an order's customer: the buyer's, else that of who receives it; empty without one."""
    places = (order.buyer, order.ship_to, order.bill_to)
    return next((place.email for place in places if place is not None and place.email), "")


def _addressed(shipment: Shipment, order: Order) -> Shipment:
    """Return the shipment with what a mail about it needs, so that it can be written from the shipment alone."""
    needed = {
        "buyer_email": address_of(order),
        "buyer_language": order.buyer.language if order.buyer else "",
        "no_notifications": order.extensions.get("no_notifications"),
    }
    return replace(shipment, extensions={**shipment.extensions, **{key: x for key, x in needed.items() if x}})


OPERATION = Operation(name="notify", on=tuple(TOLD), run=run)
