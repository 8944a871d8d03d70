"""997, 999 and TA1: made from stored results, and read when a partner sends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from hub.codecs.answers import Answer, SetResult, Verdict, VerdictStatus, answered, by_segment, level_of, text_at
from hub.codecs.findings import FINDINGS, finding
from hub.domain.errors import Problem
from hub.domain.tree import Decoded, Node

_STATUS: dict[str, VerdictStatus] = {
    "A": "accepted", "E": "accepted_with_errors", "P": "partial", "R": "rejected", "M": "rejected", "W": "rejected",
    "X": "rejected",
}  # fmt: skip
_LETTER = {"accepted": "A", "accepted_with_errors": "E", "rejected": "R"}
Row = tuple[Any, ...]
Kind = Literal["997", "999"]
IMPLEMENTATION = "005010X231A1"
"""The 999's own guide; there is none for older versions."""


class Dialect(NamedTuple):
    """What a 997 and a 999 name differently: segments, and the codes of what a guide asks beyond the standard."""

    segment: str
    element: str
    ending: str
    own: Mapping[str, str]


_DIALECTS: Mapping[Kind, Dialect] = {
    "997": Dialect("AK3", "AK4", "AK5", {}),
    "999": Dialect("IK3", "IK4", "IK5", {"segment_forbidden": "I4", "element_forbidden": "I10"}),
}


def functional_acknowledgement(
    facts: Mapping[str, str], results: Sequence[SetResult], kind: Kind = "997"
) -> Answer | None:
    """Make the 997 or 999 of one group from its facts and the results of its sets; None where none is due.

    None is due for acknowledgements, and for a group whose header never came (a TA1 answers that).
    """
    rows = answered(results)
    if facts.get("functional_id", "") in ("", "FA") or (results and not rows):
        return None
    version = facts.get("group_version", "")
    late = version[:6] >= "005010" or kind == "999"
    head: Row = ("AK1", facts["functional_id"], facts.get("group_control", ""), *([version] if late else []))
    body = [line for row in rows for line in _set_lines(row, _DIALECTS[kind])]
    return Answer(
        kind=kind,
        codec="x12",
        documents=((head, *body, _group_line(facts, rows)),),
        envelope={
            **_turned(facts),
            **(_implemented(facts) if kind == "999" else {}),
            "set": kind,
            "functional_id": "FA",
        },
    )


