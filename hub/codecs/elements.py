"""What an element may hold: parsed from the dictionaries, and checked value by value where a quick match failed."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple


class Element(NamedTuple):
    """One element or component: AN text, ID code, A letters, N whole number, R number, DT, TM, B bytes, C composite."""

    required: bool
    kind: str
    low: int
    high: int
    parts: tuple[Element, ...] = ()
    codes: frozenset[str] = frozenset()


class Fault(NamedTuple):
    """A finding inside a segment; element and component count from 1, component 0 is the whole element."""

    code: str
    element: int
    component: int = 0
    value: str = ""


_EDIFACT = re.compile(r"(an|a|n)(\.\.)?(\d+)")
_NUMBER = re.compile(r"-?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:E-?\d+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KINDS = {"an": "AN", "a": "A", "n": "R"}
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def parse_elements(rows: Sequence[str], composites: Mapping[str, Sequence[str]]) -> tuple[Element, ...]:
    """Parse the rows of a segment: "M AN 1 22", "C an..35", "C C082", or "10 * X ID 2 2 | X AN 1 48"."""
    found: list[Element] = []
    for row in rows:
        times, _, specs = row.rpartition(" * ")
        for _ in range(int(times or 1)):
            found += [_parse_element(spec.split(), composites) for spec in specs.split(" | ")]
    return tuple(found)


def _parse_element(words: Sequence[str], composites: Mapping[str, Sequence[str]]) -> Element:
    required, kind = words[0] == "M", words[1]
    if kind == "C":
        return Element(required, "C", 0, 0)
    if kind in composites:
        return Element(required, "C", 0, 0, parse_elements(composites[kind], composites))
    if match := _EDIFACT.fullmatch(kind):
        high = int(match[3])
        return Element(required, _KINDS[match[1]], 1 if match[2] else high, high)
    return Element(required, "N" if kind[0] == "N" else kind, int(words[2]), int(words[3]))


def element_faults(value: str | list[str], rule: Element, position: int) -> Iterator[Fault]:
    """Yield what is wrong with one element; an empty one only where it is required."""
    if rule.kind == "C":
        yield from _composite_faults(value, rule, position)
    elif isinstance(value, list):
        if len(value) > 1 and any(value[1:]):
            yield Fault("component_unexpected", position, 2, value[1])
        yield from simple_faults(value[0], rule, position, 0)
    else:
        yield from simple_faults(value, rule, position, 0)


def _composite_faults(value: str | list[str], rule: Element, position: int) -> Iterator[Fault]:
    components = value if isinstance(value, list) else [value]
    if not any(components):
        if rule.required:
            yield Fault("element_missing", position)
        return
    if not rule.parts:
        return
    for index, part in enumerate(rule.parts, 1):
        yield from simple_faults(components[index - 1] if index <= len(components) else "", part, position, index)
    extra = components[len(rule.parts) :]
    if any(extra):
        yield Fault("component_unexpected", position, len(rule.parts) + 1, extra[0])


def simple_faults(value: str, rule: Element, position: int, component: int) -> Iterator[Fault]:
    """Yield what is wrong with one value."""
    if not value:
        if rule.required:
            yield Fault("element_missing", position, component)
        return
    code = _kind_fault(value, rule.kind)
    size = len(value) if rule.kind not in "NR" else sum(map(str.isdigit, value))
    if code:
        yield Fault(code, position, component, value)
    elif size > rule.high:
        yield Fault("element_too_long", position, component, value)
    elif size < rule.low:
        yield Fault("element_too_short", position, component, value)
    elif rule.codes and value not in rule.codes:
        yield Fault("element_code", position, component, value)


def _kind_fault(value: str, kind: str) -> str:
    if kind in ("N", "R"):
        whole = value.lstrip("-")
        good = (whole.isascii() and whole.isdigit()) if kind == "N" else bool(_NUMBER.fullmatch(value))
        return "" if good else "element_number"
    if kind == "DT":
        return "" if _is_date(value) else "element_date"
    if kind == "TM":
        return "" if _is_time(value) else "element_time"
    if kind == "A" and any(map(str.isdigit, value)):
        return "element_character"
    return "element_character" if _CONTROL.search(value) and kind != "B" else ""


def _is_date(value: str) -> bool:
    """Say whether it is CCYYMMDD or YYMMDD; a wrong length is left to the length check."""
    if not (value.isascii() and value.isdigit()):
        return False
    if len(value) not in (6, 8):
        return True
    month, day = int(value[-4:-2]), int(value[-2:])
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1]:
        return False
    year = int(value[:-4])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return leap or (month, day) != (2, 29)


def _is_time(value: str) -> bool:
    """Say whether it is HHMM, HHMMSS and so on; a wrong length is left to the length check."""
    if not (value.isascii() and value.isdigit()):
        return False
    return len(value) < 4 or (value[:2] < "24" and value[2:4] < "60" and value[4:6] < "60")


Notes = tuple[tuple[str, tuple[int, ...]], ...]


def note_faults(elements: Sequence[str | list[str]], notes: Notes) -> tuple[Fault, ...]:
    """Return the breaches of a segment's conditions (P all or none, R at least one, C and L where the first is there).

    The positions of a P stand in rising order.
    """
    return _note_faults(tuple(map(bool, elements)), notes)


@functools.lru_cache(maxsize=4096)
def _note_faults(elements: tuple[bool, ...], notes: Notes) -> tuple[Fault, ...]:
    """Return the same from which elements are there: in one partner's files these are few."""
    return tuple(_broken_notes(elements, notes))


def _broken_notes(elements: Sequence[bool], notes: Notes) -> Iterator[Fault]:
    size = len(elements)
    for kind, positions in notes:
        if kind != "R" and positions[0] >= size:
            continue
        there = [position < size and elements[position] for position in positions]
        if kind == "P" and any(there) and not all(there):
            yield Fault("element_condition", positions[there.index(False)])
        elif kind == "R" and not any(there):
            yield Fault("element_condition", positions[0])
        elif kind == "C" and there[0] and not all(there):
            yield Fault("element_condition", positions[there.index(False)])
        elif kind == "L" and there[0] and not any(there[1:]):
            yield Fault("element_condition", positions[1])


def segment_faults(elements: Sequence[str | list[str]], rules: Sequence[Element], notes: Notes) -> Iterator[Fault]:
    """Yield everything wrong inside one segment."""
    for position, rule in enumerate(rules, 1):
        if position < len(elements):
            yield from element_faults(elements[position], rule, position)
        elif rule.required:
            yield Fault("element_missing", position)
    for position in range(len(rules) + 1, len(elements)):
        value = elements[position]
        if any(value):
            yield Fault("element_unexpected", position, 0, value if isinstance(value, str) else ":".join(value))
            break
    yield from note_faults(elements, notes)
