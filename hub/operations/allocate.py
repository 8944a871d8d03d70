"""Promise stock to orders: the batch's rows are locked once, each order is decided in memory, partial amounts count.

What no place holds is bought from the item's supplier; what nobody has is backordered. The undo is `release`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.money import ZERO
from hub.domain.order import Order, OrderLine
from hub.domain.purchase import PurchaseOrder
from hub.domain.stock import Item, MovementKind, Reservation
from hub.operations.configured import is_fulfilled_here, places, setting_for
from hub.operations.plan import Part, Plan
from hub.operations.source import Decide, Free, candidates, source
from hub.operations.stock_moves import announce_stock, move
from hub.pipeline.services import Operation
from hub.ports.records import Unit

STOCKLESS = ("service", "digital")
MOST_WAITING = 1000
"""How many orders that wait are looked at when stock rises; the oldest come first."""
AGAIN = ("order.resumed", "order.source_again", "order.reallocate_requested")


def operation(decide: Decide | None = None) -> Operation:
    """Return the operation; `decide` may choose the place, the built-in ranking answers last."""

    def run(unit: Unit, events: Sequence[Event]) -> None:
        allocate(unit, events, decide)

    return Operation(name="allocate", on=("order.accepted", *AGAIN, "stock.changed"), run=run)


def allocate(unit: Unit, events: Sequence[Event], decide: Decide | None = None) -> None:
    """Allocate what orders still need; `order.allocated` where nothing is missing, else `order.backordered`."""
    orders = _wanting(unit, events)
    if not orders:
        return
    new = {event.order_id for event in events if event.name == "order.accepted"}
    items = unit.items({line.item_id for order in orders for line in order.lines if line.item_id})
    needs = {order.id: [*_needs(order, items)] for order in orders}
    wanted = {line.item_id for parts in needs.values() for line, _ in parts if line.item_id}
    free = Free(unit.stock(wanted), places(unit.config))
    refused = _refusals(unit, [order.id for order in orders if order.id not in new])
    waits = [order.id for order in orders if any(line.backordered for line in order.lines)]
    before = unit.below(Reservation, waits) if waits else {}
    moved: set[str] = set()
    for order in sorted(orders, key=lambda each: -each.priority):
        plan = _plan(unit, order, needs[order.id], free, items, refused.get(order.id, set()), decide)
        moved.update(line.item_id for parts in plan.places.values() for line, _ in parts)
        waited = [x for x in before.get(order.id, ()) if x.state == "requested"]
        _record(unit, order, plan, waited, is_new=order.id in new)
    announce_stock(unit, moved)


def _wanting(unit: Unit, events: Sequence[Event]) -> list[Order]:
    wanted = dict.fromkeys(event.order_id for event in events if event.order_id)
    risen = {item_id for event in events if event.detail.get("risen") for item_id in event.detail["items"]}
    if risen:
        wanted = {**dict.fromkeys(unit.waiting(risen, MOST_WAITING)), **wanted}
    found = unit.load(Order, wanted)
    return [
        order
        for order_id in wanted
        if (order := found.get(order_id)) is not None
        and order.acceptance == "accepted"
        and order.cancellation != "confirmed"
        and not order.open_holds
        and is_fulfilled_here(unit.config, order)
    ]


def _needs(order: Order, items: dict[str, Item]) -> Iterable[Part]:
    for line in order.lines:
        missing = line.ordered - line.cancelled - line.allocated
        item = items.get(line.item_id)
        if missing > 0 and (item is None or item.kind not in STOCKLESS) and line.fulfil_by != "digital":
            yield line, missing


def _refusals(unit: Unit, again: Sequence[str]) -> dict[str, set[tuple[str, str]]]:
    """Return (supplier, line) that were declined before, by order."""
    found: dict[str, set[tuple[str, str]]] = {}
    for order_id, purchases in (unit.below(PurchaseOrder, again) if again else {}).items():
        found[order_id] = {(p.supplier, line.line_no) for p in purchases for line in p.lines if line.rejected > 0}
    return found


def _plan(
    unit: Unit,
    order: Order,
    needs: Sequence[Part],
    free: Free,
    items: dict[str, Item],
    refused: set[tuple[str, str]],
    decide: Decide | None,
) -> Plan:
    sums: dict[str, Decimal] = {}
    for line, quantity in needs:
        if line.fulfil_by == "location":
            sums[line.item_id] = sums.get(line.item_id, ZERO) + quantity
    found = candidates(order, sums, free)
    decision = source(order, found, decide)
    sequence = [decision.chosen] if decision.chosen else []
    if setting_for(unit.config, order, "source.split", True):
        sequence += [each.target for each in found if each.target != decision.chosen]
    plan = Plan(order_id=order.id, decision=decision)
    for line, quantity in needs:
        _place(plan, line, quantity, sequence, free, items.get(line.item_id), refused)
    return plan


def _place(
    plan: Plan,
    line: OrderLine,
    rest: Decimal,
    sequence: Sequence[str],
    free: Free,
    item: Item | None,
    refused: set[tuple[str, str]],
) -> None:
    """Take from the places in turn, then from the item's supplier, and note what is left."""
    for place_id in sequence if line.fulfil_by == "location" else ():
        connection = free.places[place_id].connection if place_id in free.places else ""
        if (connection, line.line_no) in refused:
            continue
        if (taken := free.take(line.item_id, place_id, rest)) > 0:
            plan.places.setdefault(place_id, []).append((line, taken))
            rest -= taken
        if rest <= 0:
            return
    supplier = item.supplier if item is not None else ""
    blind = supplier and supplier not in free.tracked.get(line.item_id, ())
    if blind and (supplier, line.line_no) not in refused:
        plan.suppliers.setdefault(supplier, []).append((line, rest))
    else:
        plan.backordered[line.line_no] = plan.backordered.get(line.line_no, ZERO) + rest


