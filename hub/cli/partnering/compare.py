"""What a partner's own sample of a document has and ours has not, segment by segment and element by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from hub.codecs.guide import Guide
from hub.domain.tree import Node

Segment = Sequence[str | Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that differs: where it stands in theirs and in ours (segment numbers from 1, 0 for nowhere)."""

    place: str
    theirs: str
    ours: str
    segment: int = 0
    our_segment: int = 0

    def __str__(self) -> str:
        at = f" (their segment {self.segment})" if self.segment else ""
        at = at or (f" (our segment {self.our_segment})" if self.our_segment else "")
        if not self.theirs or not self.ours:
            who, value = ("they have", self.theirs) if self.theirs else ("we have", self.ours)
            return f"{self.place}{at}: only {who} {value!r}"
        return f"{self.place}{at}: they have {self.theirs!r}, we have {self.ours!r}"


def flat(root: Node) -> list[Segment]:
    """Return the segments of a tree in the order of the message, without ST and SE or UNH and UNT."""
    found: list[Node] = []
    waiting = [child for children in root.children.values() for child in children]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += [child for children in node.children.values() for child in children]
    return [node.elements for node in sorted(found, key=lambda node: node.number)]


def differences(theirs: Sequence[Segment], ours: Sequence[Segment], guide: Guide) -> list[Difference]:
    """Compare two documents of one set. Segments are the same where tag and qualifier are; dates and numbers count."""
    keys = [[_key(segment, guide) for segment in side] for side in (theirs, ours)]
    found: list[Difference] = []
    for kind, a, b, c, d in SequenceMatcher(a=keys[0], b=keys[1], autojunk=False).get_opcodes():
        if kind == "equal":
            for at in range(b - a):
                found += _elements(theirs[a + at], ours[c + at], a + at + 2, c + at + 2, guide)
            continue
        found += [
            Difference(place=keys[0][at], theirs=_text(theirs[at]), ours="", segment=at + 2) for at in range(a, b)
        ]
        found += [
            Difference(place=keys[1][at], theirs="", ours=_text(ours[at]), our_segment=at + 2) for at in range(c, d)
        ]
    return found


def key_differences(theirs: Any, ours: Any) -> list[Difference]:
    """Compare two trees of keys (XML, JSON), value by value; members of lists by their place."""
    both = dict(_leaves(theirs, "")), dict(_leaves(ours, ""))
    paths = [*both[0], *(path for path in both[1] if path not in both[0])]
    values = ((path, both[0].get(path, ""), both[1].get(path, "")) for path in paths)
    return [Difference(place=path, theirs=one, ours=other) for path, one, other in values if one != other]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _leaves(one, f"{path}[{at}]")
    elif value not in (None, ""):
        yield path, str(value)


def _elements(theirs: Segment, ours: Segment, number: int, our_number: int, guide: Guide) -> Iterator[Difference]:
    if guide.hierarchy == theirs[0]:
        return
    for position in range(1, max(len(theirs), len(ours))):
        one, other = _at(theirs, position), _at(ours, position)
        if one != other:
            place = f"{_key(theirs, guide)}.{position:02d}"
            yield Difference(place=place, theirs=one, ours=other, segment=number, our_segment=our_number)


def _at(segment: Segment, position: int) -> str:
    value = segment[position] if position < len(segment) else ""
    return value if isinstance(value, str) else ":".join(value).rstrip(":")


def _key(segment: Segment, guide: Guide) -> str:
    """Return the tag, with what tells this segment from others of its tag: its qualifier."""
    tag, first = str(segment[0]), _at(segment, 1).partition(":")[0]
    if tag == guide.hierarchy:
        return f"{tag}[03={_at(segment, 3)}]"
    rules = guide.elements.get(tag, ())
    rule = (rules[0].parts[0] if rules[0].parts else rules[0]) if rules else None
    coded = rule is not None and (rule.kind == "ID" or (guide.name.startswith("edifact/") and rule.high <= 3))
    return f"{tag}[01={first}]" if coded and first and rule and rule.high <= 3 else tag


def _text(segment: Segment) -> str:
    return "*".join(_at(segment, position) for position in range(len(segment)))
