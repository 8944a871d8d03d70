"""What a document says and a mapping does not use: each value is changed, and whatever changes nothing is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hub.codecs.elements import Element
from hub.codecs.guide import Guide
from hub.domain.errors import Rejected
from hub.domain.tree import Node
from hub.translate.compile import Compiled

Change = Callable[[str], Callable[[], None]]
"""Puts another value in the place of one, and returns what puts it back."""
_MOST = 5_000
"""Values looked at in one document; a sample is small, a mapping run takes a fraction of a millisecond."""


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A value that changes nothing: the path that reads it, the value, and the EDI segment it stands in."""

    path: str
    value: str
    segment: int = 0


def unread(compiled: Compiled, tree: Any, guide: Guide | None = None) -> list[Unread]:
    """Return what a mapping does not use of a tree that it translates; a tree that it refuses gives nothing.

    Values at one path that repeats (lines) are told once, the first. `guide` knows which elements are qualifiers.
    """
    before = _outcome(compiled, tree)
    if isinstance(before, Rejected):
        return []
    found: dict[str, Unread] = {}
    for count, (one, change) in enumerate(_places(tree, guide)):
        if count >= _MOST:
            break
        if one.path in found:
            continue
        if all(_same(compiled, tree, before, change, other) for other in others(one.value)):
            found[one.path] = one
    return list(found.values())


def others(value: str) -> tuple[str, str]:
    """Return two values that differ from this one: at its beginning, and at its end."""
    head = str((int(value[0]) + 1) % 10) if value[:1] in tuple("0123456789") else "Q"
    return head + value[1:], value + "Q"


def _same(compiled: Compiled, tree: Any, before: Any, change: Change, other: str) -> bool:
    restore = change(other)
    try:
        after = _outcome(compiled, tree)
    finally:
        restore()
    return not isinstance(after, Rejected) and bool(after == before)


def _outcome(compiled: Compiled, tree: Any) -> Any:
    try:
        return compiled.inward(tree)
    except Rejected as error:
        return error


def _places(tree: Any, guide: Guide | None) -> Iterator[tuple[Unread, Change]]:
    if isinstance(tree, Node):
        for children in tree.children.values():
            for child in children:
                yield from _segments(child, "", guide)
    else:
        yield from _keys(tree, "")


def _segments(node: Node, above: str, guide: Guide | None) -> Iterator[tuple[Unread, Change]]:
    rules = guide.elements.get(node.tag, ()) if guide else ()
    place = f"{above}{node.tag}"
    picked = _pick(node, guide, rules)
    for position, element in enumerate(node.elements[1:], start=1):
        for component, value in enumerate([element] if isinstance(element, str) else element, start=1):
            if not value or _counts(node, position, component, guide, rules):
                continue
            path = f"{place}{picked}.{position:02d}" + (f".{component:02d}" if isinstance(element, list) else "")
            yield Unread(path=path, value=value, segment=node.number), _change_element(node, position, component)
    for children in node.children.values():
        for child in children:
            yield from _segments(child, f"{place}{picked}/", guide)


def _counts(node: Node, position: int, component: int, guide: Guide | None, rules: tuple[Element, ...]) -> bool:
    """Say whether a value only tells what stands where or how much there is: qualifiers, hierarchy numbers, totals."""
    if guide and node.tag == guide.hierarchy:
        return position in (1, 2, 3, 4)
    if guide and any(node.tag == total.tag for total in guide.totals):
        return True
    return position == 1 and component == _qualifier(node.tag, guide, rules)


def _pick(node: Node, guide: Guide | None, rules: tuple[Element, ...]) -> str:
    """Return `[01=ST]` where the first element says what the segment is about."""
    if guide and node.tag == guide.hierarchy:
        return f"[03={node.elements[3]}]" if len(node.elements) > 3 else ""
    component = _qualifier(node.tag, guide, rules)
    if not component or len(node.elements) < 2:
        return ""
    first = node.elements[1]
    if isinstance(first, str):
        return f"[01={first}]" if first else ""
    return f"[01.01={first[0]}]" if first and first[0] else ""


def _qualifier(tag: str, guide: Guide | None, rules: tuple[Element, ...]) -> int:
    """Return which component of element 01 is a qualifier: a code that does not open the set; 0 for none."""
    if not guide or not rules or (guide.entries and tag == guide.entries[0].tag):
        return 0
    first = rules[0].parts[0] if rules[0].parts else rules[0]
    coded = first.kind == "ID" or (guide.name.startswith("edifact/") and first.kind in ("AN", "A") and first.high <= 3)
    return int(coded)


def _change_element(node: Node, position: int, component: int) -> Change:
    def change(other: str) -> Callable[[], None]:
        before = node.elements
        value = before[position]
        put = other if isinstance(value, str) else [*value[: component - 1], other, *value[component:]]
        node.elements = [*before[:position], put, *before[position + 1 :]]

        def restore() -> None:
            node.elements = before

        return restore

    return change


def _keys(value: Any, above: str) -> Iterator[tuple[Unread, Change]]:
    """Walk dicts and lists; a list's members share one path."""
    if isinstance(value, dict):
        below: Any = [(name, f"{above}.{_spelled(name)}" if above else _spelled(name)) for name in value]
    elif isinstance(value, list):
        below = [(index, f"{above}[*]") for index in range(len(value))]
    else:
        return
    for key, path in below:
        one = value[key]
        if isinstance(one, (dict, list)):
            yield from _keys(one, path)
        elif one not in (None, ""):
            yield Unread(path=path, value=str(one)), _change_key(value, key)


def _spelled(name: str) -> str:
    return f'"{name}"' if any(mark in name for mark in ".[]/") else name


def _change_key(holder: Any, key: Any) -> Change:
    def change(other: str) -> Callable[[], None]:
        before = holder[key]
        holder[key] = other if isinstance(before, str) else None

        def restore() -> None:
            holder[key] = before

        return restore

    return change
