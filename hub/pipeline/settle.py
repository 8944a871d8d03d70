"""How messages and their documents end: what is stored about them, and what becomes of failures."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.codecs.answers import SetResult, set_result
from hub.codecs.findings import FINDINGS
from hub.domain.errors import HubError, InDoubt, Paused, Problem, Rejected, RetryLater
from hub.domain.inbox import DocumentRow, FrameRow, GroupRow, MessageEnd, MessageState
from hub.domain.incident import Incident
from hub.domain.message import Message
from hub.domain.texts import encoded, named, shown
from hub.domain.work import Claim, WorkItem
from hub.pipeline.advise import is_advised
from hub.pipeline.decode import FrameContext, Reading
from hub.pipeline.map_in import Mapped
from hub.pipeline.services import Services
from hub.ports.records import Unit

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 12
_CLASSES = {"unknown_party": "missing", "control_number_reused": "duplicate"}
Settled = tuple[Message, FrameRow | None, Reading, list[Mapped]]


class Result(SetResult, frozen=True, kw_only=True, omit_defaults=True):
    """What an acknowledgement needs to know of one document, without its bytes, and the place of its group."""

    group: int = 0


@dataclass(frozen=True, kw_only=True)
class Done:
    """A message that is done to its last document, with the sets of its groups by the groups' place."""

    message: Message
    groups: tuple[GroupRow, ...] = ()
    sets: Mapping[int, frozenset[str]] = field(default_factory=dict)


_RESULT = msgspec.json.Decoder(Result)


def quarantine(unit: Unit, failed: Sequence[tuple[Message, HubError | None]]) -> None:
    """Keep messages that could not be read at all, with every problem, and one incident per cause."""
    ends = []
    for message, error in failed:
        problems = error.problems if isinstance(error, Rejected) else (Problem(code="unreadable", text=str(error)),)
        ends.append(MessageEnd(message_id=message.id, state="quarantined", problems=problems))
        for problem in problems:
            kind = _CLASSES.get(problem.code, "parse")
            unit.incident(_incident(message, problem, kind, "message", message.id))
    unit.end_messages(ends)


def framed(unit: Unit, readings: Sequence[tuple[Message, Reading]]) -> None:
    """Store the frames of large messages and the work to do them."""
    for message, reading in readings:
        rows = [
            FrameRow(
                message_id=message.id, first=frame.first, start=frame.offset, length=frame.length, count=frame.count,
                context=msgspec.msgpack.encode(FrameContext(codec=reading.codec, context=frame.context)),
            )
            for frame in reading.frames
        ]  # fmt: skip
        unit.add_frames(rows, {message.id: ""})
        unit.later(
            WorkItem(
                task="frame",
                subject_id=message.id,
                part=row.first,
                connection=message.connection,
                partner=message.partner,
            )
            for row in rows
        )  # fmt: skip


def settled(unit: Unit, taken: Sequence[Settled]) -> list[Done]:
    """Store what became of every document; return the messages that are now done to the last document."""
    rows: list[DocumentRow] = []
    for message, _, _, mapped in taken:
        for each in mapped:
            rows.append(_row(unit, message, each))
            if each.state == "rejected":
                for problem in each.problems[:20]:
                    if problem.severity == "error":
                        unit.incident(_incident(message, problem, "value", "document", rows[-1].id))
        unit.add_groups(groups_of(message, mapped))
    unit.add_documents(rows)
    whole = [each for each in taken if each[1] is None]
    unit.end_messages(
        [_end(message, [each.state for each in mapped], _found(mapped)) for message, _, _, mapped in whole]
    )
    parts = {message.id: message for message, frame, _, _ in taken if frame is not None}
    finished = unit.frames_done([message.id for message, frame, _, _ in taken if frame is not None])
    done = [_whole(message, mapped) for message, _, _, mapped in whole]
    for message_id in finished:
        stored = unit.documents_of(message_id)
        unit.end_messages([_end(parts[message_id], [row.state for row in stored])])
        done.append(_framed(unit, parts[message_id], stored))
    return done


def groups_of(message: Message, mapped: Sequence[Mapped]) -> list[GroupRow]:
    """Return one row for each group of a message; what differs from set to set is not the group's."""
    found: dict[str, GroupRow] = {}
    for each in mapped:
        facts = each.decoded.facts
        place = facts.get("place")
        if place is not None and place not in found:
            kept = {name: value for name, value in facts.items() if name != "association"}
            found[place] = GroupRow(message_id=message.id, place=int(place), facts=kept)
    return list(found.values())


