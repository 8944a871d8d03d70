"""A fulfillment order at a place with automatic dispatch becomes a shipment draft; its carrier is asked for a label.

The undo is `fulfil.withdraw`, which voids a draft that did not leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from hub.domain.event import Event
from hub.domain.order import Order
from hub.domain.shipment import FulfillmentLine, FulfillmentOrder, Package, Shipment
from hub.domain.stock import Item, Location
from hub.operations.configured import places, setting
from hub.operations.sscc import sscc
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Draft one shipment per fulfillment order; `shipment.draft_requested` drafts where a place waits for a person."""
    known = places(unit.config)
    found = unit.load(FulfillmentOrder, [event.subject_id for event in events])
    ready = []
    for event in events:
        asked = found.get(event.subject_id)
        place = known.get(asked.target) if asked is not None else None
        if asked is not None and place is not None and _is_ready(unit, event, asked, place):
            ready.append((asked, place))
    if ready:
        _draft_all(unit, ready)


def _is_ready(unit: Unit, event: Event, asked: FulfillmentOrder, place: Location) -> bool:
    if asked.status not in ("open", "in_progress") or not carrier_of(unit, place):
        return False
    if asked.ship_to is None or not (asked.ship_to.postal_code or asked.ship_to.city):
        return False  # a marketplace shows the address once its customer has paid: the change that brings it drafts
    return event.name == "shipment.draft_requested" or place.dispatch == "automatic"


def carrier_of(unit: Unit, place: Location) -> str:
    """Return the connection that makes labels for a place: its own, else the hub's unless a 3PL works there."""
    return place.carrier or ("" if place.connection else str(setting(unit.config, "ship.carrier", "")))


def _draft_all(unit: Unit, ready: Sequence[tuple[FulfillmentOrder, Location]]) -> None:
    orders = unit.load(Order, [asked.order_id for asked, _ in ready])
    items = unit.items({line.item_id for asked, _ in ready for line in asked.lines})
    first = unit.numbers("shipment", len(ready))
    prefix = str(setting(unit.config, "gs1.company_prefix", ""))
    serial = unit.numbers("sscc", len(ready)) if prefix else 0
    for at, (asked, place) in enumerate(ready):
        code = sscc(prefix, serial + at) if prefix else ""
        _draft(unit, orders[asked.order_id], asked, place, f"SH-{first + at:06d}", _package(unit, asked, code, items))


def _package(unit: Unit, asked: FulfillmentOrder, code: str, items: Mapping[str, Item]) -> Package:
    return Package(id=unit.new_id(), sscc=code, weight_grams=_weight(asked.lines, items), contents=asked.lines)


def _weight(lines: Sequence[FulfillmentLine], items: Mapping[str, Item]) -> int | None:
    total = Decimal(0)
    for line in lines:
        item = items.get(line.item_id)
        if item is None or item.weight_grams is None:
            return None
        total += item.weight_grams * line.quantity
    return int(total)


def _draft(unit: Unit, order: Order, asked: FulfillmentOrder, place: Location, number: str, package: Package) -> None:
    carrier = carrier_of(unit, place)
    shipment = Shipment(
        id=unit.new_id(),
        order_id=order.id,
        number=number,
        partner=order.partner,
        fulfillment_order_id=asked.id,
        order_number=order.number,
        order_external_id=order.external_id,
        order_placed_on=placed_on(order),
        service=order.service_level,
        ship_from=place.address,
        ship_to=asked.ship_to,
        buyer_name=order.buyer.name if order.buyer else "",
        packages=(package,),
        lines=asked.lines,
        extensions={"carrier_connection": carrier},
    )
    unit.put(shipment)
    unit.emit(
        "shipment.drafted",
        order_id=order.id,
        subject_kind="shipment",
        subject_id=shipment.id,
        partner=order.partner,
        detail={"target": carrier, "number": number},
    )


def placed_on(order: Order) -> date | None:
    """Return the day an order was placed, where it is known."""
    return order.placed_on or (order.placed_at.date() if order.placed_at else None)


OPERATION = Operation(name="ship", on=("fulfillment_order.opened", "shipment.draft_requested"), run=run)
