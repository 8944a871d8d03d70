"""An order changes while nothing of it left: what was allocated is given back, and the new order is allocated.

A change document names the lines it changes, and may say of each what becomes of it; a newer version of the whole order
replaces them all. Too late, and a person decides. What either says of payment counts in any case.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.money import ZERO
from hub.domain.order import Hold, Order, OrderLine, Skus, Totals
from hub.operations.allocate import release
from hub.operations.cancel import closing
from hub.operations.fulfil import withdraw
from hub.operations.pay import announce, let_go, observed
from hub.operations.stock_moves import announce_stock
from hub.pipeline.services import Operation
from hub.ports.records import Unit

FOUND = ("unmapped_sku", "totals_mismatch")
"""Holds that come from looking at a document, so that each document brings its own."""


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Apply changes in the order they came; `order.changed` follows, or an incident where it is too late."""
    said = [(e, given) for e in events if isinstance(given := unit.attached.get(e.id), Order)]
    orders = unit.load(Order, [event.order_id for event, _ in said])
    said = [(event, given) for event, given in said if event.order_id in orders]
    late = _too_late_for(unit, orders)
    ids = [order_id for order_id in dict.fromkeys(event.order_id for event, _ in said) if order_id not in late]
    if ids:
        announce_stock(unit, release(unit, ids, "release"), risen=True)
        withdraw(unit, ids)
    for event, given in said:
        before = orders[event.order_id]
        after = _paid(unit, before, given)
        if before.id not in late:
            after = let_go(unit, _changed(after, given))
        if after is not before:
            unit.put(after)
            orders[before.id] = after
    for event, _ in said:
        order = orders[event.order_id]
        _decline(unit, event, order, late[order.id]) if order.id in late else _say(unit, "order.changed", event, order)


def _paid(unit: Unit, order: Order, given: Order) -> Order:
    after = observed(order, given)
    announce(unit, order, after)
    return after


def _too_late_for(unit: Unit, orders: dict[str, Order]) -> dict[str, str]:
    """Return order id -> why it cannot change any more."""
    late = closing(unit, orders) if orders else {}
    for order in orders.values():
        if order.cancellation == "confirmed":
            late.setdefault(order.id, "it is cancelled")
        elif any(line.invoiced for line in order.lines):
            late.setdefault(order.id, "it is invoiced")
    return late


def _changed(order: Order, given: Order) -> Order:
    """Return the order as it is wanted now; identity, axes and history stay."""
    whole = given.purpose != "change"
    return replace(
        order,
        lines=_lines(order, given, whole),
        holds=(*_holds(order, given), *_of_unknown_lines(order, given)),
        ship_to=given.ship_to or order.ship_to,
        bill_to=given.bill_to or order.bill_to,
        buyer=given.buyer or order.buyer,
        requested=given.requested if whole or given.requested != type(given.requested)() else order.requested,
        charges=given.charges if whole or given.charges else order.charges,
        discounts=given.discounts if whole or given.discounts else order.discounts,
        taxes=given.taxes if whole or given.taxes else order.taxes,
        totals=_totals(order, given, whole),
        totals_proof=given.totals_proof if whole or given.totals_proof else order.totals_proof,
        notes=given.notes or order.notes,
        release=given.release or order.release,
        source_updated_at=given.source_updated_at or order.source_updated_at,
        amending=False,
    )


def _totals(order: Order, given: Order, whole: bool) -> Totals:
    """Return the totals as stated; where single lines changed and nobody says the new total, there is none."""
    if whole or given.totals.grand is not None:
        return given.totals
    return replace(order.totals, lines=None, grand=None) if any(line.change for line in given.lines) else order.totals


def _of_unknown_lines(order: Order, given: Order) -> tuple[Hold, ...]:
    """Return a hold for each line that should change or go and that the order does not have."""
    known = {line.line_no for line in order.lines}
    lost = [x.line_no for x in given.lines if x.line_no not in known and x.change in ("changed", "deleted")]
    return tuple(
        Hold(code="partner", path="lines", value=number, reason=f"a change speaks of line {number}, which is not there")
        for number in lost
    )


def _holds(order: Order, given: Order) -> tuple[Hold, ...]:
    """Return the holds of both; one that the document brings again stays as it is, also where a person released it."""
    kept = tuple(hold for hold in order.holds if not _is_found_again(hold))
    known = {(hold.code, hold.path, hold.value) for hold in kept if hold.code not in FOUND}
    return (*kept, *(hold for hold in given.holds if (hold.code, hold.path, hold.value) not in known))


def _is_found_again(hold: Hold) -> bool:
    return hold.released_at is None and hold.code in FOUND


def _lines(order: Order, given: Order, whole: bool) -> tuple[OrderLine, ...]:
    wanted = {line.line_no: line for line in given.lines}
    kept = tuple(
        _merged(line, wanted.pop(line.line_no)) if line.line_no in wanted else _absent(line, whole)
        for line in order.lines
    )
    return (*kept, *(replace(line, change="") for line in wanted.values() if line.change in ("", "added")))


def _absent(line: OrderLine, whole: bool) -> OrderLine:
    """A line that a whole new version leaves out is cancelled; a change leaves it as it is, to be allocated anew."""
    return replace(line, allocated=ZERO, backordered=ZERO, cancelled=line.ordered if whole else line.cancelled)


def _merged(line: OrderLine, given: OrderLine) -> OrderLine:
    item_id = given.item_id or line.item_id
    if not given.change:
        return replace(given, item_id=item_id, allocated=ZERO, backordered=ZERO)
    kept = _absent(line, whole=False)
    if given.change == "unchanged":
        return kept
    if given.change == "deleted" or _is_none(given):
        return replace(kept, cancelled=line.ordered)
    return _as_stated(kept, given, item_id)


def _is_none(given: OrderLine) -> bool:
    """Say whether a changed line is wanted no more: a quantity of zero that was written, not left out."""
    return not given.ordered and bool(given.extensions.get("edi", {}).get("quantity"))


def _as_stated(line: OrderLine, given: OrderLine, item_id: str) -> OrderLine:
    """Return the line with what the change says about it; the rest stays."""
    return replace(
        line,
        item_id=item_id,
        ordered=given.ordered or line.ordered,
        unit=given.unit if given.ordered else line.unit,
        unit_price=given.unit_price or line.unit_price,
        price_basis=given.price_basis if given.unit_price else line.price_basis,
        sku=line.sku if given.sku == Skus() else given.sku,
        description=given.description or line.description,
        discounts=given.discounts or line.discounts,
        taxes=given.taxes or line.taxes,
        ship_by=given.ship_by or line.ship_by,
        pack=given.pack or line.pack,
    )


def _decline(unit: Unit, event: Event, order: Order, why: str) -> None:
    _say(unit, "order.change_declined", event, order, why)
    unit.incident(
        Incident(
            fingerprint=f"change_too_late/{order.id}",
            kind="value",
            severity="warning",
            title=f"order {order.number} should change, but {why}",
            next_action="agree with the buyer on a return, a second order or a credit",
            connection=order.source.connection,
            partner=order.partner,
            subject_kind="order",
            subject_id=order.id,
        )
    )


def _say(unit: Unit, name: str, event: Event, order: Order, reason: str = "") -> None:
    unit.emit(
        name,
        order_id=order.id,
        subject_kind="order",
        subject_id=order.id,
        message_id=event.message_id,
        partner=order.partner,
        detail={"reason": reason} if reason else None,
    )


OPERATION = Operation(name="change", on=("order.change_received",), run=run)
