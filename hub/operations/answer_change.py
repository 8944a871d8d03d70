"""Answer the buyer who changed or cancelled an order: which lines are as wanted now, or why nothing was changed.

Made after the changed order was allocated, so that it says per line what must wait; only where a route listens.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.money import ZERO
from hub.domain.order import Order
from hub.domain.order_change import OrderChange
from hub.domain.purchase import AckCode, AcknowledgedLine, Acknowledgement
from hub.operations.acknowledge import answer_line
from hub.operations.ship import placed_on
from hub.pipeline.services import Operation
from hub.ports.records import Unit

ANSWERED = "order_change.answered"
DECLINED = ("order.change_declined", "order.cancel_declined")


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Issue one answer per change that waits for it."""
    if ANSWERED not in unit.config.listeners:
        return
    orders = unit.load(Order, [event.order_id for event in events])
    waiting = unit.below(OrderChange, orders)
    said = {event.order_id: event for event in events if event.order_id in orders}
    due = [(change, event) for key, event in said.items() for change in waiting[key] if change.state == "received"]
    first = unit.numbers("change_acknowledgement", len(due)) if due else 0
    for number, (change, event) in enumerate(due, first):
        _answer(unit, orders[event.order_id], change, event, f"CA-{number:06d}")
        unit.put(replace(change, state="answered"))


def _answer(unit: Unit, order: Order, change: OrderChange, event: Event, number: str) -> None:
    rejected = event.name in DECLINED or (event.name == "order.cancelled") != (change.purpose == "cancel")
    reason = str(event.detail.get("reason", "")) if rejected else ""
    lines = tuple(_lines(order, change, rejected, reason))
    answer = Acknowledgement(
        answers="order_change",
        change_number=change.change_number,
        number=number,
        code=_code(lines, rejected),
        id=unit.new_id(),
        order_id=order.id,
        partner=order.partner,
        order_number=order.number,
        order_external_id=order.external_id,
        order_placed_on=change.placed_on or placed_on(order),
        currency=order.currency,
        buyer=order.buyer,
        seller=order.seller or unit.config.seller,
        ship_to=order.ship_to,
        acknowledged_at=unit.now,
        lines=lines,
        extensions={"reason": reason} if reason else {},
    )
    unit.put(answer)
    unit.emit(
        ANSWERED,
        order_id=order.id,
        subject_kind="acknowledgement",
        subject_id=answer.id,
        partner=order.partner,
        detail={"number": number, "code": answer.code},
    )


def _code(lines: Sequence[AcknowledgedLine], rejected: bool) -> AckCode:
    if rejected:
        return "rejected"
    return "accepted" if all(line.code == "accepted" for line in lines) else "accepted_with_changes"


def _lines(order: Order, change: OrderChange, rejected: bool, reason: str) -> list[AcknowledgedLine]:
    """Return the answer to each line that the change names; a whole new order is answered line by line."""
    found = {line.line_no: line for line in order.lines}
    wanted = change.lines or (order.lines if change.purpose == "replace" else ())
    answers = []
    for asked in wanted:
        line = found.get(asked.line_no)
        answer = answer_line(line or asked, rejected or line is None)
        ordered = asked.ordered or answer.quantity
        if answer.code == "rejected":
            answer = replace(answer, quantity=ZERO)
        why = reason or ("" if line is not None else "the order has no such line")
        answers.append(replace(answer, change=asked.change or "changed", ordered=ordered, reason=why))
    return answers


OPERATION = Operation(
    name="answer_change",
    on=("order.accepted", "order.resumed", "order.cancelled", *DECLINED),
    run=run,
)
