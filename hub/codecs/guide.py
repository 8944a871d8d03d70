"""Guides: what a set may look like, read from data files, tightened by a partner's overlay, compiled once."""

from __future__ import annotations

import dataclasses
import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hub.codecs.elements import Element, parse_elements
from hub.domain.errors import Rejected

UNLIMITED = 1 << 30
_HERE = Path(__file__).parent
_NAME = re.compile(r"(x12|edifact)/([A-Za-z0-9][A-Za-z0-9._-]*)")


class Entry(NamedTuple):
    """A segment, or a loop that its first segment opens, at its place in the order."""

    tag: str
    least: int
    most: int
    within: tuple[Entry, ...] = ()


class Total(NamedTuple):
    """A value that must be the number of `counted` at the root, where the qualifier fits ("" for any)."""

    tag: str
    qualifier: str
    element: int
    component: int
    counted: str


class PathRule(NamedTuple):
    """What an overlay asks of a place: `path` leads from the root to segments, `element` is 0 for the segment."""

    kind: str
    """require or forbid."""
    path: tuple[tuple[str, int, str], ...]
    """Steps of tag, and position and value of the qualifier that tells a loop apart (0 and "" for none)."""
    element: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Guide:
    """One set of one version, with all that it extends resolved."""

    name: str
    set: str
    document: str
    functional_id: str
    hierarchy: str
    entries: tuple[Entry, ...]
    elements: Mapping[str, tuple[Element, ...]]
    notes: Mapping[str, tuple[tuple[str, tuple[int, ...]], ...]]
    totals: tuple[Total, ...]
    rules: tuple[PathRule, ...]
    relax: frozenset[str]


@functools.lru_cache(maxsize=256)
def load_guide(name: str, overlay: bytes = b"") -> Guide:
    """Return a guide by name ("x12/850-004010"), tightened by an overlay (its JSON); unknown names are Rejected."""
    data = _resolve(name, 0)
    if overlay:
        data = _extend(data, msgspec.json.decode(overlay))
    return _guide(name, data)


def has_guide(name: str) -> bool:
    """Say whether a dictionary of that name comes with the codecs."""
    match = _NAME.fullmatch(name)
    return match is not None and (_HERE / match[1] / "dictionaries" / f"{match[2]}.toml").is_file()


