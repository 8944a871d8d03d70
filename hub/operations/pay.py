"""What the order says was paid becomes the payment axis."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.order import Order, PaymentState
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Set the payment axis of new orders; `order.paid` says that nothing is due."""
    orders = unit.load(Order, [event.order_id for event in events])
    for event in events:
        order = orders[event.order_id]
        state = paid_so_far(order)
        if state == order.payment:
            continue
        unit.put(replace(order, payment=state))
        if state == "paid":
            unit.emit("order.paid", order_id=order.id, subject_kind="order", subject_id=order.id, partner=order.partner)


def paid_so_far(order: Order) -> PaymentState:
    """Return the axis from the totals and terms; what the source already said (authorized, paid, …) stands."""
    paid, grand = order.totals.paid, order.totals.grand
    if order.payment != "unpaid":
        return order.payment
    if paid is not None and paid > 0:
        return "paid" if grand is not None and paid >= grand else "partially_paid"
    return "cod_pending" if order.payment_terms == "cod" else "unpaid"


OPERATION = Operation(name="pay", on=("order.received",), run=run)