def _record(unit: Unit, order: Order, plan: Plan, waited: Sequence[Reservation], *, is_new: bool) -> None:
    """Write one order's plan: reservations and movements, one put, one event with the plan attached."""
    for place_id, parts in plan.places.items():
        for line, quantity in parts:
            move(unit, _reserve(unit, order.id, line, place_id, quantity), "allocation", reserved=quantity)
    planned = plan.planned()
    lines = tuple(_counted(line, planned, plan.backordered) for line in order.lines)
    if not is_new and not planned and all(after is before for after, before in zip(lines, order.lines, strict=True)):
        return
    unit.put(replace(order, lines=lines))
    for each in waited:
        unit.put(replace(each, state="released"))
    for line in lines:
        if line.backordered and line.item_id:
            _reserve(unit, order.id, line, "", line.backordered)
    event = unit.emit(
        "order.backordered" if plan.backordered else "order.allocated",
        order_id=order.id,
        subject_kind="order",
        subject_id=order.id,
        partner=order.partner,
        detail={"backordered": {n: str(q) for n, q in plan.backordered.items()}} if plan.backordered else None,
    )
    unit.attached[event.id] = plan


def _counted(line: OrderLine, planned: dict[str, Decimal], backordered: dict[str, Decimal]) -> OrderLine:
    more, missing = planned.get(line.line_no, ZERO), backordered.get(line.line_no, ZERO)
    if not more and missing == line.backordered:
        return line
    return replace(line, allocated=line.allocated + more, backordered=missing)


def _reserve(unit: Unit, order_id: str, line: OrderLine, place_id: str, quantity: Decimal) -> Reservation:
    """Put a reservation: held where a place has it, only requested where none has."""
    reservation = Reservation(
        id=unit.new_id(),
        order_id=order_id,
        line_no=line.line_no,
        item_id=line.item_id,
        location_id=place_id,
        quantity=quantity,
        state="held" if place_id else "requested",
    )
    unit.put(reservation)
    return reservation


def release(
    unit: Unit,
    order_ids: Iterable[str],
    kind: MovementKind,
    *,
    only: Callable[[Reservation], bool] | None = None,
) -> set[str]:
    """Undo: give held stock back, and return the items that are free again."""
    found = [each for reservations in unit.below(Reservation, order_ids).values() for each in reservations]
    held = [each for each in found if each.state == "held" and (only is None or only(each))]
    for each in found:
        if each.state == "requested" and only is None:
            unit.put(replace(each, state="released"))
    items = {each.item_id for each in held}
    if held:
        unit.stock(items)
    for each in held:
        unit.put(replace(each, state="released"))
        move(unit, each, kind, reserved=-each.quantity)
    return items