@functools.lru_cache(maxsize=64)
def guides_of(syntax: str, set_name: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return (versions as they sort by age, name) of every dictionary of a set, oldest first."""
    found = []
    for file in sorted((_HERE / syntax / "dictionaries").glob(f"{_safe(set_name)}-*.toml")):
        name = f"{syntax}/{file.stem}"
        found.append((tuple(map(sortable, _resolve(name, 0)["versions"])), name))
    return tuple(sorted(found))


def sortable(version: str) -> str:
    """Return a version so that older ones sort first: 004010 as it is, D.96A as 1996A, D.01B as 2001B."""
    head, _, release = version.partition(".")
    if head == "D" and release[:2].isdecimal():
        return ("19" if release[:2] > "89" else "20") + release[:3]
    return version[:6]


def _safe(name: str) -> str:
    return name if name.isalnum() and name.isascii() else "-"


def _resolve(name: str, depth: int) -> dict[str, Any]:
    match = _NAME.fullmatch(name)
    if not match or not has_guide(name) or depth > 5:
        raise Rejected(f"guide {name}: there is no such dictionary; name one such as x12/850-004010")
    data = tomllib.loads((_HERE / match[1] / "dictionaries" / f"{match[2]}.toml").read_text("utf-8"))
    return _extend(_resolve(data["extends"], depth + 1), data) if "extends" in data else data


def _extend(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one file over another: tables merge by key, lists of rules add up, single values replace."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = {**merged[key], **value}
        elif key in ("require", "forbid", "relax", "insert"):
            merged[key] = [*merged.get(key, ()), *value]
        elif key != "extends":
            merged[key] = value
    return merged


def _guide(name: str, data: Mapping[str, Any]) -> Guide:
    shared = _resolve(data["segments"], 0) if "segments" in data else {}
    composites = {**shared.get("composites", {}), **data.get("composites", {})}
    rows = {**shared.get("elements", {}), **data.get("elements", {})}
    notes = {**shared.get("notes", {}), **data.get("notes", {})}
    entries = parse_structure(data.get("structure", ""))
    for change in data.get("insert", ()):
        entries = _insert(entries, [step for step in change.get("under", "").split("/") if step], change)
    for path, most in data.get("repeat", {}).items():
        entries = _limit(entries, path.split("/"), most)
    elements = {tag: parse_elements(specs, composites) for tag, specs in rows.items()}
    _tighten(elements, data)
    return Guide(
        name=name,
        set=data.get("set", ""),
        document=data.get("document", ""),
        functional_id=data.get("functional_id", ""),
        hierarchy=data.get("hierarchy", ""),
        entries=entries,
        elements=elements,
        notes={tag: tuple(_note(row) for row in found) for tag, found in notes.items() if found},
        totals=tuple(_total(place, counted) for place, counted in data.get("totals", {}).items()),
        rules=tuple(_rule(kind, path) for kind in ("require", "forbid") for path in data.get(kind, ())),
        relax=frozenset(data.get("relax", ())),
    )


def _note(row: str) -> tuple[str, tuple[int, ...]]:
    kind, *positions = row.split()
    return kind, tuple(map(int, positions))


_TOTAL = re.compile(r"([A-Z0-9]{2,3})(?:\[01=([^\]]*)\])?\.(\d+)(?:\.(\d+))?")


def _total(place: str, counted: str) -> Total:
    """Parse "CTT.01" or "CNT[01=2].01.2"."""
    match = _TOTAL.fullmatch(place)
    if not match:
        raise Rejected(f"guide total {place}: write it as CTT.01 or CNT[01=2].01.2")
    return Total(match[1], match[2] or "", int(match[3]), int(match[4] or 1), counted)


def _place(place: str) -> tuple[str, int]:
    tag, _, position = place.partition(".")
    return tag, int(position)


def parse_structure(text: str) -> tuple[Entry, ...]:
    """Parse the indented lines "TAG least most" of a dictionary; what is indented belongs to the loop above it."""
    rows: list[tuple[int, str, int, int]] = []
    for line in text.splitlines():
        if line.strip():
            tag, least, most = line.split()
            depth = (len(line) - len(line.lstrip())) // 4
            rows.append((depth, tag, int(least), UNLIMITED if most == "*" else int(most)))
    return _nest(rows, 0)


def _nest(rows: Sequence[tuple[int, str, int, int]], depth: int) -> tuple[Entry, ...]:
    heads = [index for index, row in enumerate(rows) if row[0] == depth]
    ends = [*heads[1:], len(rows)]
    return tuple(
        Entry(*rows[head][1:], _nest(rows[head + 1 : end], depth + 1)) for head, end in zip(heads, ends, strict=False)
    )


def _insert(entries: tuple[Entry, ...], under: list[str], change: Mapping[str, str]) -> tuple[Entry, ...]:
    if under:
        return tuple(
            entry._replace(within=_insert(entry.within, under[1:], change)) if entry.tag == under[0] else entry
            for entry in entries
        )
    (new,) = parse_structure(change["segment"])
    after = next((index + 1 for index, entry in enumerate(entries) if entry.tag == change.get("after")), 0)
    return (*entries[:after], new, *entries[after:])


def _limit(entries: tuple[Entry, ...], path: list[str], most: int) -> tuple[Entry, ...]:
    return tuple(
        entry
        if entry.tag != path[0]
        else entry._replace(within=_limit(entry.within, path[1:], most))
        if path[1:]
        else entry._replace(most=min(most, entry.most))
        for entry in entries
    )


def _tighten(elements: dict[str, tuple[Element, ...]], data: Mapping[str, Any]) -> None:
    """Apply an overlay's `codes` and `length` tables, keyed "BEG.01"."""
    for place, codes in data.get("codes", {}).items():
        _change(elements, place, codes=frozenset(codes))
    for place, (low, high) in data.get("length", {}).items():
        _change(elements, place, low=low, high=high)


def _change(elements: dict[str, tuple[Element, ...]], place: str, **change: Any) -> None:
    tag, position = _place(place)
    rules = elements.get(tag, ())
    rules += tuple(Element(False, "AN", 1, UNLIMITED) for _ in range(position - len(rules)))
    elements[tag] = (*rules[: position - 1], rules[position - 1]._replace(**change), *rules[position:])


_STEP = re.compile(r"([A-Z0-9]{2,3})(?:\[(\d+)=([^\]]*)\])?(?:\.(\d+))?")


def _rule(kind: str, path: str) -> PathRule:
    """Parse "REF", "BEG.05" or "N1[01=ST]/N4.03"."""
    steps, element = [], 0
    for part in path.split("/"):
        match = _STEP.fullmatch(part)
        if not match or element:
            raise Rejected(f"guide rule {path}: write it as REF, BEG.05 or N1[01=ST]/N4.03")
        steps.append((match[1], int(match[2] or 0), match[3] or ""))
        element = int(match[4] or 0)
    return PathRule(kind, tuple(steps), element)


EMPTY = Guide(
    name="", set="", document="", functional_id="", hierarchy="HL",
    entries=(Entry("HL", 0, UNLIMITED, (Entry("", 0, 0),)),),
    elements={}, notes={}, totals=(), rules=(), relax=frozenset(),
)  # fmt: skip
"""The guide of a set that no dictionary knows: unchecked, and flat but for its hierarchy levels."""
