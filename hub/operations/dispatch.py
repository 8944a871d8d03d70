"""Goods leave: promised stock is consumed, the order's counters rise, whoever was asked is done.

A label dispatches at once (setting `ship.auto_dispatch`, on by default), a supplier's or 3PL's advice always;
otherwise a person asks with `shipment.dispatch_requested`. What left cannot be undone: it comes back as a return.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.money import ZERO
from hub.domain.order import Fulfillment, Order
from hub.domain.purchase import PurchaseOrder
from hub.domain.shipment import FulfillmentLine, FulfillmentOrder, Shipment
from hub.domain.stock import Item, Location, Reservation
from hub.operations.allocate import STOCKLESS
from hub.operations.configured import places, setting
from hub.operations.stock_moves import announce_stock, move
from hub.pipeline.services import Operation
from hub.ports.records import Unit

LEAVES_FROM = ("draft", "rated", "label_purchased", "manifested")


@dataclass(frozen=True, kw_only=True)
class _Context:
    """All that a batch of dispatches touches, read once."""

    unit: Unit
    orders: dict[str, Order]
    held: dict[str, list[Reservation]]
    asked: dict[str, FulfillmentOrder]
    bought: dict[str, PurchaseOrder]
    items: dict[str, Item]
    places: dict[str, Location]
    shipped: dict[tuple[str, str], Decimal]
    """(order, line number) -> how much left in this batch."""


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Dispatch every shipment that is ready, once."""
    at_once = setting(unit.config, "ship.auto_dispatch", True)
    wanted = dict.fromkeys(event.subject_id for event in events if at_once or event.name != "shipment.labelled")
    found = unit.load(Shipment, wanted)
    leaving = [found[each] for each in wanted if each in found and found[each].state in LEAVES_FROM]
    if not leaving:
        return
    context = _context(unit, leaving)
    moved = {item_id for shipment in leaving for item_id in _leave(context, shipment)}
    for order_id in dict.fromkeys(shipment.order_id for shipment in leaving):
        _count(context, context.orders[order_id])
    for shipment in leaving:
        unit.emit(
            "shipment.dispatched",
            order_id=shipment.order_id,
            subject_kind="shipment",
            subject_id=shipment.id,
            partner=shipment.partner,
            detail={"number": shipment.number},
        )
    announce_stock(unit, moved)


def _context(unit: Unit, leaving: Sequence[Shipment]) -> _Context:
    order_ids = {shipment.order_id for shipment in leaving}
    orders = unit.load(Order, order_ids)
    held = {
        order_id: [each for each in found if each.state == "held"]
        for order_id, found in unit.below(Reservation, order_ids).items()
    }
    unit.stock({each.item_id for found in held.values() for each in found})
    return _Context(
        unit=unit,
        orders=orders,
        held=held,
        asked=unit.load(FulfillmentOrder, {each.fulfillment_order_id for each in leaving} - {""}),
        bought=unit.load(PurchaseOrder, {each.purchase_order_id for each in leaving} - {""}),
        items=unit.items({line.item_id for order in orders.values() for line in order.lines} - {""}),
        places=places(unit.config),
        shipped={},
    )


def _leave(context: _Context, shipment: Shipment) -> set[str]:
    """Consume what was promised for a shipment and return the items that moved."""
    moved: set[str] = set()
    for line in shipment.lines:
        key = (shipment.order_id, line.line_no)
        context.shipped[key] = context.shipped.get(key, ZERO) + line.quantity
        left = _consume(context, shipment, line)
        if left < line.quantity:
            moved.add(line.item_id)
        if left > 0 and shipment.fulfillment_order_id:
            _beyond_promise(context, shipment, line, left)
    _done(context, shipment)
    context.unit.put(replace(shipment, state="handed_over", dispatched_at=shipment.dispatched_at or context.unit.now))
    return moved


def _consume(context: _Context, shipment: Shipment, line: FulfillmentLine) -> Decimal:
    """Turn held reservations of this line into sales; return what no reservation covers."""
    rest = line.quantity
    kept: list[Reservation] = []
    for each in context.held.get(shipment.order_id, ()):
        if rest > 0 and each.line_no == line.line_no and _is_from(context, shipment, each.location_id):
            taken = min(rest, each.quantity)
            rest -= taken
            kept += _used(context.unit, each, taken)
        else:
            kept.append(each)
    context.held[shipment.order_id] = kept
    return rest


