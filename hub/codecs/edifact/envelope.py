"""The EDIFACT envelope: the service string advice, and the fields of UNB, UNG and UNH."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hub.codecs.findings import finding
from hub.codecs.segments import ESCAPE
from hub.domain.errors import Position, Problem, Severity

CHARSETS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "latin-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF": "iso8859-7",
    "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9",
    "UNOL": "iso8859-15", "UNOW": "utf-8", "UNOY": "utf-8",
}  # fmt: skip
_UNB = re.compile(rb"UNB(?=[^A-Za-z0-9\s])")
_ESCAPED = re.compile(ESCAPE + "(.)", re.S)


class Service(NamedTuple):
    """The service characters of one interchange."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = " "
    terminator: str = "'"

    def split(self, text: str) -> list[str]:
        """Cut text at the terminator, leaving released characters in their escaped form (see `unescape`)."""
        return self.escape(text).split(self.terminator)

    def escape(self, text: str) -> str:
        """Return text of the same length in which released characters separate nothing."""
        release = self.release
        if release == " " or release not in text:
            return text
        return re.sub(re.escape(release) + "(.)", self._hidden, text, flags=re.S)

    def _hidden(self, match: re.Match[str]) -> str:
        place = self.index(match[1]) if match[1] in self else -1
        return ESCAPE + (match[1] if place < 0 else chr(0xE001 + place))

    def unescape(self, text: str) -> str:
        """Return the data that an escaped text stands for."""
        if ESCAPE not in text:
            return text
        return _ESCAPED.sub(lambda match: self._shown(match[1]), text)

    def _shown(self, char: str) -> str:
        place = ord(char) - 0xE001
        return self[place] if 0 <= place < len(self) else char

    def elements(self, piece: str) -> list[str | list[str]]:
        """Return the elements of an escaped segment; a composite becomes a list."""
        mark = self.component
        if ESCAPE not in piece:
            return [value.split(mark) if mark in value else value for value in piece.split(self.element)]
        found: list[str | list[str]] = []
        for value in piece.split(self.element):
            if mark in value:
                found.append([self.unescape(part) for part in value.split(mark)])
            else:
                found.append(self.unescape(value))
        return found

    def segment(self, piece: str) -> list[Any]:
        """Return the elements of an escaped segment, the tag as a plain text even where it has components."""
        found: list[Any] = self.elements(piece)
        if isinstance(found[0], list):
            found[0] = found[0][0]
        return found

    def facts(self) -> dict[str, str]:
        """Return the characters under their names."""
        return dict(zip(self._fields, self, strict=True))


def service_of(facts: Mapping[str, str]) -> Service:
    """Return the service characters that the facts of an envelope name."""
    return Service(*(facts[name] for name in Service._fields))


def part(elements: Sequence[str | list[str]], position: int, component: int = 1) -> str:
    """Return a component, trimmed; empty where it is absent."""
    value = elements[position] if position < len(elements) else ""
    if isinstance(value, str):
        return value.strip() if component == 1 else ""
    return value[component - 1].strip() if component <= len(value) else ""


def interchange_facts(elements: Sequence[str | list[str]], service: Service) -> dict[str, str]:
    """Return the named fields of a UNB."""
    facts = {"syntax": "edifact", **service.facts()}
    facts |= {"syntax_id": part(elements, 1), "syntax_version": part(elements, 1, 2)}
    for who, position in (("sender", 2), ("receiver", 3)):
        facts[f"{who}_id"] = part(elements, position)
        facts[f"{who}_qualifier"] = part(elements, position, 2)
        facts[f"{who}_internal"] = part(elements, position, 3)
    facts |= {"interchange_date": part(elements, 4), "interchange_time": part(elements, 4, 2)}
    names = {5: "interchange_control", 7: "application", 9: "ack_requested", 10: "agreement", 11: "usage"}
    return facts | {name: part(elements, position) for position, name in names.items()}


def first_facts(body: bytes) -> dict[str, str]:
    """Return the fields of the first UNB in the first kilobytes; empty where there is none."""
    match = _UNB.search(body, 0, 4096)
    if match is None:
        return {}
    advice = body.rfind(b"UNA", 0, match.start())
    marks = body[advice + 3 : advice + 9].decode("latin-1") if advice >= 0 else ""
    service = Service(*marks) if len(marks) == len(Service._fields) else Service()
    text = body[match.start() : match.start() + 1000].decode("latin-1").replace("\r", "").replace("\n", "")
    return interchange_facts(service.elements(service.split(text)[0]), service)


def group_facts(elements: Sequence[str | list[str]]) -> dict[str, str]:
    """Return the named fields of a UNG."""
    return {
        "functional_id": part(elements, 1),
        "group_sender": part(elements, 2),
        "group_receiver": part(elements, 3),
        "group_control": part(elements, 5),
    }


def problem_at(
    code: str, facts: Mapping[str, str], offset: int, value: str = "", *, tag: str = "", severity: Severity = "warning"
) -> Problem:
    """Build a problem of the envelope."""
    at = Position(
        interchange=facts.get("interchange_control", ""), group=facts.get("group_control", ""), tag=tag, offset=offset
    )
    words = finding(code).text + (f" ({value})" if value else "")
    return Problem(code=code, path=tag, text=words, value=value[:99], severity=severity, at=at)
