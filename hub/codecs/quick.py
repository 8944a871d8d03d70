"""One pattern for each segment of each size: it matches only where every element is surely right.

One match in C replaces the checks of all elements and of the conditions between them. What fails a match is not
wrong for that: it is looked at value by value (`elements.py`), which alone says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from hub.codecs.elements import Element, Notes


class Quick(NamedTuple):
    """The check of a segment of one size, and what splits its composites once it matched (None: nothing to do).

    Only text without released characters may be asked.
    """

    match: Callable[[str], Any]
    split: Callable[[list[Any]], None] | None


class Checks(dict[int, Quick]):
    """The checks of one segment by its number of elements (the tag counts), each compiled when it is first met."""

    def __init__(self, tag: str, rules: Sequence[Element], notes: Notes, element: str, component: str) -> None:
        super().__init__()
        self._tag = tag
        self._rules = rules
        self._notes = notes
        self._marks = (element, component)

    def __missing__(self, size: int) -> Quick:
        pattern = quick_pattern(self._tag, self._rules, self._notes, size - 1, *self._marks)
        if pattern is None:
            return NEVER  # not kept: a hostile file must not grow the table
        places = [at for at, rule in enumerate(self._rules[: size - 1], 1) if rule.kind == "C"]
        split = _splitter(places, self._marks[1]) if places else None
        return self.setdefault(size, Quick(re.compile(pattern).fullmatch, split))


class Checklist(dict[str, Checks]):
    """The checks of every segment that a guide has rules for; nothing matches where it has none."""

    def __init__(
        self, elements: Mapping[str, Sequence[Element]], notes: Mapping[str, Notes], element: str, component: str
    ) -> None:
        super().__init__()
        for tag, rules in elements.items():
            self[tag] = Checks(tag, rules, notes.get(tag, ()), element, component)

    def __missing__(self, tag: str) -> Checks:
        return _UNCHECKED


def _never(_: str) -> None:
    return None


NEVER = Quick(_never, None)
# A condition that no segment can meet: without rules nothing is surely right.
_UNCHECKED = Checks("", (), (("R", ()),), "", "")


def _splitter(places: Sequence[int], mark: str) -> Callable[[list[Any]], None]:
    """Return what turns the elements at some places into lists, where they have components."""
    if len(places) > 1:

        def split(elements: list[Any]) -> None:
            for place in places:
                value = elements[place]
                if mark in value:
                    elements[place] = value.split(mark)

        return split
    (only,) = places

    def split_one(elements: list[Any]) -> None:
        value = elements[only]
        if mark in value:
            elements[only] = value.split(mark)

    return split_one


def quick_pattern(
    tag: str, rules: Sequence[Element], notes: Notes, count: int, element: str, component: str
) -> str | None:
    """Return the pattern of a segment with `count` elements; None where that many cannot be right."""
    if count > len(rules) or any(rule.required for rule in rules[count:]):
        return None
    narrowed = _narrow(notes, count)
    if narrowed is None:
        return None
    empty, asked = narrowed
    named = {position for _, positions in asked for position in positions}
    pattern = re.escape(tag)
    for position, rule in enumerate(rules[:count], 1):
        pattern += re.escape(element)
        name = f"e{position}" if position in named else ""
        if position not in empty:
            pattern += _value(rule, name, element, component)
        elif rule.required:
            return None
        elif name:
            pattern += f"(?:(?P<{name}>(?!))|)"
        pattern += "".join(_condition(kind, places) for kind, places in asked if max(places) == position)
    return pattern


def _narrow(notes: Notes, count: int) -> tuple[set[int], Notes] | None:
    """Return the positions that must be empty, and the conditions left, in a segment of `count` elements."""
    empty: set[int] = set()
    asked: list[tuple[str, tuple[int, ...]]] = []
    for kind, positions in notes:
        here = tuple(position for position in positions if position <= count)
        if kind == "R":
            if not here:
                return None
            asked.append((kind, here))
        elif positions[0] not in here:
            continue
        elif (kind == "L" and len(here) == 1) or (kind != "L" and len(here) < len(positions)):
            empty |= set(here) if kind == "P" else {positions[0]}
        else:
            asked.append((kind, here))
    return empty, tuple(asked)


def _condition(kind: str, positions: Sequence[int]) -> str:
    """Return a test, of no width, of which elements are there."""
    first, rest = positions[0], positions[1:]
    if kind == "R":
        return _any_of(positions)
    if kind == "L":
        return f"(?(e{first}){_any_of(rest)})"
    return "".join(
        f"(?(e{first})(?(e{other})|(?!))" + (f"|(?(e{other})(?!)))" if kind == "P" else ")") for other in rest
    )


def _any_of(positions: Sequence[int]) -> str:
    head, *rest = positions
    return f"(?(e{head})|{_any_of(rest) if rest else '(?!)'})"


def _value(rule: Element, name: str, element: str, component: str) -> str:
    """Return the pattern of one element; a named one is a group that takes part only where a value is there."""
    banned = re.escape(element + component) + r"\x00-\x1f\x7f"
    if rule.kind != "C" or rule.codes:
        return _simple(rule, name, banned)
    body = _composite(rule, banned, re.escape(component))
    filled = f"(?={re.escape(component)}*[^{banned}])" if rule.required else rf"(?!{re.escape(element)}|\Z)"
    return _optional(filled + body, rule.required, name)


def _simple(rule: Element, name: str, banned: str) -> str:
    if not rule.required and not name and not rule.codes and rule.low <= 1 and rule.kind not in ("N", "R", "DT", "TM"):
        return _text(rule, banned, 0)
    return _optional(_filled(rule, banned), rule.required, name)


def _optional(body: str, required: bool, name: str) -> str:
    if name:
        body = f"(?P<{name}>{body})"
    return body if required and name else f"(?:{body})" if required else f"(?:{body}|)"


def _filled(rule: Element, banned: str) -> str:
    """Return the pattern of a value that is there."""
    low = max(rule.low, 1)
    if rule.codes:
        return "|".join(map(re.escape, sorted(rule.codes, key=len, reverse=True)))
    if rule.kind == "N" or (rule.kind == "R" and low > 1):
        return f"-?[0-9]{{{low},{rule.high}}}+"
    if rule.kind == "R":
        part = min(4, rule.high // 2)
        return f"-?[0-9]{{1,{rule.high - part}}}+" + (rf"(?:[.,][0-9]{{0,{part}}}+|)" if part else "")
    if rule.kind in _FORMS:
        forms = [form for size, form in _FORMS[rule.kind].items() if low <= size <= rule.high]
        return "|".join(forms) or "(?!)"
    return _text(rule, banned, low)


def _text(rule: Element, banned: str, low: int) -> str:
    """Return the pattern of letters (of ASCII, surely no digits) or of any text."""
    allowed = f"(?:(?![{banned}])[ -/:-~])" if rule.kind == "A" else f"[^{banned}]"
    return f"{allowed}{{{low},{rule.high}}}+"


_DAY = (
    r"[0-9][0-9](?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)"
    r"|02(?:0[1-9]|1[0-9]|2[0-8]))"
)
_TIME = r"(?:[01][0-9]|2[0-3])[0-5][0-9]"
_FORMS = {
    "DT": {8: f"(?:19|20){_DAY}", 6: _DAY},
    "TM": {
        4: _TIME, 6: f"{_TIME}[0-5][0-9]", 7: f"{_TIME}[0-5][0-9][0-9]", 8: f"{_TIME}[0-5][0-9][0-9][0-9]",
    },
}  # fmt: skip


def _composite(rule: Element, banned: str, component: str) -> str:
    """Return the pattern of the components; those at the end may be left out where none of them is required."""
    if not rule.parts:
        return f"[^{banned}]+(?:{component}[^{banned}]*)*"
    tail, optional = "", True
    for index, part in reversed(list(enumerate(rule.parts))):
        tail = (component if index else "") + _simple(part, "", banned) + tail
        optional = optional and not part.required
        if optional and index:
            tail = f"(?:{tail}|)"
    return tail
