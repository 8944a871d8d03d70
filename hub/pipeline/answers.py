"""Functional acknowledgements written from what is stored: the envelopes of groups and the results of their sets."""

from __future__ import annotations

from collections.abc import Sequence

from hub.codecs.acknowledge import functional_acknowledgement, interchange_acknowledgement
from hub.codecs.answers import Answer
from hub.domain.errors import Problem, Rejected
from hub.domain.inbox import GroupRow
from hub.pipeline.settle import Result, result_of
from hub.ports.records import Unit


def answers(unit: Unit, subjects: Sequence[str]) -> dict[str, Answer | Rejected]:
    """Write acknowledgements by their subjects, from stored envelopes and results: two queries for all of them."""
    ids = {subject.partition("/")[0] for subject in subjects}
    groups = unit.groups(ids)
    results = {message_id: [result_of(text) for text in texts] for message_id, texts in unit.results(ids).items()}
    found: dict[str, Answer | Rejected] = {}
    for subject in subjects:
        message_id, _, rest = subject.partition("/")
        place, _, kind = rest.partition("/")
        written = _answer(groups[message_id], results.get(message_id, []), int(place), kind)
        found[subject] = written or Rejected([_nothing_due(subject)])
    return found


def _answer(groups: Sequence[GroupRow], results: Sequence[Result], place: int, kind: str) -> Answer | None:
    rows = next((each for each in answered_together(groups) if each[0].place == place), None)
    if rows is None:
        return None
    if kind == "TA1":
        return interchange_acknowledgement(rows[0].facts)
    places = {row.place for row in rows}
    return functional_acknowledgement(rows[0].facts, [each for each in results if each.group in places], kind)


def _nothing_due(subject: str) -> Problem:
    text = f"no acknowledgement is due for group {subject}: its envelope or its results are not stored any more"
    return Problem(code="no_record", path="receipt", text=text)


def answered_together(groups: Sequence[GroupRow]) -> list[list[GroupRow]]:
    """Return what one acknowledgement answers: a group each in X12, the groups of an interchange in EDIFACT."""
    found: list[list[GroupRow]] = []
    for row in groups:
        together = found and row.facts.get("syntax") == "edifact" and _is_same(found[-1][0], row)
        if together:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _is_same(one: GroupRow, other: GroupRow) -> bool:
    return bool(other.facts.get("group_control")) and all(
        one.facts.get(name) == other.facts.get(name) for name in ("interchange_control", "sender_id", "receiver_id")
    )
