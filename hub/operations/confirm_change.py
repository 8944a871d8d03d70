"""A supplier answers that we withdrew or changed a purchase order: where they go on with it, a person is told."""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.purchase import Acknowledgement, PurchaseOrder
from hub.operations.advice import is_same_side
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Note each answer on the purchase order's timeline; a refusal is an incident, which a later yes closes."""
    said = [(e, answer) for e in events if isinstance(answer := unit.attached.get(e.id), Acknowledgement)]
    purchases = unit.numbered(PurchaseOrder, [answer.purchase_order_number for _, answer in said])
    for event, answer in said:
        purchase = purchases.get(answer.purchase_order_number)
        if purchase is None or not is_same_side(unit.config, event.origin, purchase.supplier):
            unit.incident(_unknown(event, answer))
            continue
        unit.emit(
            "purchase_order.change_acknowledged",
            order_id=purchase.order_id,
            subject_kind="purchase_order",
            subject_id=purchase.id,
            origin=event.origin,
            message_id=event.message_id,
            partner=purchase.partner,
            detail={"number": purchase.number, "code": answer.code},
        )
        if answer.code == "rejected":
            unit.incident(_refused(purchase, answer))
        else:
            unit.resolve([_cause(purchase)])


def _cause(purchase: PurchaseOrder) -> str:
    return f"change_refused/{purchase.id}"


def _refused(purchase: PurchaseOrder, answer: Acknowledgement) -> Incident:
    what = "withdraw" if purchase.state == "cancelled" else "change"
    why = "; ".join(dict.fromkeys(line.reason for line in answer.lines if line.reason))
    return Incident(
        fingerprint=_cause(purchase),
        kind="value",
        title=f"{purchase.supplier} will not {what} {purchase.number}{': ' + why if why else ''}"[:300],
        next_action="call the supplier: the goods may come although nobody waits for them",
        connection=purchase.supplier,
        partner=purchase.partner,
        subject_kind="purchase_order",
        subject_id=purchase.id,
    )


def _unknown(event: Event, answer: Acknowledgement) -> Incident:
    number = answer.purchase_order_number or answer.order_number or "?"
    return Incident(
        fingerprint=f"change_acknowledgement/{event.origin}/{number}"[:300],
        kind="missing",
        title=f"{event.origin}: an answer to a change of {number}, which is no purchase order to them"[:300],
        next_action="ask the sender which purchase order is meant, then have the answer sent again",
        connection=event.origin,
        subject_kind="message",
        subject_id=event.message_id,
    )


OPERATION = Operation(name="confirm_change", on=("change_acknowledgement.received",), run=run)
