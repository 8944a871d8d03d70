"""What the source says was paid becomes the payment axis; a prepaid order waits until it is.

The undo of the wait is the payment itself, or a person who releases the hold. Setting `pay.hold_unpaid`, of the hub, a
partner or a connection: on by default for what customers order from us directly. A marketplace wants its answer before
its customer pays, and shows no address till then.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.money import ZERO
from hub.domain.order import Hold, Order, PaymentState
from hub.domain.payment import paid_so_far, payment_after
from hub.operations.configured import is_fulfilled_here, setting_for
from hub.operations.hold import cause
from hub.pipeline.services import Operation
from hub.ports.records import Unit

OURS = "payment"
"""Path of the holds that this operation places, and who releases them."""
DIRECT = ("web", "phone", "email", "agent", "voice", "manual")
"""Kinds of source whose customers pay us, not somebody who sells for us."""
TAKEN_BACK = ("void", "refunded", "chargeback")
AWAITED = ("unpaid", "partially_paid", *TAKEN_BACK)


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Set the axis of new orders, move it by later copies; `order.paid` says, once, that nothing is due."""
    orders = unit.load(Order, [event.order_id for event in events])
    for event in events:
        before = orders.get(event.order_id)
        if before is None:
            continue
        if event.name == "order.cancelled":
            unit.resolve([_fingerprint(before), *(cause(before, hold) for hold in _awaiting(before))])
            continue
        orders[before.id] = _heard(unit, event, before)


def _heard(unit: Unit, event: Event, before: Order) -> Order:
    """Return the order after an event: its axis moved, its hold placed or released."""
    is_new, given, after = event.name == "order.received", unit.attached.get(event.id), before
    if is_new:
        after = _moved(before, paid_so_far(before))
    elif event.name == "order.payment_reported" and isinstance(given, Order):
        after = observed(before, given)
    # What is under way already is not stopped by a hold: there, money that is gone is for a person.
    may_wait = event.name != "order.payment_reported" or before.acceptance != "accepted"
    settled = let_wait(unit, after) if may_wait else after
    settled = let_go(unit, settled)
    if settled is not before:
        unit.put(settled)
    announce(unit, before, settled, is_new=is_new)
    if event.name == "order.payment_reported" and len(settled.open_holds) < len(before.open_holds):
        _say(unit, "order.released", settled, {"codes": ["payment"], "by": OURS})
    return settled


def observed(order: Order, given: Order) -> Order:
    """Return the order with the payment that a copy of it speaks of; the same order where that is nothing new."""
    state = payment_after(order, given)
    if state == order.payment:
        return order
    totals = order.totals
    if given.totals.paid is not None:
        totals = replace(totals, paid=given.totals.paid, due=given.totals.due)
    seen = given.source_updated_at or order.source_updated_at
    return replace(order, payment=state, totals=totals, source_updated_at=seen)


def let_wait(unit: Unit, order: Order) -> Order:
    """Place the hold of an order whose money is awaited, with its incident, unless a person let it go once."""
    known = any(hold.path == OURS and hold.released_by != OURS for hold in order.holds)
    if known or _awaiting(order) or not _is_awaited(unit, order):
        return order
    hold = Hold(code="payment", path=OURS, reason=_why(order), placed_at=unit.now)
    unit.incident(_waits(order, hold))
    _say(unit, "order.held", order, {"codes": ["payment"]})
    return replace(order, holds=(*order.holds, hold))


def let_go(unit: Unit, order: Order) -> Order:
    """Release what waits for payment: our own holds where money is not awaited, every such hold where it is there."""
    open_ = _awaiting(order)
    if not open_ or order.cancellation == "confirmed" or (order.payment != "paid" and _is_awaited(unit, order)):
        return order
    gone = [hold for hold in open_ if hold.path == OURS or order.payment == "paid"]
    unit.resolve([cause(order, hold) for hold in gone])
    holds = (replace(x, released_at=unit.now, released_by=OURS) if x in gone else x for x in order.holds)
    return replace(order, holds=tuple(holds)) if gone else order


def announce(unit: Unit, before: Order, after: Order, *, is_new: bool = False) -> None:
    """Emit `order.payment_changed` and, where nothing is due any more, `order.paid`; money that is gone is an incident.

    Most refunds come with a cancellation: only one that leaves an order to be shipped is told.
    """
    if after.payment == before.payment and not is_new:
        return
    if not is_new:
        _say(unit, "order.payment_changed", after, {"from": before.payment, "to": after.payment})
    if after.payment == "paid":
        _say(unit, "order.paid", after)
        if before.payment in TAKEN_BACK:
            unit.resolve([_fingerprint(after)])
    elif _is_for_a_person(unit, after):
        unit.incident(_taken_back(after))


def _moved(order: Order, state: PaymentState) -> Order:
    return order if order.payment == state else replace(order, payment=state)


def _is_awaited(unit: Unit, order: Order) -> bool:
    return (
        order.payment in AWAITED
        and order.payment_terms == "prepaid"
        and order.totals.grand != ZERO
        and order.cancellation != "confirmed"
        and is_fulfilled_here(unit.config, order)
        and bool(setting_for(unit.config, order, "pay.hold_unpaid", order.source.kind in DIRECT))
    )


def _is_for_a_person(unit: Unit, order: Order) -> bool:
    if order.payment not in TAKEN_BACK or order.cancellation == "confirmed" or _awaiting(order):
        return False
    return is_fulfilled_here(unit.config, order) and (order.payment == "chargeback" or not _has_left(order))


def _has_left(order: Order) -> bool:
    return any(line.shipped for line in order.lines)


def _awaiting(order: Order) -> tuple[Hold, ...]:
    return tuple(hold for hold in order.open_holds if hold.code == "payment")


def _why(order: Order) -> str:
    words = {"unpaid": "the customer has not paid", "partially_paid": "only a part is paid"}
    return words.get(order.payment, f"the payment is {order.payment}")


def _fingerprint(order: Order) -> str:
    return f"payment/{order.id}"


def _waits(order: Order, hold: Hold) -> Incident:
    return Incident(
        fingerprint=cause(order, hold),
        kind="value",
        severity="warning",
        title=f"{order.source.connection}: order {order.number} waits: {hold.reason}"[:300],
        next_action="nothing while the payment may still come: then it goes on by itself; else cancel it at the source",
        connection=order.source.connection,
        partner=order.partner,
        subject_kind="order",
        subject_id=order.id,
    )


def _taken_back(order: Order) -> Incident:
    goods, action = "the goods have not left", "cancel the order, or let it go on unpaid"
    if _has_left(order):
        goods, action = "the goods have left", "answer the dispute with the proof of delivery"
    return Incident(
        fingerprint=_fingerprint(order),
        kind="value",
        severity="error" if order.payment == "chargeback" else "warning",
        title=f"order {order.number}: the payment is {order.payment}, and {goods}",
        next_action=action,
        connection=order.source.connection,
        partner=order.partner,
        subject_kind="order",
        subject_id=order.id,
    )


def _say(unit: Unit, name: str, order: Order, detail: dict[str, object] | None = None) -> None:
    unit.emit(name, order_id=order.id, subject_kind="order", subject_id=order.id, partner=order.partner, detail=detail)


OPERATION = Operation(
    name="pay", on=("order.received", "order.payment_reported", "order.changed", "order.cancelled"), run=run
)