def _is_from(context: _Context, shipment: Shipment, location_id: str) -> bool:
    if asked := context.asked.get(shipment.fulfillment_order_id):
        return asked.target == location_id
    bought = context.bought.get(shipment.purchase_order_id)
    place = context.places.get(location_id)
    return bought is not None and place is not None and place.connection == bought.supplier


def _used(unit: Unit, reservation: Reservation, taken: Decimal) -> list[Reservation]:
    """Write a consumed reservation; where only a part left, the rest stays held."""
    move(unit, reservation, "sale", on_hand=-taken, reserved=-taken)
    if taken == reservation.quantity:
        unit.put(replace(reservation, state="consumed"))
        return []
    rest = replace(reservation, quantity=reservation.quantity - taken)
    unit.put(rest)
    unit.put(replace(reservation, id=unit.new_id(), version=0, quantity=taken, state="consumed"))
    return [rest]


def _beyond_promise(context: _Context, shipment: Shipment, line: FulfillmentLine, quantity: Decimal) -> None:
    """More left than was promised: take it off what is free, and have a person count."""
    unit, target = context.unit, context.asked[shipment.fulfillment_order_id].target
    for level in unit.stock([line.item_id]):
        gone = min(quantity, level.on_hand - level.reserved)
        if level.location_id == target and gone > 0:
            here = Reservation(id="", order_id=shipment.order_id, line_no=line.line_no, item_id=line.item_id,
                               location_id=target, quantity=gone)  # fmt: skip
            move(unit, here, "sale", on_hand=-gone, reason="shipped beyond what was promised")
    unit.incident(
        Incident(
            fingerprint=f"shipped_more/{shipment.order_id}/{line.line_no}",
            kind="value",
            severity="warning",
            title=f"order {shipment.order_number}: {quantity} more of line {line.line_no} left than was promised",
            next_action="count the item at the place it left from, and agree with the buyer what becomes of it",
            subject_kind="shipment",
            subject_id=shipment.id,
        )
    )


def _done(context: _Context, shipment: Shipment) -> None:
    """Note on the fulfillment order or purchase order what left."""
    sums: dict[str, Decimal] = {}
    for line in shipment.lines:
        sums[line.line_no] = sums.get(line.line_no, ZERO) + line.quantity
    if asked := context.asked.get(shipment.fulfillment_order_id):
        lines = tuple(replace(x, shipped=x.shipped + sums.get(x.line_no, ZERO)) for x in asked.lines)
        whole = all(x.shipped >= x.quantity for x in lines)
        asked = replace(asked, lines=lines, status="closed" if whole else "in_progress")
        context.asked[asked.id] = asked
        context.unit.put(asked)
    if bought := context.bought.get(shipment.purchase_order_id):
        items = tuple(replace(x, shipped=x.shipped + sums.get(x.line_no, ZERO)) for x in bought.lines)
        whole = all(x.shipped >= x.quantity - x.rejected for x in items)
        bought = replace(bought, lines=items, state="shipped" if whole else "partially_shipped")
        context.bought[bought.id] = bought
        context.unit.put(bought)


def _count(context: _Context, order: Order) -> None:
    lines = tuple(
        replace(line, shipped=line.shipped + more) if (more := context.shipped.get((order.id, line.line_no))) else line
        for line in order.lines
    )
    sent = replace(order, lines=lines)
    context.unit.put(replace(sent, fulfillment=axis(sent, context.items)))


def axis(order: Order, items: dict[str, Item]) -> Fulfillment:
    """Return the fulfilment axis from the counters of the lines that ship at all."""
    goods = [x for x in order.lines if ships(x.item_id, items) and x.fulfil_by != "digital" and x.ordered > x.cancelled]
    if goods and all(line.shipped >= line.ordered - line.cancelled for line in goods):
        return "fulfilled"
    return "partially_fulfilled" if any(line.shipped for line in order.lines) else "unfulfilled"


def ships(item_id: str, items: dict[str, Item]) -> bool:
    """Say whether an item is goods rather than a service or a file."""
    return item_id not in items or items[item_id].kind not in STOCKLESS


OPERATION = Operation(
    name="dispatch", on=("shipment.labelled", "shipment.advised", "shipment.dispatch_requested"), run=run
)
