"""Calls at a protocol's own address: what came, what was in it and the receipt for it are one commit, then the answer.

A call that comes again gets the receipt of the first, byte for byte, and has no other effect. One that was refused may
come again: it is opened anew, because what was wrong with it may have been mended here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from hub.domain.connection import ConnectionConfig
from hub.domain.errors import Paused, Problem
from hub.domain.inbox import DocumentRow, MessageEnd
from hub.domain.incident import Incident
from hub.domain.message import Direction, Exchange, Incoming, Message, Outgoing, Request
from hub.domain.route import Leg
from hub.pipeline.receipts import RECEIPT
from hub.pipeline.receive import answer_again, named
from hub.pipeline.services import Opened, Services
from hub.ports.records import Arrival, Unit

LATER = b"Hub-Deliver-To:"
"""How a stored receipt begins that goes out as a delivery of its own."""


@dataclass(kw_only=True)
class Exchanged:
    """What is stored of a call: the receipt to answer with (empty: none, or it goes out by itself)."""

    receipt: bytes = b""
    arrived: Sequence[Arrival] = ()
    lanes: set[str] = field(default_factory=set)


def exchange(services: Services, connection: ConnectionConfig, opened: Opened, request: Request) -> Exchanged:
    """Take one call in: durable when it returns."""
    event = opened.instance.event_of(request.headers)
    done: Exchanged | None = None
    if event and services.store.look(lambda unit: bool(unit.kept(connection.name, [event]))):
        done = services.store.transact(lambda unit: _repeated(unit, connection, event))
    if done is None:
        found: Exchange = opened.instance.exchange(request, _Sent(services, connection.name))
        messages = found.messages if found.kept is None else named(services, connection, found.messages)
        if found.problem is None:
            done = services.store.transact(lambda unit: _taken(unit, connection, event, found, messages))
        else:
            done = services.store.transact(lambda unit: _refused(unit, connection, found))
        services.crash("committed")
        answer_again(services, done.arrived, messages if done.arrived else ())
    for lane in sorted(done.lanes):
        services.doorbell.ring(lane)
    return done


class _Sent:
    """Looks up what a connection was given to send."""

    def __init__(self, services: Services, connection: str) -> None:
        self._services, self._connection = services, connection

    def __call__(self, key: str) -> Outgoing | None:
        return self._services.store.look(lambda unit: self._found(unit, key))

    def _found(self, unit: Unit, key: str) -> Outgoing | None:
        delivery = unit.deliveries([key]).get(key)
        if delivery is None or delivery.leg.connection != self._connection:
            return None
        message = unit.outgoing([delivery.message_id]).get(delivery.message_id)
        if message is None:
            return None
        return Outgoing(
            key=key, kind=delivery.leg.send, body=message.body, content_type=message.content_type, name=message.name
        )


def _repeated(unit: Unit, connection: ConnectionConfig, event: str) -> Exchanged | None:
    """Return what answered the first call of this id; a receipt that went out by itself goes out again."""
    answered = _receipt_event(event)
    kept = unit.kept(connection.name, [event, answered])
    if event not in kept:
        return None
    receipt = kept.get(answered)
    if receipt is None:
        return Exchanged()
    if not receipt.body.startswith(LATER):
        return Exchanged(receipt=receipt.body)
    unit.redo([kept[event].id], rebuild=False)
    return Exchanged(lanes=unit.planned_lanes())


def _receipt_event(event: str) -> str:
    return f"receipt {event}"


def _taken(
    unit: Unit, connection: ConnectionConfig, event: str, found: Exchange, messages: Sequence[Incoming]
) -> Exchanged:
    before = _repeated(unit, connection, event) if event else None
    if before is not None:
        return before
    lane = connection.priority_lane
    arrived = unit.arrive(connection.name, connection.partner, lane, messages)
    if found.kept is not None:
        kept = _message(unit, connection, "in", replace(found.kept, event_id=event))
        unit.keep([kept], "applied")
        unit.add_documents([_envelope(unit, kept, at, each) for at, each in enumerate(arrived)])
        _store_receipt(unit, connection, found, _receipt_event(event) if event else "", kept.id)
    unit.resolve([_unusable(connection.name)])
    lanes = {lane} if any(not each.repeated for each in arrived) else set()
    return Exchanged(
        receipt=b"" if found.is_delivered else found.answer, arrived=arrived, lanes=lanes | unit.planned_lanes()
    )


def _refused(unit: Unit, connection: ConnectionConfig, found: Exchange) -> Exchanged:
    """Open an incident and answer; what came is kept once for each open cause, so that nobody can fill the disk."""
    assert found.problem is not None
    incident = _incident(connection, found.problem, found.action)
    about = unit.new_id()
    if not unit.is_open(incident.fingerprint) and found.kept is not None:
        kept = replace(_message(unit, connection, "in", replace(found.kept, event_id="")), id=about)
        unit.keep([kept], "quarantined")
        unit.end_messages([MessageEnd(message_id=about, state="quarantined", problems=(found.problem,))])
        incident = replace(incident, subject_kind="message", subject_id=about)
        _store_receipt(unit, connection, found, "", about)
    elif found.is_delivered:
        _store_receipt(unit, connection, found, "", about)
    unit.incident(incident)
    return Exchanged(receipt=b"" if found.is_delivered else found.answer, lanes=unit.planned_lanes())


def _store_receipt(unit: Unit, connection: ConnectionConfig, found: Exchange, event: str, cause: str) -> None:
    """Keep the receipt that we give, and plan its delivery where it goes out by itself."""
    if not found.answer:
        return
    given = Incoming(body=found.answer, kind=RECEIPT, event_id=event, content_type="message/http", name="receipt")
    receipt = _message(unit, connection, "out", given)
    unit.keep([receipt], "sent")
    if found.is_delivered:
        leg = Leg(
            connection=connection.name, send=RECEIPT, subject_kind="message", subject_id=cause, event_id=cause,
            lane=connection.priority_lane, partner=connection.partner,
        )  # fmt: skip
        unit.plan_written(leg, receipt.id)


def _message(unit: Unit, connection: ConnectionConfig, direction: Direction, given: Incoming) -> Message:
    return Message(
        id=unit.new_id(),
        connection=connection.name,
        direction=direction,
        kind=given.kind,
        received_at=unit.now,
        partner=connection.partner,
        event_id=given.event_id,
        content_type=given.content_type,
        name=given.name,
        body=given.body,
    )


def _envelope(unit: Unit, kept: Message, ordinal: int, arrival: Arrival) -> DocumentRow:
    """Say which message lay in a call."""
    return DocumentRow(
        id=unit.new_id(),
        message_id=kept.id,
        ordinal=ordinal,
        kind=kept.kind,
        connection=kept.connection,
        partner=kept.partner,
        state="repeated" if arrival.repeated else "applied",
        subject_id=arrival.message_id,
        reference=kept.event_id,
    )


def _incident(connection: ConnectionConfig, problem: Problem, action: str) -> Incident:
    return Incident(
        fingerprint=f"exchange/{connection.name}/{problem.code}",
        kind="parse",
        title=f"{connection.name}: a message was refused ({problem.code}): {problem.text}"[:300],
        detail=f"{problem.value}: {problem.text}" if problem.value else problem.text,
        next_action=action,
        connection=connection.name,
        partner=connection.partner,
    )


def unusable(services: Services, connection: ConnectionConfig, error: Paused) -> None:
    """Open the incident of a connection that cannot take calls; the next one that is taken closes it."""
    incident = Incident(
        fingerprint=_unusable(connection.name),
        kind="connection",
        title=f"{connection.name} cannot take messages: {error}"[:300],
        detail=str(error),
        next_action="mend what it says; senders are told to come again later until then",
        connection=connection.name,
        partner=connection.partner,
        subject_kind="connection",
        subject_id=connection.name,
    )
    services.store.transact(lambda unit: unit.incident(incident))


def _unusable(name: str) -> str:
    return f"exchange/{name}/unusable"


def stranger(services: Services, theirs: str, ours: str, known: Mapping[tuple[str, str], str]) -> None:
    """Open the incident of a call between ids that nobody set up: one for each of our ids, one for all others."""
    is_ours = any(ours == mine for _, mine in known)
    incident = Incident(
        fingerprint=f"exchange/unknown/{ours if is_ours else ''}"[:300],
        kind="missing",
        severity="warning",
        title=f"{theirs[:100]!r} sent to {ours[:100]!r} by AS2, and no connection has these ids",
        detail=f"AS2-From {theirs[:200]!r}, AS2-To {ours[:200]!r}; refused with 403, nothing was stored",
        next_action="if this is a partner, set the connection up with these ids (case counts); they will send again",
    )
    services.store.transact(lambda unit: unit.incident(incident))