def _whole(message: Message, mapped: Sequence[Mapped]) -> Done:
    groups = groups_of(message, mapped)
    sets: dict[int, set[str]] = {}
    for each in mapped if groups else ():
        sets.setdefault(int(each.decoded.facts.get("place", 0)), set()).add(each.decoded.set)
    return Done(message=message, groups=tuple(groups), sets={place: frozenset(names) for place, names in sets.items()})


def _framed(unit: Unit, message: Message, stored: Sequence[DocumentRow]) -> Done:
    sets: dict[int, set[str]] = {}
    for row in stored:
        if row.result:
            sets.setdefault(result_of(row.result).group, set()).add(row.set_id)
    groups = tuple(unit.groups([message.id])[message.id]) if sets else ()
    return Done(message=message, groups=groups, sets={place: frozenset(names) for place, names in sets.items()})


def result_of(text: str) -> Result:
    """Return a stored result."""
    return _RESULT.decode(text)


def _end(message: Message, states: Sequence[str], problems: tuple[Problem, ...] = ()) -> MessageEnd:
    bad = sum(state == "rejected" for state in states)
    state: MessageState = "applied" if not bad else "rejected" if bad == len(states) else "partly_applied"
    return MessageEnd(message_id=message.id, state=state, problems=problems)


def _found(mapped: Sequence[Mapped]) -> tuple[Problem, ...]:
    """Return what is wrong with the documents of a message, for the person who looks at it."""
    return tuple(problem for each in mapped if each.state == "rejected" for problem in each.problems)[:100]


def _row(unit: Unit, message: Message, each: Mapped) -> DocumentRow:
    return DocumentRow(
        id=unit.new_id(),
        message_id=message.id,
        ordinal=each.decoded.ordinal,
        kind=each.kind,
        set_id=shown(each.decoded.set),
        connection=message.connection,
        partner=each.partner,
        state=each.state,
        mapping_sha=each.mapping_sha,
        subject_id=each.subject_id,
        reference=named(each.reference),
        result=_result(each),
    )


def _result(each: Mapped) -> str:
    decoded = each.decoded
    if "place" not in decoded.facts:
        return ""
    later = [problem for problem in each.problems if problem not in decoded.problems]
    if is_advised(each.agreement):  # then the acknowledgement speaks of the syntax, and the advice of the rest
        later = [problem for problem in later if problem.code in FINDINGS]
        found = set_result(decoded, also=later)
    else:
        found = set_result(decoded, rejected=each.state == "rejected", also=later)
    result = Result(group=int(decoded.facts["place"]), **msgspec.structs.asdict(found))
    return encoded(result)


def _incident(message: Message, problem: Problem, kind: Any, subject_kind: str, subject_id: str) -> Incident:
    return Incident(
        fingerprint=f"in/{message.connection}/{problem.code}/{problem.path or problem.value}"[:300],
        kind=kind,
        title=f"{message.connection}: {problem}"[:300],
        detail=f"message {message.id} ({message.name or message.kind}): {problem}",
        next_action="look at the message, mend the mapping or ask the sender, then replay or skip it",
        connection=message.connection,
        partner=message.partner,
        subject_kind=subject_kind,
        subject_id=subject_id,
    )


def failed(services: Services, claim: Claim, message: Message, error: Exception) -> None:
    """Put one piece of work back, or keep it for a person when it fails again and again."""
    passing = isinstance(error, (RetryLater, Paused, InDoubt))
    log.log(logging.WARNING if passing else logging.ERROR, "message %s: %s", message.id, error, exc_info=not passing)
    after = error.after if isinstance(error, RetryLater) else None

    def work(unit: Unit) -> None:
        if passing or claim.attempts < MOST_ATTEMPTS:
            unit.put_back([claim], after=after, reason=f"{type(error).__name__}: {error}")
        else:
            unit.park([claim], status="parked", reason=f"{type(error).__name__}: {error}")
        if isinstance(error, Paused):
            unit.incident(_incident(message, Problem(code="paused", text=str(error)), "missing", "message", message.id))
        if not passing:
            problem = Problem(code="internal", text=f"{type(error).__name__}: {error}")
            unit.incident(_incident(message, problem, "internal", "message", message.id))

    services.store.transact(work)
