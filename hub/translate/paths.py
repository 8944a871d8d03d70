"""Paths: where a value stands in a tree. Parsed once, when a mapping is compiled.

Two grammars, one meaning. EDI: `N1[01=ST]/N4.03`, `NAD[01=BY].02.01`, `LIN{UP}`, `{UP}`, `02`.
Everything else: `customer.email`, `lines[*].sku`, `addresses[type=ship].city`, `prices[0]`.
Both know `../` (what holds the current element), `.` (the current element) and `[*]` (all of them).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Scope = tuple[Any, Any, int] | None
"""(what holds the current element, the scope of that, position of the current element from 0)."""
Read = Callable[[Any, Scope], Any]
"""(current element, its scope) -> value, a list where the path says `[*]`, or None."""
Select = Callable[[Any, Scope], Sequence[tuple[Any, Scope]]]
"""(current element, its scope) -> every element that the path names, each with its scope."""

_EDI_STEP = re.compile(
    r"(?P<tag>[A-Z][A-Z0-9_]*)?(?P<picks>(?:\[[^\]]*\])*)"
    r"(?:\{(?P<pair>[^}]+)\}|\.?(?P<element>\d{2})(?:\.(?P<component>\d{1,2}))?)?"
)
_PICK = re.compile(r"\[([^\]]*)\]")
_PLAIN_STEP = re.compile(r"(?P<name>\"[^\"]+\"|[^\[\].\"/]+)(?P<picks>(?:\[[^\]]*\])*)")
_POSITION = re.compile(r"(\d{2})(?:\.(\d{1,2}))?")


ANY = "*"
"""In a condition on an EDI element: it has a value, whichever."""


class PathError(ValueError):
    """A path that cannot be read; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Pick:
    """One condition in brackets: the element (01, 01.02) or key that must equal `value`; in EDI, `*` is any value."""

    key: str
    value: str
    element: int = 0
    component: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step down: a tag or key, with what its elements must fulfil. `every` means all, else the first."""

    name: str
    picks: tuple[Pick, ...] = ()
    index: int | None = None
    every: bool = False


@dataclass(frozen=True, kw_only=True)
class Path:
    """A parsed path. EDI paths may end in an element (and component) or in a pair's qualifier."""

    text: str
    ups: int = 0
    steps: tuple[Step, ...] = ()
    element: int = 0
    component: int = 0
    pair: str = ""

    @property
    def many(self) -> bool:
        """Say whether the path names several values."""
        return any(step.every for step in self.steps)


@lru_cache(maxsize=1024)
def parse_edi(text: str) -> Path:
    """Parse a path into an EDI tree."""
    ups, rest = _ascend(text)
    steps: list[Step] = []
    leaf = {"element": 0, "component": 0, "pair": ""}
    parts = [] if rest in ("", ".") else _split(rest, "/")
    for position, part in enumerate(parts):
        found = _EDI_STEP.fullmatch(part)
        if not found or not part:
            raise PathError(f"{text}: cannot read {part!r}; write TAG, TAG[01=ST], TAG.02, TAG.02.01 or TAG{{UP}}")
        if found["tag"]:
            steps.append(_edi_step(text, found["tag"], found["picks"]))
        leaf = {
            "element": int(found["element"] or 0),
            "component": int(found["component"] or 0),
            "pair": found["pair"] or "",
        }
        if any(leaf.values()) and position != len(parts) - 1:
            raise PathError(f"{text}: only the last step may name an element")
    return Path(text=text, ups=ups, steps=tuple(steps), **leaf)  # type: ignore[arg-type]


@lru_cache(maxsize=1024)
def parse_plain(text: str) -> Path:
    """Parse a path into a tree of dicts and lists, or into a canonical document."""
    ups, rest = _ascend(text)
    if rest in ("", "."):
        return Path(text=text, ups=ups)
    steps = []
    for part in _split(rest, "."):
        found = _PLAIN_STEP.fullmatch(part)
        if not found:
            raise PathError(f"{text}: cannot read {part!r}; write key, key[0], key[*] or key[type=ship]")
        steps.append(_plain_step(text, found["name"].strip('"'), found["picks"]))
    return Path(text=text, ups=ups, steps=tuple(steps))


def climb(node: Any, scope: Scope, ups: int) -> tuple[Any, Scope]:
    """Go up `ups` levels; above the root there is nothing."""
    for _ in range(ups):
        if scope is None:
            return None, None
        node, scope = scope[0], scope[1]
    return node, scope


def _ascend(text: str) -> tuple[int, str]:
    ups = 0
    rest = text
    while rest.startswith("../"):
        ups, rest = ups + 1, rest[3:]
    return (ups + 1, "") if rest == ".." else (ups, rest)


def _split(text: str, separator: str) -> list[str]:
    parts, depth, quoted, start = [], 0, False, 0
    for position, character in enumerate(text):
        if character == '"' and not depth:
            quoted = not quoted
        depth += (character == "[") - (character == "]")
        if character == separator and not depth and not quoted:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _edi_step(text: str, tag: str, picks: str) -> Step:
    conditions, index, every = [], None, False
    for pick in _PICK.findall(picks):
        key, equals, value = pick.partition("=")
        position = _POSITION.fullmatch(key)
        if pick == "*":
            every = True
        elif pick.isdigit():
            index = int(pick)
        elif equals and position:
            element, component = int(position[1]), int(position[2] or 0)
            conditions.append(Pick(key=key, value=value, element=element, component=component))
        else:
            raise PathError(f"{text}: cannot read [{pick}]; write [01=ST], [01.02=SA], [05=*], [0] or [*]")
    return Step(name=tag, picks=tuple(conditions), index=index, every=every)


def _plain_step(text: str, name: str, picks: str) -> Step:
    conditions, index, every = [], None, False
    for pick in _PICK.findall(picks):
        key, equals, value = pick.partition("=")
        if pick == "*":
            every = True
        elif pick.isdigit():
            index = int(pick)
        elif equals and key:
            conditions.append(Pick(key=key, value=value))
        else:
            raise PathError(f"{text}: cannot read [{pick}]; write [type=ship], [0] or [*]")
    return Step(name=name, picks=tuple(conditions), index=index, every=every)
