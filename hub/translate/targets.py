"""Objects that rules fill: canonical documents inward, JSON, XML and CSV trees outward."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.domain.errors import Position, Problem
from hub.domain.tree import Node
from hub.translate.paths import Scope, Select
from hub.translate.rules import When
from hub.translate.sources import node_of
from hub.translate.steps import BAD_VALUE, Step

Build = Callable[[Any, Scope, list[Problem]], Any]
"""(current element, its scope, problems found so far) -> what was built, None where nothing was there."""


@dataclass(frozen=True, kw_only=True)
class Each:
    """One block of an array: for every element that `select` finds, one target. Without it: at most one."""

    target: Target
    select: Select | None = None
    text: str = ""
    when: When | None = None
    holds: Callable[[Any, Scope], bool] | None = None
    """`when`, ready to be asked."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An object to build. `make` is its type, `dict` for free objects."""

    make: Callable[..., Any]
    steps: abc.Mapping[str, Step] = field(default_factory=dict)
    nested: abc.Mapping[str, Target] = field(default_factory=dict)
    arrays: abc.Mapping[str, tuple[Each, ...]] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    """Fields without which the object cannot be."""
    order: tuple[str, ...] = ()
    when: When | None = None
    holds: Callable[[Any, Scope], bool] | None = None

    @property
    def needs_text(self) -> bool:
        """Say whether it is an XML element that is nothing without its text: attributes alone do not make it."""
        step = self.steps.get("#text") if self.make is dict else None
        return step is not None and step.fill is None


def builder(target: Target, *, always: bool) -> Build:
    """Compile a target. `always` builds it also where no rule found a value."""
    read_steps, descend = _steps_reader(target), _descender(target)
    required = tuple(name for name, step in target.steps.items() if step.rule.required and step.fill is None)
    finish = _finisher(target)
    holds, needs_text = target.holds, target.needs_text

    def build(node: Any, scope: Scope, problems: list[Problem]) -> Any:
        if holds is not None and not holds(node, scope):
            return None
        values: dict[str, Any] = {}
        before = len(problems)
        read_steps(values, node, scope, problems)
        if descend is not None:
            descend(values, node, scope, problems)
        for name in required:
            if name not in values:
                _missing(target, name, node, scope, problems, before)
        if needs_text and "#text" not in values:
            return None
        return finish(values, node, scope, problems, before) if values or always else None

    return build


Fill = Callable[[dict[str, Any], Any, Scope, list[Problem]], None]
"""(values to add to, current element, its scope, problems found so far)"""


def _steps_reader(target: Target) -> Fill:
    steps = tuple((name, step.read) for name, step in target.steps.items() if step.read)

    def fill(values: dict[str, Any], node: Any, scope: Scope, problems: list[Problem]) -> None:
        for name, read in steps:
            try:
                value = read(node, scope)
            except BAD_VALUE as error:
                problems.append(_invalid(name, target.steps[name], node, scope, error))
            else:
                if value is not None:
                    values[name] = value

    return fill


def _descender(target: Target) -> Fill | None:
    inner = tuple((name, builder(below, always=False)) for name, below in target.nested.items())
    inner += tuple((name, array_builder(blocks)) for name, blocks in target.arrays.items())

    def fill(values: dict[str, Any], node: Any, scope: Scope, problems: list[Problem]) -> None:
        for name, below in inner:
            start = len(problems)
            value = below(node, scope, problems)
            if value is not None:
                values[name] = value
            if len(problems) != start:
                _prefix(problems, start, name)

    return fill if inner else None


def _finisher(target: Target) -> Callable[..., Any]:
    """Put defaults and constants in and make the object."""
    fills = tuple((name, step.fill) for name, step in target.steps.items() if step.fill)
    make, needed = target.make, frozenset(target.needed)
    order = target.order if make is dict else ()

    def finish(values: dict[str, Any], node: Any, scope: Scope, problems: list[Problem], before: int) -> Any:
        for name, fill in fills:
            if name not in values:
                value = fill(node, scope)
                if value is not None:
                    values[name] = value
        if order:
            return {name: values[name] for name in order if name in values}
        if needed.issubset(values):
            return make(**values)
        for name in (name for name in target.needed if name not in values):
            _missing(target, name, node, scope, problems, before)
        return None

    return finish


def array_builder(blocks: tuple[Each, ...]) -> Build:
    """Build the items of all blocks one after the other; a problem's path gets `[index]`."""
    parts = tuple((each.select, builder(each.target, always=each.select is not None), each.holds) for each in blocks)
    as_list = blocks[0].target.make is dict

    def build(node: Any, scope: Scope, problems: list[Problem]) -> Any:
        items: list[Any] = []
        count = 0
        for select, make, holds in parts:
            if holds is not None and not holds(node, scope):
                continue
            for child, inside in select(node, scope) if select else ((node, scope),):
                start = len(problems)
                item = make(child, inside, problems)
                if item is not None:
                    items.append(item)
                if len(problems) != start:
                    _prefix(problems, start, f"[{count}]")
                count += 1
        if not items:
            return None
        return items if as_list else tuple(items)

    return build


def _prefix(problems: list[Problem], start: int, name: str) -> None:
    for place in range(start, len(problems)):
        path = problems[place].path
        dot = "" if path.startswith("[") else "."
        problems[place] = msgspec.structs.replace(problems[place], path=f"{name}{dot}{path}")


def _position(node: Node | None) -> Position | None:
    return Position(segment=node.number, tag=node.tag, offset=node.offset) if node else None


def _invalid(name: str, step: Step, node: Any, scope: Scope, error: Exception) -> Problem:
    _, raw, segment = step.origin(node, scope)
    text = f"{error} (from {' or '.join(step.rule.sources)}, rule {step.rule.where})"
    value = "" if raw is None else str(raw)[:100]
    return Problem(code="invalid", path=name, text=text, value=value, at=_position(segment))


def _missing(target: Target, name: str, node: Any, scope: Scope, problems: list[Problem], before: int) -> None:
    """Report a missing value, unless the same field was already reported since `before`."""
    if any(problem.path == name for problem in problems[before:]):
        return
    rule = target.steps[name].rule if name in target.steps else None
    reason = f"nothing in {' or '.join(rule.sources)} (rule {rule.where})" if rule else "no rule gives it"
    text = f"a value is required, {reason}"
    problems.append(Problem(code="required", path=name, text=text, at=_position(node_of(node, scope))))
