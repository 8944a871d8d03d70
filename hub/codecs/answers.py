"""Functional acknowledgements as data: the results of a group in, an answer to encode out; and the other way round.

The answer is made from stored rows alone: the envelope `facts` of a group (`Decoded.facts`) and one `SetResult` for
each of its sets. The original bytes are not needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from hub.codecs.findings import finding
from hub.domain.errors import Problem
from hub.domain.tree import Decoded, Node

Status = Literal["accepted", "accepted_with_errors", "rejected"]
VerdictStatus = Literal["accepted", "accepted_with_errors", "partial", "rejected", "received"]
ACKNOWLEDGEMENTS = frozenset({"997", "999", "TA1", "CONTRL"})


class SetResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one set; stored with its document, plain enough for JSON."""

    ordinal: int
    set: str
    control: str
    status: Status
    version: str = ""
    """The message version as received, for CONTRL (`D:96A:UN:EAN008`); X12 answers by the group's."""
    problems: tuple[Problem, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to encode: `codec.encode(answer.documents, {**answer.envelope, date, time, control})`."""

    kind: Literal["997", "999", "TA1", "CONTRL"]
    codec: str
    documents: tuple[tuple[tuple[Any, ...], ...], ...]
    envelope: dict[str, Any]


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a partner says of something we sent; `words` is for people."""

    level: Literal["interchange", "group", "set"]
    status: VerdictStatus
    interchange_control: str = ""
    group_control: str = ""
    set_control: str = ""
    set: str = ""
    words: str = ""
    delivery: str = ""
    """Our own key of what is spoken of, where they quote it in place of control numbers (an MDN does)."""


def set_result(decoded: Decoded, *, rejected: bool = False, also: Iterable[Problem] = ()) -> SetResult:
    """Say what became of a decoded set: rejected where a problem is an error, or where the caller says so.

    `also` are problems found later (mapping, validation); those without a position are reported for the whole set.
    Warnings do not show in the answer.
    """
    problems = tuple(problem for problem in (*decoded.problems, *also) if problem.severity == "error")
    facts = decoded.facts
    association = facts.get("association", "")
    version = decoded.version + (f":{association}" if association else "")
    return SetResult(
        ordinal=decoded.ordinal,
        set=decoded.set,
        control=decoded.controls[2],
        status="rejected" if rejected or problems else "accepted",
        version=version,
        problems=problems,
    )


def is_acknowledgement(set_name: str) -> bool:
    """Say whether a set is itself an acknowledgement, which is never acknowledged."""
    return set_name in ACKNOWLEDGEMENTS


def answered(results: Iterable[SetResult]) -> list[SetResult]:
    """Return the results that an answer names, in order: no acknowledgements, nothing that was no set."""
    return sorted(
        (result for result in results if result.set and not is_acknowledgement(result.set)),
        key=lambda result: result.ordinal,
    )


def level_of(problem: Problem) -> str:
    """Return where a problem belongs; without a segment it belongs to its set."""
    level = finding(problem.code).level
    if level in ("segment", "element") and (problem.at is None or not problem.at.segment):
        return "set"
    return level


def by_segment(problems: Iterable[Problem]) -> dict[tuple[int, str], list[Problem]]:
    """Return the problems inside segments, by segment number and tag, in order."""
    found: dict[tuple[int, str], list[Problem]] = {}
    for problem in problems:
        if level_of(problem) in ("segment", "element") and problem.at is not None:
            found.setdefault((problem.at.segment, problem.at.tag), []).append(problem)
    return dict(sorted(found.items()))


def text_at(node: Node, position: int, component: int = 1) -> str:
    """Return an element or component as text; empty where it is absent."""
    value = node.elements[position] if position < len(node.elements) else ""
    if isinstance(value, str):
        return value if component == 1 else ""
    return value[component - 1] if component <= len(value) else ""
