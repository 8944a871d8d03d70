"""What was answered to a delivery, stored in one commit per window: receipt, refusal, doubt or another try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from hub.domain.errors import HubError, InDoubt, Paused, Rejected, RetryLater
from hub.domain.incident import Incident
from hub.domain.link import Link
from hub.domain.message import Message, Outgoing, Receipt
from hub.domain.route import Delivery, DeliveryState
from hub.domain.texts import named
from hub.domain.work import Claim, WorkItem
from hub.pipeline.deliver import Result, Unknowable
from hub.pipeline.holds import NOTICED, SERIES, Suspended, is_gone, suspension
from hub.pipeline.receipts import expect_receipts, keep_proof
from hub.pipeline.services import Opened, Services
from hub.ports import Push
from hub.ports.records import Unit

PAUSE = 120.0
ALARM_AFTER = 3


@dataclass(kw_only=True)
class Sent:
    """One delivery after its attempt, or before one that was not possible."""

    claim: Claim
    delivery: Delivery
    result: Result
    out: Outgoing | None = None
    push: Push | None = None
    untried: bool = False
    """It was begun and there was no time to send it: `result` says why, its claim is kept for the next window."""
    doubted: bool = False
    """What an earlier attempt left in doubt, it still leaves."""


def record(services: Services, unit: Unit, opened: Opened, sent: Sequence[Sent]) -> None:
    """Store the results of a window."""
    good = [each for each in sent if isinstance(each.result, Receipt)]
    mine = unit.fence([each.claim for each in good])
    _delivered(unit, opened, [each for each in good if each.claim.id in mine])
    failed = [each for each in sent if not isinstance(each.result, Receipt)]
    held = unit.renew([each.claim for each in failed], services.lease)
    bad = [each for each in failed if each.claim.id in held]
    unit.end([_ended(each) for each in bad])
    is_suspended = _hold_back(services, unit, opened.name, [each.result for each in bad])
    for each in bad:
        if not each.untried:
            _failed(unit, opened, each, told=is_suspended)
    if good:
        services.holds.taken(opened.name)
    if good and any(each.claim.attempts for each in good):
        unit.resolve([f"connection/{opened.name}"])


def _delivered(unit: Unit, opened: Opened, good: Sequence[Sent]) -> None:
    ended, links, owed = [], [], []
    answers: list[tuple[Message, Sequence[WorkItem]]] = []
    for each in good:
        receipt = each.result
        assert isinstance(receipt, Receipt)
        leg, theirs = each.delivery.leg, named(receipt.reference)
        state: DeliveryState = "acknowledged" if receipt.proof else "delivered"
        delivery = replace(each.delivery, state=state, reference=theirs, problem="")
        ended.append((delivery, "delivered", theirs))
        if receipt.proof:
            keep_proof(unit, delivery, receipt.proof)
        if receipt.owed:
            owed.append((delivery, receipt.owed))
        if theirs:
            links.append(
                Link(
                    connection=leg.connection,
                    kind=leg.send,
                    external_id=theirs,
                    our_id=leg.subject_id,
                    role="secondary",
                )
            )
        if receipt.kind:
            answers.append(_answer(unit, opened, each, receipt))
    unit.end(ended)
    unit.links(links)
    if answers:
        unit.take_messages(answers)
    if owed:
        expect_receipts(unit, owed)


def _answer(unit: Unit, opened: Opened, each: Sent, receipt: Receipt) -> tuple[Message, Sequence[WorkItem]]:
    """Turn an answer that is a document (a label, a created order) into a received message with its work."""
    leg = each.delivery.leg
    message = Message(
        id=unit.new_id(),
        connection=opened.name,
        direction="in",
        kind=receipt.kind,
        received_at=unit.now,
        partner=leg.partner,
        event_id=f"answer:{each.delivery.id}",
        content_type=receipt.content_type,
        name=f"answer to {leg.send} {each.delivery.id}",
        body=receipt.body,
    )
    item = WorkItem(task="ingest", subject_id=message.id, lane=leg.lane, connection=opened.name, partner=leg.partner)
    return message, (item,)


def _ended(each: Sent) -> tuple[Delivery, str, str]:
    error = each.result
    state = "planned"
    if isinstance(error, Rejected):
        state = "refused"
    elif isinstance(error, InDoubt) or each.doubted:
        state = "in_doubt"
    text = str(error)
    return replace(each.delivery, state=state, problem=text), type(error).__name__, text


def _failed(unit: Unit, opened: Opened, each: Sent, *, told: bool) -> None:
    error, claim = each.result, each.claim
    assert isinstance(error, HubError)
    if isinstance(error, Rejected):
        if error.proof:
            keep_proof(unit, each.delivery, error.proof, refused=True)
        unit.park([claim], status="parked", reason=str(error))
        if not is_gone(error):
            unit.incident(_refusal(each, error))
    elif isinstance(error, InDoubt) and _is_asked(each, error):
        unit.park([claim], status="in_doubt", reason=str(error))
        unit.incident(_doubt(each, error))
    else:
        unit.put_back([claim], after=NOTICED if told else _wait(error), reason=str(error))
        if not told and (isinstance(error, Paused) or claim.attempts + 1 >= ALARM_AFTER):
            unit.incident(unusable(opened.name, error))


def _hold_back(services: Services, unit: Unit, name: str, results: Sequence[Result]) -> bool:
    """Hold a connection back whose side asks for time, is gone, or refuses our credentials again and again.

    Says whether that is told by an incident of its own.
    """
    later = [each.after or 0.0 for each in results if isinstance(each, RetryLater) and each.for_all]
    if later:
        services.holds.pause(name, max(later))
    ending = [each for each in results if is_gone(each)]
    locked = [each for each in results if isinstance(each, Paused) and not isinstance(each, Suspended)]
    if locked and services.holds.refused(name) >= SERIES:
        ending += locked
    if ending:
        unit.incident(suspension(name, str(ending[0])))
        unit.resolve([f"connection/{name}"])
        services.holds.pause(name, NOTICED)
    return bool(ending)


def _is_asked(each: Sent, error: InDoubt) -> bool:
    """Say whether only a person can find out what became of it."""
    return isinstance(error, Unknowable) or (each.push is not None and each.push.on_doubt == "ask")


def record_unsent(unit: Unit, name: str, claims: Sequence[Claim], error: HubError) -> None:
    """Put deliveries back that were never begun, because their connection cannot be used."""
    unit.put_back(claims, after=_wait(error), reason=str(error))
    if claims and isinstance(error, Paused) and not isinstance(error, Suspended):
        unit.incident(unusable(name, error))


def _wait(error: HubError) -> float | None:
    if isinstance(error, RetryLater):
        return error.after
    if isinstance(error, Suspended):
        return NOTICED
    return PAUSE if isinstance(error, Paused) else None


def unusable(name: str, error: HubError) -> Incident:
    """Return the one incident of a connection that does not work."""
    return Incident(
        fingerprint=f"connection/{name}",
        kind="connection",
        title=f"{name} cannot be reached or used",
        detail=str(error),
        next_action=f"check connection {name} (its credentials, its address, their status page); its deliveries wait and go on by themselves",  # noqa: E501
        connection=name,
        subject_kind="connection",
        subject_id=name,
    )


def _refusal(each: Sent, error: Rejected) -> Incident:
    leg = each.delivery.leg
    first = error.problems[0] if error.problems else None
    cause = f"{first.code}/{first.path}" if first else "rejected"
    return Incident(
        fingerprint=f"out/{leg.connection}/{leg.send}/{cause}"[:300],
        kind="value",
        title=f"{leg.connection} refused {leg.send}: {error}"[:300],
        detail=f"delivery {each.delivery.id} of {leg.subject_kind} {leg.subject_id}: {error}",
        next_action="mend the mapping or the data, then retry the delivery, or skip it with a reason",
        connection=leg.connection,
        partner=leg.partner,
        subject_kind="delivery",
        subject_id=each.delivery.id,
    )


def _doubt(each: Sent, error: InDoubt) -> Incident:
    leg = each.delivery.leg
    asked = "ask the partner whether they have it (our key is the delivery's id); mark it sent or resend it"
    if isinstance(error, Unknowable):
        asked = "ask the partner whether they have it (our key is the delivery's id) and mark it sent or skip it; or mend the look-up (its path, our rights there) and retry: it is looked up again before it is sent"  # noqa: E501
    return Incident(
        fingerprint=f"doubt/{each.delivery.id}",
        kind="intermittent",
        severity="critical",
        title=f"{leg.connection} may or may not have taken {leg.send} {each.delivery.id}",
        detail=str(error),
        next_action=asked,
        connection=leg.connection,
        partner=leg.partner,
        subject_kind="delivery",
        subject_id=each.delivery.id,
    )
