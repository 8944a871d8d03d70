"""Orders with a doubt wait, each doubt with one incident; a person, or a mended cause, lets them go on.

Undo of a hold is its release: `order.release_requested` with `detail.codes` (none: every hold), `value` and `by`.
An unmapped SKU is released only once an item is found for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.order import Hold, Order, OrderLine
from hub.pipeline.services import Operation
from hub.pipeline.validate import find_items, item_of
from hub.ports.records import Unit

_NEXT = {
    "unmapped_sku": "map the SKU to an item once; every order that waits for it goes on",
    "totals_mismatch": "compare the totals with the sender's, then release the hold or have the order sent again",
    "payment": "look at the payment with the provider, then release the hold or cancel the order",
    "address": "mend the address with the buyer, then release the hold",
}


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Announce the holds of new orders, and release those that were asked for."""
    _hold(unit, [event for event in events if event.name != "order.release_requested"])
    _release(unit, [event for event in events if event.name == "order.release_requested"])


def _hold(unit: Unit, events: Sequence[Event]) -> None:
    orders = unit.load(Order, [event.order_id for event in events])
    for event in events:
        order = orders[event.order_id]
        if not order.open_holds:
            continue
        for hold in order.open_holds:
            unit.incident(_incident(order, hold))
        unit.emit(
            "order.held",
            order_id=order.id,
            subject_kind="order",
            subject_id=order.id,
            partner=order.partner,
            detail={"codes": sorted({hold.code for hold in order.open_holds})},
        )


def cause(order: Order, hold: Hold) -> str:
    """Return the fingerprint of what holds an order: shared where the hold names a value, else the order's own."""
    return f"hold/{hold.code}/{order.partner or order.source.connection}/{hold.value or order.id}"[:300]


def _incident(order: Order, hold: Hold) -> Incident:
    return Incident(
        fingerprint=cause(order, hold),
        kind="missing" if hold.code == "unmapped_sku" else "value",
        severity="warning",
        title=f"{order.source.connection}: order {order.number} waits: {hold.reason}"[:300],
        detail=f"{hold.path}: {hold.reason}" if hold.path else hold.reason,
        next_action=_NEXT.get(hold.code, "look at the order, then release the hold or cancel the order"),
        connection=order.source.connection,
        partner=order.partner,
        subject_kind="order",
        subject_id=order.id,
    )


def _release(unit: Unit, events: Sequence[Event]) -> None:
    if not events:
        return
    orders = unit.load(Order, [event.order_id for event in events])
    looked_up = _with_items(unit, [order for order in orders.values() if order.open_holds])
    for event in events:
        before = looked_up.get(event.order_id)
        if before is None:
            continue
        after, gone = _released(unit, before, event)
        looked_up[event.order_id] = after
        if gone:
            unit.put(after)
            unit.resolve([cause(before, hold) for hold in gone])
            unit.emit(
                "order.released",
                order_id=after.id,
                subject_kind="order",
                subject_id=after.id,
                partner=after.partner,
                detail={"codes": sorted({hold.code for hold in gone}), "by": str(event.detail.get("by", ""))},
            )


def _released(unit: Unit, order: Order, event: Event) -> tuple[Order, list[Hold]]:
    codes, value = event.detail.get("codes"), event.detail.get("value")
    unknown = {sku_of(line) for line in order.lines if not line.item_id}
    holds, gone = [], []
    for hold in order.holds:
        asked = hold.released_at is None and (not codes or hold.code in codes) and (not value or hold.value == value)
        if asked and not (hold.code == "unmapped_sku" and hold.value in unknown):
            gone.append(hold)
            hold = replace(hold, released_at=unit.now, released_by=str(event.detail.get("by", "")))
        holds.append(hold)
    return replace(order, holds=tuple(holds)), gone


def sku_of(line: OrderLine) -> str:
    """Return the SKU a line is asked about by."""
    return line.sku.seller or line.sku.buyer or line.sku.gtin


def _with_items(unit: Unit, orders: Sequence[Order]) -> dict[str, Order]:
    """Look again for the items of lines that have none: three queries per connection."""
    by_connection: dict[str, list[Order]] = {}
    for order in orders:
        by_connection.setdefault(order.source.connection, []).append(order)
    found = {order.id: order for order in orders}
    for name, group in by_connection.items():
        missing = [line for order in group for line in order.lines if not line.item_id]
        connection = unit.config.connections.get(name)
        if connection is None or not missing:
            continue
        known = find_items(unit, connection, missing)
        for order in group:
            lines = tuple(x if x.item_id else replace(x, item_id=item_of(x, known)) for x in order.lines)
            found[order.id] = replace(order, lines=lines)
    return found


OPERATION = Operation(name="hold", on=("order.received", "order.changed", "order.release_requested"), run=run)
