"""The X12 envelope: separators and fields of ISA, GS and their trailers, found in whatever shape they arrive."""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from hub.codecs.findings import finding
from hub.domain.errors import Position, Problem, Severity

ISA_WIDTHS = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
REPETITION_SINCE = "00402"
_LINE_ENDS = re.compile(rb"[\r\n]+")
_AFTER_ISA = re.compile(rb"(.{1,4}?)[\s\x00]*(?:GS|TA1|IEA|ISA|ST)", re.S)
_ISA_FACTS = {
    5: "sender_qualifier", 6: "sender_id", 7: "receiver_qualifier", 8: "receiver_id", 9: "interchange_date",
    10: "interchange_time", 12: "interchange_version", 13: "interchange_control", 14: "ack_requested", 15: "usage",
}  # fmt: skip
_GS_FACTS = (
    "", "functional_id", "group_sender", "group_receiver", "group_date", "group_time", "group_control",
    "agency", "group_version",
)  # fmt: skip


class Separators(NamedTuple):
    """The bytes that separate: element, segment terminator, component, repetition (empty before 00402)."""

    element: bytes
    terminator: bytes
    component: bytes
    repetition: bytes


class Header(NamedTuple):
    """An interchange header as found: where it ends, its separators, its facts, what is wrong with it."""

    end: int
    separators: Separators
    facts: dict[str, str]
    code: str


def read_header(body: bytes, start: int) -> Header | None:
    """Read the ISA at `start` by its sixteen element separators; None when it is too damaged to go on."""
    element = body[start + 3 : start + 4]
    if not element or element.isalnum() or element.isspace():
        return None
    marks = [start + 3]
    for _ in range(15):
        at = body.find(element, marks[-1] + 1, marks[-1] + 40)
        if at < 0:
            return None
        marks.append(at)
    last = marks[-1] + 1
    values = [body[a + 1 : b] for a, b in itertools.pairwise(marks)]
    skipped = _LINE_ENDS.match(body, last) if len(body) - last > 2 else None
    last = skipped.end() if skipped else last
    component = body[last : last + 1]
    terminator = _terminator(body, last + 1)
    if not component or not terminator or element in terminator or component in (element, terminator):
        return None
    return _header(values, Separators(element, terminator, component, b""), last + 1 + len(terminator))


def _header(values: list[bytes], separators: Separators, end: int) -> Header:
    texts = [_LINE_ENDS.sub(b"", value).decode("latin-1") for value in values]
    facts = {name: texts[position - 1].strip() for position, name in _ISA_FACTS.items()}
    repetition = b""
    if facts["interchange_version"] >= REPETITION_SINCE and not texts[10].isalnum():
        repetition = values[10]
    separators = separators._replace(repetition=repetition)
    damaged = not facts["interchange_version"].isdigit() or not facts["interchange_control"]
    padded = all(len(text) == width for text, width in zip(texts, ISA_WIDTHS[1:], strict=False))
    facts |= {
        "syntax": "x12",
        "element": separators.element.decode("latin-1"),
        "terminator": separators.terminator.decode("latin-1"),
        "component": separators.component.decode("latin-1"),
        "repetition": repetition.decode("latin-1"),
    }
    code = "interchange_header_damaged" if damaged else "" if padded else "interchange_header_not_padded"
    return Header(end, separators, facts, code)


def _terminator(body: bytes, at: int) -> bytes:
    """Return the terminator: the bytes up to the next header, without white space unless there is nothing else."""
    match = _AFTER_ISA.match(body, at)
    found = match[1] if match else _one_character(body, at)
    stripped = found.strip(b" \r\n\t")
    if stripped:
        return stripped
    return b"\n" if b"\n" in body[at : at + 3] and body[at : at + 1] != b"\r" else found[:1]


def _one_character(body: bytes, at: int) -> bytes:
    """Return one character, which may be several bytes where they are UTF-8."""
    lead = body[at] if at < len(body) else 0
    size = 1 if lead < 0xC2 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    piece = body[at : at + size]
    return piece if size == 1 or all(0x80 <= byte < 0xC0 for byte in piece[1:]) else piece[:1]


def group_facts(elements: list[str]) -> dict[str, str]:
    """Return the named fields of a GS segment; missing ones are empty."""
    return {
        name: elements[position].strip() if position < len(elements) else ""
        for position, name in enumerate(_GS_FACTS)
        if name
    }


def problem_at(
    code: str, facts: dict[str, str], offset: int, value: str = "", *, tag: str = "", severity: Severity = "warning"
) -> Problem:
    """Build a problem of the envelope."""
    at = Position(
        interchange=facts.get("interchange_control", ""), group=facts.get("group_control", ""), tag=tag, offset=offset
    )
    words = finding(code).text + (f" ({value})" if value else "")
    return Problem(code=code, path=tag, text=words, value=value[:99], severity=severity, at=at)
