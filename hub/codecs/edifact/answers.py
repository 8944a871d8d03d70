"""CONTRL: made from stored results, and read when a partner sends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hub.codecs.answers import Answer, SetResult, Verdict, VerdictStatus, answered, by_segment, level_of, text_at
from hub.codecs.findings import FINDINGS, finding
from hub.domain.errors import Problem
from hub.domain.tree import Decoded, Node

_STATUS: dict[str, VerdictStatus] = {
    "1": "received", "4": "rejected", "5": "rejected", "6": "rejected", "7": "accepted", "8": "received",
}  # fmt: skip
Row = tuple[Any, ...]


def functional_acknowledgement(facts: Mapping[str, str], results: Sequence[SetResult]) -> Answer | None:
    """Make the CONTRL of one interchange (or of one of its groups) from its facts and the results of its messages.

    None for acknowledgements, and where there was no interchange header to answer to.
    """
    rows = answered(results)
    if not facts.get("interchange_control") or (results and not rows):
        return None
    errors = [code for code in facts.get("interchange_errors", "").split(",") if code]
    refused = not rows or (bool(errors) and all(row.status == "rejected" for row in rows))
    head: list[Any] = ["UCI", facts["interchange_control"], _party(facts, "sender"), _party(facts, "receiver")]
    head += ["4", finding(errors[0]).contrl if errors else "18"] if refused else ["7"]
    body = [] if refused else [line for row in rows for line in _message_lines(row)]
    late = facts.get("syntax_version", "") >= "4"
    return Answer(
        kind="CONTRL",
        codec="edifact",
        documents=((tuple(head), *body),),
        envelope={**_turned(facts), "set": "CONTRL", "message_version": "4:1:UN" if late else "D:3:UN"},
    )


def _party(facts: Mapping[str, str], who: str) -> list[str]:
    return [facts.get(f"{who}_{field}", "") for field in ("id", "qualifier", "internal")]


def _turned(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return the envelope of an answer: ids turned round, syntax and separators as received."""

    def party(who: str) -> str:
        qualifier, identity = facts.get(f"{who}_qualifier", ""), facts.get(f"{who}_id", "")
        return f"{qualifier}:{identity}"

    release = facts.get("release", "?")
    return {
        "sender": party("receiver"),
        "receiver": party("sender"),
        "syntax": ":".join(filter(None, [facts.get("syntax_id", "UNOA"), facts.get("syntax_version", "")])),
        "separators": [
            facts.get("element", "+"), facts.get("terminator", "'"), facts.get("component", ":"),
            release if release.strip() else "?",
        ],
        "test": facts.get("usage") == "1",
        "fold": True,
    }  # fmt: skip


def _message_lines(result: SetResult) -> Iterator[Row]:
    whole = [problem for problem in result.problems if level_of(problem) not in ("segment", "element")]
    segments = by_segment(result.problems)
    kind = [result.set, *result.version.split(":")]
    head: list[Any] = ["UCM", result.control or "0", kind, "4" if result.status == "rejected" else "7"]
    if whole or (result.status == "rejected" and not segments):
        head.append(finding(whole[0].code).contrl if whole else "18")
    yield tuple(head)
    for (number, _), problems in segments.items():
        own = [problem for problem in problems if level_of(problem) == "segment"]
        yield ("UCS", str(number), *([finding(own[0].code).contrl] if own else []))
        yield from (_element_line(problem) for problem in problems if level_of(problem) == "element")


def _element_line(problem: Problem) -> Row:
    at = problem.at
    element = at.element + 1 if at is not None else 0
    component = [str(at.component)] if at is not None and at.component else []
    return ("UCD", finding(problem.code).contrl, [str(element), *component])


def read_acknowledgement(decoded: Decoded) -> list[Verdict]:
    """Read a CONTRL: one verdict for each message and group that it names, then one for the interchange."""
    root = decoded.tree
    if decoded.set != "CONTRL" or "UCI" not in root.children:
        return []
    interchange = root.children["UCI"][0]
    reference = text_at(interchange, 1)
    found = [_message_verdict(node, reference, "") for node in root.children.get("UCM", ())]
    for group in root.children.get("UCF", ()):
        name = text_at(group, 1)
        found += [_message_verdict(node, reference, name) for node in group.children.get("UCM", ())]
        found.append(_verdict("group", reference, name, text_at(group, 4), text_at(group, 5)))
    action, code = text_at(interchange, 4), text_at(interchange, 5)
    return [*found, _verdict("interchange", reference, "", action, code)]


def _message_verdict(node: Node, interchange: str, group: str) -> Verdict:
    places = [_segment_words(each) for each in node.children.get("UCS", ())]
    words = "; ".join(filter(None, [_words([text_at(node, 4)]), *places]))
    return Verdict(
        level="set",
        status=_STATUS.get(text_at(node, 3), "rejected"),
        interchange_control=interchange,
        group_control=group,
        set_control=text_at(node, 1),
        set=text_at(node, 2),
        words=words,
    )


def _verdict(level: Any, interchange: str, group: str, action: str, code: str) -> Verdict:
    return Verdict(
        level=level,
        status=_STATUS.get(action, "rejected"),
        interchange_control=interchange,
        group_control=group,
        words=_words([code]),
    )


def _segment_words(node: Node) -> str:
    where = f"segment {text_at(node, 1)}"
    own = _words([text_at(node, 2)])
    inner = [where + _element_words(each) for each in node.children.get("UCD", ())]
    return "; ".join([*([f"{where}: {own}"] if own else []), *inner])


def _element_words(node: Node) -> str:
    """Name the element as we count it: CONTRL counts the tag as 1."""
    position, component = text_at(node, 2), text_at(node, 2, 2)
    place = f".{int(position) - 1:02}" if position.isdecimal() and position != "0" else ""
    return f"{place}{f'.{component}' if component else ''}: {_words([text_at(node, 1)])}"


_SAYINGS = {"12": "invalid value", "13": "missing", "17": "no agreement", "18": "in error", "28": "references differ"}


def _words(codes: Iterable[str]) -> str:
    known = {each.contrl: each.text for each in reversed(FINDINGS.values())} | _SAYINGS
    return ", ".join(known.get(code, f"code {code}") for code in codes if code)
