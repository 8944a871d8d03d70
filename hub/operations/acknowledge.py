"""Answer the buyer: one acknowledgement per order, made after allocation so that it says per line what must wait."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hub.domain.event import Event
from hub.domain.order import Order, OrderLine
from hub.domain.purchase import AckCode, AcknowledgedLine, Acknowledgement
from hub.operations.configured import is_fulfilled_here
from hub.operations.ship import placed_on
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Issue acknowledgements for orders that were decided and have none yet."""
    orders = unit.load(Order, [event.order_id for event in events])
    ready = [
        order
        for order_id in dict.fromkeys(_decided(unit, events, orders))
        if (order := orders.get(order_id)) is not None
    ]
    answered = unit.below(Acknowledgement, [order.id for order in ready]) if ready else {}
    fresh = [order for order in ready if not any(_is_answer(each) for each in answered[order.id])]
    first = unit.numbers("acknowledgement", len(fresh)) if fresh else 0
    for number, order in enumerate(fresh, first):
        _issue(unit, order, f"ACK-{number:06d}")


def _is_answer(each: Acknowledgement) -> bool:
    """Say whether it is our answer to the order itself: not a supplier's, and not one to a change."""
    return not each.purchase_order_number and each.answers == "order"


def _decided(unit: Unit, events: Sequence[Event], orders: dict[str, Order]) -> list[str]:
    """Return the orders whose answer is known: what we fulfil is known only once it was allocated."""
    heard = "acknowledgement.issued" in unit.config.listeners
    return [
        event.order_id
        for event in events
        if event.name != "order.accepted"
        or (heard and event.order_id in orders and not is_fulfilled_here(unit.config, orders[event.order_id]))
    ]


def _issue(unit: Unit, order: Order, number: str) -> None:
    rejected = order.acceptance == "rejected"
    lines = tuple(answer_line(line, rejected) for line in order.lines)
    code: AckCode = "rejected" if rejected else "accepted"
    if not rejected and any(line.code != "accepted" for line in lines):
        code = "accepted_with_changes"
    answer = Acknowledgement(
        number=number,
        code=code,
        id=unit.new_id(),
        order_id=order.id,
        partner=order.partner,
        order_number=order.number,
        order_external_id=order.external_id,
        order_placed_on=placed_on(order),
        currency=order.currency,
        buyer=order.buyer,
        seller=order.seller or unit.config.seller,
        ship_to=order.ship_to,
        acknowledged_at=unit.now,
        lines=lines,
    )
    unit.put(answer)
    unit.emit(
        "acknowledgement.issued",
        order_id=order.id,
        subject_kind="acknowledgement",
        subject_id=answer.id,
        partner=order.partner,
        detail={"number": number, "code": code},
    )


def answer_line(line: OrderLine, rejected: bool) -> AcknowledgedLine:
    """Return our answer to a line; a backordered one is answered with how much can go now."""
    waits = line.backordered > Decimal(0)
    due = line.ordered - line.cancelled
    return AcknowledgedLine(
        line_no=line.line_no,
        code="rejected" if rejected else "backordered" if waits else "accepted",
        quantity=due - line.backordered if waits else due,
        unit=line.unit,
        sku=line.sku,
        external_id=line.external_id,
        description=line.description,
        unit_price=line.unit_price,
    )


OPERATION = Operation(
    name="acknowledge", on=("order.accepted", "order.rejected", "order.allocated", "order.backordered"), run=run
)