def _implemented(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return what a 999's envelope says of itself, whatever version it answers."""
    marks = _turned(facts)["separators"]
    version = max(facts.get("interchange_version") or "00501", "00501")
    separators = marks if len(marks) > 3 else [*marks, next(mark for mark in "^!|" if mark not in marks)]
    return {"version": version, "group": IMPLEMENTATION, "implementation": IMPLEMENTATION, "separators": separators}


def interchange_acknowledgement(facts: Mapping[str, str], *, rejected: bool = False) -> Answer | None:
    """Make the TA1 of an interchange: where its header asked for one (ISA14 = 1), or something is wrong with it."""
    codes = [code for code in facts.get("interchange_errors", "").split(",") if code]
    if not facts.get("interchange_control") or not (codes or rejected or facts.get("ack_requested") == "1"):
        return None
    fatal = rejected or any(code in ("interchange_header_damaged", "interchange_empty") for code in codes)
    note = finding(codes[0]).x12 if codes else ("024" if rejected else "000")
    status = "R" if fatal else "E" if codes else "A"
    line = ("TA1", facts["interchange_control"], facts["interchange_date"], facts["interchange_time"], status, note)
    return Answer(
        kind="TA1", codec="x12", documents=(), envelope={**_turned(facts), "interchange_segments": [list(line)]}
    )


def _turned(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return the envelope of an answer: ids turned round, version and separators as received."""
    marks = [facts.get(name, "") for name in ("element", "terminator", "component")]
    marks += [facts["repetition"]] if facts.get("repetition") else []
    if len(set(marks)) < len(marks) or any(len(mark) != 1 or mark.isalnum() for mark in marks):
        marks = ["*", "~", ">"]
    return {
        "sender": f"{facts.get('receiver_qualifier') or 'ZZ'}:{facts.get('receiver_id', '')}",
        "receiver": f"{facts.get('sender_qualifier') or 'ZZ'}:{facts.get('sender_id', '')}",
        "group_sender": facts.get("group_receiver", ""),
        "group_receiver": facts.get("group_sender", ""),
        "version": facts.get("interchange_version") or "00401",
        "group": facts.get("group_version") or "004010",
        "separators": marks,
        "test": facts.get("usage") == "T",
        "fold": True,
    }


def _set_lines(result: SetResult, dialect: Dialect) -> Iterator[Row]:
    yield ("AK2", result.set, result.control)
    segments = by_segment(result.problems)
    for (number, tag), problems in segments.items():
        own = [problem for problem in problems if level_of(problem) == "segment"]
        inner = [problem for problem in problems if level_of(problem) == "element"]
        for problem in own:
            yield (dialect.segment, tag, str(number), "", _code(problem, dialect))
        if inner:
            yield (dialect.segment, tag, str(number), "", "8")
            yield from (_element_line(problem, dialect) for problem in inner[:99])
    codes = list(dict.fromkeys(finding(each.code).x12 for each in result.problems if level_of(each) == "set"))
    if segments or (result.status == "rejected" and not codes):
        codes = [*[code for code in codes if code != "5"], "5"]
    yield (dialect.ending, _LETTER[result.status], *codes[:5])


def _code(problem: Problem, dialect: Dialect) -> str:
    return dialect.own.get(problem.code) or finding(problem.code).x12


def _element_line(problem: Problem, dialect: Dialect) -> Row:
    at = problem.at
    position = ("", "") if at is None else (str(at.element), str(at.component) if at.component else "")
    where = [*position] if position[1] else position[0]
    return (dialect.element, where, "", _code(problem, dialect), problem.value[:99])


def _group_line(facts: Mapping[str, str], rows: Sequence[SetResult]) -> Row:
    errors = [code for code in facts.get("group_errors", "").split(",") if code]
    good = sum(row.status != "rejected" for row in rows)
    received = int(facts.get("group_received") or len(rows))
    stated = facts.get("group_count", "")
    letter = "R" if not good else "P" if good < max(received, len(rows)) else "E" if errors or _noted(rows) else "A"
    codes = list(dict.fromkeys(finding(code).x12 for code in errors))[:5]
    return ("AK9", letter, stated if stated.isdecimal() else str(received), str(received), str(good), *codes)


def _noted(rows: Iterable[SetResult]) -> bool:
    return any(row.status == "accepted_with_errors" for row in rows)


def read_acknowledgement(decoded: Decoded) -> list[Verdict]:
    """Read a 997, 999 or TA1: one verdict for each set that it names, then one for the group or interchange."""
    root = decoded.tree
    if decoded.set == "TA1":
        return [_interchange_verdict(node) for node in root.children.get("TA1", ())]
    if decoded.set not in ("997", "999") or "AK1" not in root.children:
        return []
    group = text_at(root.children["AK1"][0], 2)
    found = [_set_verdict(node, group) for node in root.children.get("AK2", ())]
    return [*found, *(_group_verdict(node, group) for node in root.children.get("AK9", ()))]


def _interchange_verdict(node: Node) -> Verdict:
    note = text_at(node, 5)
    return Verdict(
        level="interchange",
        status=_STATUS.get(text_at(node, 4), "rejected"),
        interchange_control=text_at(node, 1),
        words=_words("interchange", [note]) if note.strip("0") else "",
    )


def _set_verdict(node: Node, group: str) -> Verdict:
    endings = node.children.get("AK5") or node.children.get("IK5") or []
    ending = endings[0] if endings else Node("AK5", ["AK5", "R"])
    words = [_segment_words(each) for each in (*node.children.get("AK3", ()), *node.children.get("IK3", ()))]
    codes = [text_at(ending, position) for position in range(2, 7)]
    return Verdict(
        level="set",
        status=_STATUS.get(text_at(ending, 1), "rejected"),
        group_control=group,
        set_control=text_at(node, 2),
        set=text_at(node, 1),
        words="; ".join(filter(None, [*words, _words("set", codes)])),
    )


def _group_verdict(node: Node, group: str) -> Verdict:
    counts = f"{text_at(node, 4)} of {text_at(node, 2)} sets accepted"
    words = _words("group", [text_at(node, position) for position in range(5, 10)])
    return Verdict(
        level="group",
        status=_STATUS.get(text_at(node, 1), "rejected"),
        group_control=group,
        words="; ".join(filter(None, [counts, words])),
    )


def _segment_words(node: Node) -> str:
    where = f"segment {text_at(node, 2)} {text_at(node, 1)}"
    inner = [*node.children.get("AK4", ()), *node.children.get("IK4", ())]
    if not inner:
        return f"{where}: {_words('segment', [text_at(node, 4)])}"
    return "; ".join(f"{where}{_element_words(each)}" for each in inner)


def _element_words(node: Node) -> str:
    position, component, value = text_at(node, 1), text_at(node, 1, 2), text_at(node, 4)
    place = f".{position.zfill(2)}" + (f".{component}" if component else "")
    return f"{place}: {_words('element', [text_at(node, 3)])}" + (f" ({value})" if value else "")


def _words(level: str, codes: Iterable[str]) -> str:
    known = {each.x12: each.text for each in reversed(FINDINGS.values()) if each.level == level}
    known |= (
        {"8": "an element of this segment is wrong", "I4": FINDINGS["segment_forbidden"].text}
        if level == "segment"
        else {}
    )
    known |= {"I10": FINDINGS["element_forbidden"].text} if level == "element" else {}
    known |= {"5": "segments of the set are wrong"} if level == "set" else {}
    return ", ".join(known.get(code, f"code {code}") for code in codes if code)
