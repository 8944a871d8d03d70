"""What partners say of what we sent: their 997, 999, TA1 and CONTRL meet our deliveries by control number.

Late ones are found by the sweep: `mark_overdue`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from hub.codecs.answers import Verdict
from hub.domain.errors import RetryLater
from hub.domain.incident import Incident
from hub.domain.order import Order
from hub.domain.purchase import PurchaseOrder
from hub.domain.route import Delivery, DeliveryState, ExpectedReceipt
from hub.domain.shipment import FulfillmentOrder
from hub.pipeline.map_in import Mapped
from hub.pipeline.numbers import scope
from hub.pipeline.receipts import RECEIPT, send_again
from hub.pipeline.services import Services
from hub.ports.records import Unit

SETTLED = ("skipped", "superseded")
ANSWERS = ("acknowledgement", "change_acknowledgement", "shipment", "invoice", "goods_receipt")
"""Documents that may be the answer that is waited for: 855, 865, 945, 810, 944."""


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What one acknowledgement says of one delivery."""

    kind: str
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def final(self) -> list[Verdict]:
        """What counts: the sets where it names them, else the group or interchange."""
        return [each for each in self.verdicts if each.level == "set"] or self.verdicts

    @property
    def state(self) -> str:
        """Received or refused."""
        return "refused" if any(each.status == "rejected" for each in self.final) else "received"

    @property
    def words(self) -> str:
        """Why, for people."""
        return "; ".join(dict.fromkeys(each.words for each in self.final if each.words)) or "no reason given"


def take_verdicts(unit: Unit, mapped: Sequence[Mapped]) -> None:
    """Note on our deliveries what came back for them; what fits nothing is an incident."""
    came = [each for each in mapped if each.state == "applied" and each.kind == "receipt" and each.document]
    if not came:
        return
    keys = {key for each in came for verdict in each.document if (key := _key(each, verdict)) is not None}
    issued = unit.issued(keys)
    said: dict[tuple[str, str], _Said] = {}
    for each in came:
        if not any(verdict.delivery or _key(each, verdict) in issued for verdict in each.document):
            unit.incident(_unmatched(each))
        for verdict in each.document:
            delivery_id = verdict.delivery or issued.get(_key(each, verdict) or ("", 0))
            if delivery_id:
                said.setdefault((delivery_id, each.decoded.set), _Said(kind=each.decoded.set)).verdicts.append(verdict)
    if said:
        _store(unit, said)


def take_answers(unit: Unit, mapped: Sequence[Mapped]) -> None:
    """Stop the clocks of documents that are themselves the answer: the 855 to an 850 of ours, the 945 to a 940."""
    said: dict[tuple[str, str], set[str]] = {}
    for each in mapped:
        if each.state == "applied" and each.kind in ANSWERS:
            numbers = {str(getattr(each.document, name, "")) for name in ("purchase_order_number", "order_number")}
            said.setdefault((each.decoded.set, each.partner or each.message.connection), set()).update(numbers - {""})
    for (kind, partner), numbers in said.items():
        owing = {
            agreement.connection
            for agreement in unit.config.agreements
            if agreement.direction == "out"
            and kind in agreement.expect
            and partner in (agreement.partner, agreement.connection)
        }
        if owing and numbers:
            _answered(unit, kind, owing, numbers)


def _answered(unit: Unit, kind: str, connections: set[str], numbers: set[str]) -> None:
    subjects = {each.id for each in unit.numbered(PurchaseOrder, numbers).values()}
    subjects |= {each.id for each in unit.numbered(FulfillmentOrder, numbers).values()}
    deliveries = unit.awaiting(kind, connections, subjects) if subjects else []
    if deliveries:
        in_time = unit.came([(each, kind, "received", "") for each in deliveries])
        unit.resolve(_late(connection, name) for connection, name in in_time)


def _key(each: Mapped, verdict: Verdict) -> tuple[str, int] | None:
    """Return the control number that a verdict quotes, in the series it was taken from: theirs turned round."""
    syntax = each.decoded.facts.get("syntax", "")
    by_group = syntax == "x12" and verdict.level != "interchange"
    control = verdict.group_control if by_group else verdict.interchange_control
    digits = "".join(char for char in control if char.isdigit())
    if not digits:
        return None
    level = "group" if by_group else "interchange"
    return scope(syntax, each.decoded.receiver, each.decoded.sender, level), int(digits[-15:])


