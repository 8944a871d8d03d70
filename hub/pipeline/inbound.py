"""From stored bytes to records and events: the inbound stages in order, in one commit per batch."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from hub.domain.config import Config
from hub.domain.errors import HubError, Paused, Problem, Rejected, RetryLater
from hub.domain.inbox import FrameRow
from hub.domain.message import Message
from hub.domain.work import Claim
from hub.pipeline import settle
from hub.pipeline.acknowledge import acknowledge
from hub.pipeline.advise import advise
from hub.pipeline.apply import apply
from hub.pipeline.decode import Reading, decode, decode_frame
from hub.pipeline.map_in import Mapped, map_in
from hub.pipeline.operate import operate
from hub.pipeline.receipts import RECEIPT, read_receipt
from hub.pipeline.receive import INTERCHANGE
from hub.pipeline.route import route
from hub.pipeline.services import Services
from hub.pipeline.validate import validate
from hub.pipeline.verdicts import take_answers, take_verdicts
from hub.ports.records import Unit

log = logging.getLogger(__name__)
WAITED = "waited"
"""Why a message is taken in again by itself: what it waited for is there. It was acknowledged when it came."""


@dataclass(kw_only=True)
class Taken:
    """One claimed message or frame on its way through the stages."""

    claim: Claim
    message: Message
    frame: FrameRow | None = None
    reading: Reading = field(default_factory=Reading)
    mapped: list[Mapped] = field(default_factory=list)
    failure: HubError | None = None


def take_in(services: Services, claims: Sequence[Claim]) -> None:
    """Handle claimed messages as one batch; if anything fails, each alone, so that one bad one harms no other."""
    services.crash("claimed")
    config = services.config()
    taken = _load(services, claims)
    for each in taken:
        _translate(services, config, each)
    services.crash("decoded")
    _commit_all(services, taken)


def _load(services: Services, claims: Sequence[Claim]) -> list[Taken]:
    if claims and claims[0].task == "frame":
        keys = [(each.subject_id, each.part) for each in claims]
        found = services.store.look(lambda unit: unit.frames(keys))
        taken = []
        for claim in claims:
            frame, message, body = found[claim.subject_id, claim.part]
            taken.append(Taken(claim=claim, message=_with_body(message, body), frame=frame))
        return taken
    messages = services.store.look(lambda unit: unit.messages([each.subject_id for each in claims]))
    return [Taken(claim=each, message=messages[each.subject_id]) for each in claims]


def _with_body(message: Message, body: bytes) -> Message:
    return replace(message, body=body)


def _translate(services: Services, config: Config, each: Taken) -> None:
    """Run the pure stages; what they cannot read is a finding about the message, not a failure of the batch."""
    try:
        if each.message.kind == RECEIPT:
            each.mapped = read_receipt(each.message)
            return
        if each.frame is None:
            each.reading = decode(services, config, each.message)
        else:
            each.reading = decode_frame(services, config, each.message, each.frame)
        each.mapped = map_in(services, config, each.message, each.reading)
    except HubError as error:
        each.failure = error
    except Exception as error:
        log.exception("message %s could not be translated", each.message.id)
        problem = Problem(code="internal", text=f"the hub failed on these bytes: {type(error).__name__}: {error}")
        each.failure = Rejected([problem])


def _commit_all(services: Services, taken: Sequence[Taken]) -> None:
    if not taken:
        return
    try:
        _commit(services, taken)
    except Exception as error:
        if len(taken) == 1:
            settle.failed(services, taken[0].claim, taken[0].message, error)
            return
        log.warning("a batch of %d failed (%s); each runs alone", len(taken), error)
        for each in taken:
            _commit_all(services, [each])


def _commit(services: Services, taken: Sequence[Taken]) -> None:
    lanes: set[str] = set()

    def work(unit: Unit) -> None:
        lanes.clear()
        mine = unit.fence([each.claim for each in taken])
        ours = [_fresh(each) for each in taken if each.claim.id in mine]
        _apply(services, unit, ours)
        services.crash("written")
        lanes.update(unit.planned_lanes())

    services.store.transact(work)
    services.crash("committed")
    for lane in sorted(lanes):
        services.doorbell.ring(lane)


def _fresh(each: Taken) -> Taken:
    """Copy what the stages write to: a transaction that was rolled back runs again from what was decoded."""
    return dataclasses.replace(each, mapped=[document.again() for document in each.mapped])


def _apply(services: Services, unit: Unit, ours: Sequence[Taken]) -> None:
    _refuse_reused(unit, ours)
    good = [each for each in ours if each.failure is None]
    for each in ours:
        if isinstance(each.failure, (Paused, RetryLater)):
            raise each.failure  # nothing is wrong with the bytes: they wait until the mapping or the secret is there
    settle.quarantine(unit, [(each.message, each.failure) for each in ours if each.failure is not None])
    framed = [each for each in good if each.reading.frames]
    settle.framed(unit, [(each.message, each.reading) for each in framed])
    whole = [each for each in good if not each.reading.frames]
    mapped = [document for each in whole for document in each.mapped]
    validate(services, unit, mapped)
    apply(unit, mapped)
    operate(services, unit)
    take_verdicts(unit, mapped)
    take_answers(unit, mapped)
    advise(unit, mapped)
    done = settle.settled(unit, [(each.message, each.frame, each.reading, each.mapped) for each in whole])
    waited = {each.message.id for each in whole if each.claim.reason == WAITED}
    acknowledge(unit, [each for each in done if each.message.id not in waited])
    route(services, unit)
    if services.hooks.observed:
        services.hooks.observe(tuple(unit.events))


def _refuse_reused(unit: Unit, ours: Sequence[Taken]) -> None:
    """Keep back interchanges whose control number came before with other bytes; a replay says that it is all right."""
    named = [
        each
        for each in ours
        if each.frame is None and each.message.event_id.startswith(INTERCHANGE) and each.claim.reason != "replay"
    ]
    reused = unit.reused([each.message.id for each in named]) if named else set()
    for each in named:
        if each.message.id in reused and not _may_reuse(unit, each.message.connection):
            key = each.message.event_id.removeprefix(INTERCHANGE).rpartition(":")[0]
            text = f"control number {key} came before with other bytes; replay the message if the sender means it"
            each.failure = Rejected([Problem(code="control_number_reused", value=key, text=text)])


def _may_reuse(unit: Unit, connection: str) -> bool:
    agreements = unit.config.inbound.get(connection, ())
    return any(each.options.get("control_numbers") == "reused" for each in agreements)
