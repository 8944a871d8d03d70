"""A supplier answers a purchase order: what they decline is sourced again, and a person is told."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.money import ZERO
from hub.domain.order import Order
from hub.domain.purchase import AcknowledgedLine, Acknowledgement, PurchaseLine, PurchaseOrder
from hub.domain.stock import Reservation
from hub.operations.advice import is_same_side
from hub.operations.allocate import release
from hub.operations.configured import places
from hub.operations.stock_moves import announce_stock
from hub.pipeline.services import Operation
from hub.ports.records import Unit

ANSWERABLE = ("approved", "sent", "receipt_confirmed", "acknowledged")


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Note answers on purchase orders; `order.source_again` follows where something was declined."""
    said = [(e, answer) for e in events if isinstance(answer := unit.attached.get(e.id), Acknowledgement)]
    purchases = unit.numbered(PurchaseOrder, [_number(answer) for _, answer in said])
    orders = unit.load(Order, {each.order_id for each in purchases.values()})
    refused: dict[str, dict[str, Decimal]] = {}
    by_id: dict[str, PurchaseOrder] = {}
    for event, answer in said:
        before = purchases.get(_number(answer))
        if before is None or not is_same_side(unit.config, event.origin, before.supplier):
            _unknown(unit, event, answer)
        elif before.state in ANSWERABLE:
            after = _answered(before, answer)
            purchases[before.number] = by_id[after.id] = after
            refused.setdefault(after.id, {}).update(_declined(before, after))
            _announce(unit, event, after)
    for purchase in by_id.values():
        unit.put(purchase)
    _give_up(unit, [by_id[each] for each, lines in refused.items() if lines], refused, orders)


def _number(answer: Acknowledgement) -> str:
    return answer.purchase_order_number or answer.order_number


def _answered(purchase: PurchaseOrder, answer: Acknowledgement) -> PurchaseOrder:
    said = {line.line_no: line for line in answer.lines}
    lines = tuple(_line(line, said.get(line.line_no), answer.code) for line in purchase.lines)
    nothing = all(line.rejected >= line.quantity for line in lines)
    state = "cancelled" if nothing else "acknowledged"
    return replace(purchase, lines=lines, state=state, acknowledgement=answer.code)


def _line(line: PurchaseLine, said: AcknowledgedLine | None, code: str) -> PurchaseLine:
    """Return the line with what was declined; a line that the answer leaves out follows the answer as a whole."""
    if said is None:
        return replace(line, rejected=line.quantity) if code == "rejected" else line
    declined = ZERO
    if said.code == "rejected":
        declined = line.quantity
    elif said.code == "changed" and said.quantity < line.quantity:
        declined = line.quantity - said.quantity
    return replace(line, rejected=max(line.rejected, declined), promised_on=said.promised_on or line.promised_on)


def _declined(before: PurchaseOrder, after: PurchaseOrder) -> dict[str, Decimal]:
    pairs = zip(before.lines, after.lines, strict=True)
    return {new.line_no: new.rejected - old.rejected for old, new in pairs if new.rejected > old.rejected}


def _announce(unit: Unit, event: Event, purchase: PurchaseOrder) -> None:
    unit.emit(
        "purchase_order.acknowledged",
        order_id=purchase.order_id,
        subject_kind="purchase_order",
        subject_id=purchase.id,
        origin=event.origin,
        message_id=event.message_id,
        partner=purchase.partner,
        detail={"number": purchase.number, "code": purchase.acknowledgement or ""},
    )


def _give_up(
    unit: Unit,
    purchases: Sequence[PurchaseOrder],
    refused: dict[str, dict[str, Decimal]],
    orders: dict[str, Order],
) -> None:
    """Take declined quantities off the orders, free what was reserved with the supplier, and source again."""
    if not purchases:
        return
    announce_stock(unit, _free(unit, purchases, refused))
    for purchase in purchases:
        order, lost = orders[purchase.order_id], refused[purchase.id]
        lines = (replace(x, allocated=max(ZERO, x.allocated - lost.get(x.line_no, ZERO))) for x in order.lines)
        orders[order.id] = replace(order, lines=tuple(lines))
        _tell(unit, purchase, lost)
    for order_id in dict.fromkeys(purchase.order_id for purchase in purchases):
        order = orders[order_id]
        unit.put(order)
        unit.emit(
            "order.source_again", order_id=order_id, subject_kind="order", subject_id=order_id, partner=order.partner
        )


def _free(unit: Unit, purchases: Sequence[PurchaseOrder], refused: dict[str, dict[str, Decimal]]) -> set[str]:
    theirs = {place.id: place.connection for place in places(unit.config).values() if place.kind == "supplier"}
    lost = {(p.order_id, p.supplier, number) for p in purchases for number in refused[p.id]}

    def is_lost(each: Reservation) -> bool:
        return (each.order_id, theirs.get(each.location_id, ""), each.line_no) in lost

    return release(unit, [purchase.order_id for purchase in purchases], "release", only=is_lost)


def _tell(unit: Unit, purchase: PurchaseOrder, lost: dict[str, Decimal]) -> None:
    what = ", ".join(f"{quantity} of line {number}" for number, quantity in sorted(lost.items()))
    unit.incident(
        Incident(
            fingerprint=f"purchase_declined/{purchase.id}",
            kind="value",
            severity="warning",
            title=f"{purchase.supplier} declined {what} of {purchase.number}",
            next_action="see where it was sourced again; where nobody has it, tell the buyer or find another supplier",
            connection=purchase.supplier,
            partner=purchase.partner,
            subject_kind="purchase_order",
            subject_id=purchase.id,
        )
    )


def _unknown(unit: Unit, event: Event, answer: Acknowledgement) -> None:
    unit.incident(
        Incident(
            fingerprint=f"acknowledgement/{event.origin}/{_number(answer)}"[:300],
            kind="missing",
            title=f"{event.origin}: an answer to {_number(answer) or '?'}, which is no purchase order to them"[:300],
            next_action="ask the sender which purchase order is meant, then have the answer sent again",
            connection=event.origin,
            subject_kind="message",
            subject_id=event.message_id,
        )
    )


OPERATION = Operation(name="confirm", on=("acknowledgement.received",), run=run)
