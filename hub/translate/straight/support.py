"""What straight code calls while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from hub.domain.tree import Node
from hub.translate.dates import dtm, parse_date, to_date, to_instant
from hub.translate.edi_paths import PAIRS_FROM
from hub.translate.plain_values import tree_value

Pairs = dict[str, str]


def pairs(node: Node) -> Pairs:
    """Return the qualifier-value pairs of an X12 segment; of a qualifier that repeats, the first."""
    elements: list[Any] = node.elements
    found: Pairs = {}
    for position in range(PAIRS_FROM.get(node.tag, 1), len(elements) - 1, 2):
        value = elements[position + 1]
        found.setdefault(elements[position], value[0] if value.__class__ is list else value)
    return found


def composite_pairs(node: Node) -> Pairs:
    """Return the pairs of an EDIFACT segment: value:qualifier."""
    found: Pairs = {}
    for element in node.elements:
        if element.__class__ is list and len(element) > 1:
            found.setdefault(element[1], element[0])
    return found


def merged(children: Sequence[Node], pairs_of: Callable[[Node], Pairs]) -> Pairs:
    """Return the pairs of several segments: of each qualifier the first that has a value."""
    if len(children) == 1:
        return pairs_of(children[0])
    found: Pairs = {}
    for child in children:
        for qualifier, value in pairs_of(child).items():
            if value:
                found.setdefault(qualifier, value)
    return found


def part(elements: list[Any], position: int, component: int) -> Any:
    """Return a component, or the whole element for component 0; None where it is empty."""
    if position >= len(elements):
        return None
    value = elements[position]
    if value.__class__ is not list:
        return value or None if component < 2 else None
    place = component - 1 if component else 0
    return (value[place] or None) if place < len(value) else None


def listed(value: Any) -> Sequence[Any]:
    """Return what an `each` goes over: a lone value counts as a list of one."""
    if value is None:
        return ()
    return value if value.__class__ in (list, tuple) else (value,)


def first(values: Any) -> Any:
    """Return the first of a list, None of an empty one."""
    return values[0] if values else None


def trimmed(parts: list[str]) -> list[str] | str:
    """Return the components of an element without empty ones at the end; nothing at all is an empty element."""
    while parts and not parts[-1]:
        del parts[-1]
    return parts or ""


def count(segments: list[list[Any]], tag: str) -> int:
    """Count the segments of a tag, or all of them for an empty tag."""
    return [segment[0] for segment in segments].count(tag) if tag else len(segments)


def dtm_date(value: str, code: str | None) -> date | None:
    """Read an EDIFACT date by its format code, for a field that is a date."""
    return parse_date(value[:8], "%Y%m%d") if (code or "102") == "102" else to_date(dtm(value, code))


def instant(text: str) -> datetime | None:
    """Read an ISO instant."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is UTC else to_instant(found)


def instant_text(value: datetime) -> Any:
    """Write an instant as ISO 8601 text that ends in Z."""
    return f"{value.isoformat()[:-6]}Z" if value.tzinfo is UTC else tree_value(value)