def _store(unit: Unit, said: dict[tuple[str, str], _Said]) -> None:
    deliveries = unit.deliveries({delivery_id for delivery_id, _ in said})
    if any(each.state == "begun" for each in deliveries.values()):
        raise RetryLater("an acknowledgement came before its sending was recorded", after=1)
    refused = {key[0] for key, each in said.items() if each.state == "refused"}
    orders = unit.load(Order, {deliveries[each].leg.order_id for each in refused if each in deliveries} - {""})
    judged = []
    for (delivery_id, kind), each in said.items():
        delivery = deliveries.get(delivery_id)
        if delivery is None or delivery.state in SETTLED or _says_nothing_new(delivery, kind, each):
            continue
        judged.append(_judged(delivery, each))
        _emit(unit, delivery, each)
        if each.state == "refused":
            unit.incident(_refused(delivery, each, orders.get(delivery.leg.order_id)))
    unit.judge(judged)
    _end_doubts(unit, [each for each in judged if deliveries[each.id].state in ("in_doubt", "planned")])
    in_time = unit.came([(key[0], key[1], each.state, each.words[:500]) for key, each in said.items()])
    unit.resolve(_late(connection, kind) for connection, kind in in_time)


def _says_nothing_new(delivery: Delivery, kind: str, said: _Said) -> bool:
    """Say whether a good answer leaves the delivery as it is: a TA1, or a transport's receipt after a real answer."""
    if said.state == "refused":
        return False
    return kind == "TA1" or (kind == RECEIPT and delivery.state in ("acknowledged", "refused"))


def _end_doubts(unit: Unit, judged: Sequence[Delivery]) -> None:
    """They spoke of it, so they have it: what we did not know of the last attempt, and its work, is settled."""
    if judged:
        unit.end([(each, "delivered", "their acknowledgement came") for each in judged])
        unit.undoubt(each.id for each in judged)
        unit.resolve(f"doubt/{each.id}" for each in judged)


def _judged(delivery: Delivery, said: _Said) -> Delivery:
    state: DeliveryState = "refused" if said.state == "refused" else "acknowledged"
    return replace(delivery, state=state, problem=f"{said.kind}: {said.words}" if state == "refused" else "")


def _emit(unit: Unit, delivery: Delivery, said: _Said) -> None:
    leg = delivery.leg
    unit.emit(
        "delivery.refused" if said.state == "refused" else "delivery.acknowledged",
        order_id=leg.order_id,
        subject_kind="delivery",
        subject_id=delivery.id,
        partner=leg.partner,
        detail={"kind": said.kind, "send": leg.send, "words": said.words if said.state == "refused" else ""},
    )


def _refused(delivery: Delivery, said: _Said, order: Order | None) -> Incident:
    leg = delivery.leg
    about = f" for order {order.number}" if order is not None else ""
    return Incident(
        fingerprint=f"refused/{leg.connection}/{leg.send}/{said.words}"[:300],
        kind="value",
        title=f"{leg.partner or leg.connection} refused our {leg.send}{about} ({said.kind}): {said.words}"[:300],
        detail=f"delivery {delivery.id} to {leg.connection}: {said.words}",
        next_action=_REMEDY.get(said.kind, _MEND),
        connection=leg.connection,
        partner=leg.partner,
        subject_kind="delivery",
        subject_id=delivery.id,
    )


_MEND = "mend the mapping, the guide or the data, then send the document again under a new control number"
_REMEDY = {RECEIPT: "mend what they name (often a certificate or an agreed algorithm), then retry the delivery"}


def _unmatched(each: Mapped) -> Incident:
    quoted = next((v.group_control or v.interchange_control for v in each.document), "")
    return Incident(
        fingerprint=f"unmatched/{each.message.connection}/{each.decoded.sender}"[:300],
        kind="missing",
        severity="warning",
        title=f"{each.decoded.sender} acknowledged control number {quoted}, which we never sent them",
        detail=f"{each.decoded.set} in message {each.message.id} ({each.message.name})",
        next_action="ask the partner which document they mean; another system may be sending under our identifier",
        connection=each.message.connection,
        partner=each.partner,
        subject_kind="message",
        subject_id=each.message.id,
    )


def _late(connection: str, kind: str) -> str:
    return f"unacknowledged/{connection}/{kind}"


def mark_overdue(services: Services) -> int:
    """Mark what was not acknowledged in time, with one incident per connection and kind; return how many."""
    if not services.store.look(lambda unit: unit.has_overdue()):
        return 0

    def work(unit: Unit) -> int:
        late = unit.overdue()
        for each in send_again(unit, late):
            unit.incident(_overdue(each))
        lanes.update(unit.planned_lanes())
        return len(late)

    lanes: set[str] = set()
    found = services.store.transact(work)
    for lane in sorted(lanes):
        services.doorbell.ring(lane)
    return found


def _overdue(late: ExpectedReceipt) -> Incident:
    return Incident(
        fingerprint=_late(late.connection, late.kind),
        kind="missing",
        title=f"{late.partner or late.connection} owes us a {late.kind} since {late.due_at:%Y-%m-%d %H:%M} UTC",
        detail=f"delivery {late.delivery_id} was sent and not acknowledged in time",
        next_action="ask the partner whether it arrived; send it again unchanged if it did not",
        connection=late.connection,
        partner=late.partner,
        subject_kind="delivery",
        subject_id=late.delivery_id,
    )
