"""Canonical documents: their fields are known, so each is read as what it is."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal

import msgspec

from hub.translate import plain_paths
from hub.translate.paths import Path, Step, parse_plain
from hub.translate.straight.listing import Listing, Program
from hub.translate.straight.places import Kind, Place, Value, nothing

_KINDS: dict[Any, Kind] = {str: "text", Decimal: "decimal", int: "whole", date: "date", datetime: "instant"}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a field holds: `type` exactly, a tuple of that, or None where it may be missing."""

    type: type | None = None
    """None where anything may stand."""
    many: bool = False
    optional: bool = False

    @property
    def struct(self) -> bool:
        """Say whether it is an object with fields."""
        return self.type is not None and issubclass(self.type, msgspec.Struct)


@cache
def shapes(struct: type) -> dict[str, Shape]:
    """Return what each field of a canonical type holds."""
    return {name: _shape(hint) for name, hint in plain_paths.hints(struct).items()}


def _shape(hint: Any) -> Shape:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        known = [argument for argument in arguments if argument is not type(None)]
        return replace(_shape(known[0]), optional=True) if len(known) == 1 else Shape()
    if origin is tuple:
        inner = _shape(arguments[0])
        return replace(inner, many=True) if not inner.many and not inner.optional else Shape()
    if origin is Literal:
        return Shape(type=str) if all(isinstance(one, str) for one in arguments) else Shape()
    return Shape(type=hint) if isinstance(hint, type) and hint is not dict else Shape()


class Spot:
    """One record, with all that is read from it."""

    def __init__(self, program: Program, node: str, struct: type, top: str = "") -> None:
        self.node = node
        self.struct = struct
        self.top = top
        self._program = program
        self._leaves: dict[str, str] = {}
        self._below: dict[tuple[str, int], Spot] = {}

    def leaf(self, name: str) -> str:
        """Return the variable of a field that is one plain value."""
        return self._leaves.get(name) or self._leaves.setdefault(name, self._program.fresh("v"))

    def below(self, name: str, place: int, struct: type) -> Spot:
        """Go to the record that a field holds, or to the one at a place of several."""
        if (name, place) not in self._below:
            node = self._program.fresh("n")
            self._below[name, place] = Spot(self._program, node, struct, self.top or node)
        return self._below[name, place]

    def names(self) -> list[str]:
        """Return the variables that are None without this record."""
        return [*self._leaves.values(), *(name for spot in self._below.values() for name in (spot.node, *spot.names()))]

    def write(self, lines: Listing) -> None:
        """Write what reads all of it; it is a record of that type."""
        known = shapes(self.struct)
        for field, name in self._leaves.items():
            lines.put(f"{name} = {self.node}.{field}")
            checked(self._program, name, known[field], lines)
        for (field, place), spot in self._below.items():
            lines.put(f"{spot.node} = {self.node}.{field}")
            checked(self._program, spot.node, known[field], lines)
            if known[field].many:
                one = replace(known[field], many=False, optional=True)
                lines.put(f"{spot.node} = {spot.node}[{place}] if len({spot.node}) > {place} else None")
                checked(self._program, spot.node, one, lines)
            if known[field].optional or known[field].many:
                spot.write(lines.below(f"if {spot.node} is not None:"))
                nothing(lines.below("else:"), spot.names())
            else:
                spot.write(lines)


def checked(program: Program, name: str, shape: Shape, lines: Listing) -> None:
    """Write what refuses a value that is not what its field should hold."""
    kind = "tuple" if shape.many else program.bind(shape.type, "t")
    missing = f" and {name} is not None" if shape.optional else ""
    lines.put(f"if {name}.__class__ is not {kind}{missing}: raise Unfit")


class RecordPlace(Place):
    """A canonical document or an element of it: a record, a plain value, or (`shape.type` None) anything."""

    def __init__(self, program: Program, node: str, head: Listing, shape: Shape, above: Place | None = None) -> None:
        super().__init__(program, node, head, above)
        self._shape = shape
        self._spot = Spot(program, node, shape.type) if shape.struct and shape.type else None
        self._lists: dict[Step, str] = {}
        self._values: dict[tuple[Path, bool], str] = {}

    def parse(self, text: str) -> Path:
        return parse_plain(text)

    def read(self, path: Path, *, climbed: bool) -> Value:
        if not path.steps and self._shape.type in _KINDS:
            return Value(text=self.node, kind=_KINDS[self._shape.type])
        short = not climbed and len(path.steps) < 3 and all(step.index is None for step in path.steps)
        plain = not any(step.picks or step.every for step in path.steps)
        found = self._typed(path, blank=short) if plain else None
        if found:
            return found
        key = (path, climbed)
        name = self._values.get(key) or self._values.setdefault(key, self.program.fresh("v"))
        return Value(text=name)

    def _typed(self, path: Path, *, blank: bool) -> Value | None:
        """Return a value whose whole way is known; None where something may be anything, or several."""
        spot = self._spot
        for step in path.steps[:-1]:
            shape = shapes(spot.struct)[step.name] if spot else Shape()
            if spot is None or not shape.struct or shape.type is None or (step.index and not shape.many):
                return None
            spot = spot.below(step.name, step.index or 0, shape.type)
        if spot is None or not path.steps or path.steps[-1].index is not None:
            return None
        shape = shapes(spot.struct)[path.steps[-1].name]
        if shape.many or shape.type not in _KINDS:
            return None
        return Value(
            text=spot.leaf(path.steps[-1].name), kind=_KINDS[shape.type],
            spots=frozenset({spot.top}) if spot.top else None, blank=blank,
        )  # fmt: skip

    def children(self, step: Step) -> str:
        return self._lists.get(step) or self._lists.setdefault(step, self.program.fresh("l"))

    def child(self, step: Step, node: str, head: Listing) -> Place:
        shape = shapes(self._spot.struct).get(step.name, Shape()) if self._spot else Shape()
        return RecordPlace(self.program, node, head, replace(shape, many=False, optional=False), self)

    def guard(self, lines: Listing) -> None:
        if self._shape.type is None:
            lines.put(f"if {self.node} is None: continue")
        else:
            checked(self.program, self.node, self._shape, lines)

    def close(self) -> None:
        bind = self.program.bind
        if self.above is None:
            self.guard(self.head)
        for (path, climbed), name in self._values.items():
            read = plain_paths.reader(path, plain_paths.of_records)
            self.head.put(f"{name} = {bind(read, 'r')}({self.node}, None)")
            if climbed:  # As `plain_paths.reader` does it: an empty text is a value to short paths only.
                self.head.put(f'if {name} == "": {name} = None')
        for step, name in self._lists.items():
            self._write_list(step, name)
        if self._spot:
            self._spot.write(self.head)

    def _write_list(self, step: Step, name: str) -> None:
        shape = shapes(self._spot.struct).get(step.name, Shape()) if self._spot else Shape()
        if shape.many and not step.picks and step.index is None:
            self.head.put(f"{name} = {self.node}.{step.name}")
            checked(self.program, name, shape, self.head)
            return
        match = plain_paths.matches(step, plain_paths.of_records)
        self.head.put(f"{name} = {self.program.bind(match, 'all')}({self.node})")
