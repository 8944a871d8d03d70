"""Where a value came from: the rule, its file and line, the path, the raw value, the functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from hub.translate.paths import Scope
from hub.translate.plain_paths import as_text
from hub.translate.segments import Block, Element, Sheet, write
from hub.translate.steps import BAD_VALUE, Step
from hub.translate.targets import Each, Target


class Trace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value that a mapping gave, or could not give: then `problem` says why."""

    path: str
    """Canonical path inward; segment, element and component, or the key, outward."""
    value: str = ""
    rule: str = ""
    """`file:line` of the rule."""
    sources: tuple[str, ...] = ()
    source: str = ""
    """The source that was present and counted; empty for constants and defaults."""
    raw: str = ""
    functions: tuple[str, ...] = ()
    segment: int = 0
    """Number of the EDI segment it was read from, or of what holds it, counted from ST or UNH = 1."""
    problem: str = ""


def explain_target(target: Target, node: Any, scope: Scope, prefix: str) -> Iterator[Trace]:
    """Walk a target rule by rule, in the order of the file."""
    if target.holds is not None and not target.holds(node, scope):
        return
    for name, step in target.steps.items():
        trace = _trace(f"{prefix}{name}", step, node, scope)
        if trace:
            yield trace
    for name, below in target.nested.items():
        yield from explain_target(below, node, scope, f"{prefix}{name}.")
    for name, blocks in target.arrays.items():
        for count, (child, inside, each) in enumerate(_items(blocks, node, scope)):
            yield from explain_target(each.target, child, inside, f"{prefix}{name}[{count}].")


def explain_blocks(blocks: tuple[Block, ...], document: Any) -> list[Trace]:
    """Write the segments and note each value: `3 N1.02` is element 02 of the third segment."""
    noted: list[tuple[int, list[Any], Trace]] = []
    sheet = Sheet()

    def told(element: Element, node: Any, scope: Scope, value: str) -> None:
        segment = sheet.segments[-1]
        trace = _trace(element.step.rule.target, element.step, node, scope) or _counter(element, value)
        noted.append((len(noted), segment, msgspec.structs.replace(trace, value=value, path=_place(segment, element))))

    sheet.told = told
    write(blocks, document, sheet)
    numbers = {id(segment): number for number, segment in enumerate(sheet.segments, start=1)}
    kept = [(numbers[id(segment)], trace) for _, segment, trace in noted if id(segment) in numbers]
    traces = [msgspec.structs.replace(trace, path=f"{number} {trace.path}") for number, trace in kept]
    return traces + [Trace(path=problem.path, problem=problem.text) for problem in sheet.problems]


def _items(blocks: tuple[Each, ...], node: Any, scope: Scope) -> Iterator[tuple[Any, Scope, Each]]:
    for each in blocks:
        if each.holds is not None and not each.holds(node, scope):
            continue
        for child, inside in each.select(node, scope) if each.select else ((node, scope),):
            yield child, inside, each


def _trace(path: str, step: Step, node: Any, scope: Scope) -> Trace | None:
    source, raw, segment = step.origin(node, scope)
    value, problem = None, ""
    try:
        value = step.read(node, scope) if step.read else None
    except BAD_VALUE as error:
        problem = str(error)
    if value is None and not problem:
        source, raw = "", None
        value = step.fill(node, scope) if step.fill else None
    if value is None and not problem and not step.rule.required:
        return None
    rule = step.rule
    return Trace(
        path=path,
        value=_spelled(value),
        rule=rule.where,
        sources=rule.sources,
        source=source,
        raw=_spelled(raw),
        functions=(*rule.chain, *((f"table {rule.table}",) if rule.table else ())) if source else (),
        segment=segment.number if source and segment else 0,
        problem=problem or ("" if value is not None else "a value is required"),
    )


def _counter(element: Element, value: str) -> Trace:
    return Trace(path="", value=value, rule=element.step.rule.where, sources=(element.counter,))


def _place(segment: list[Any], element: Element) -> str:
    component = f".{element.component:02d}" if element.component else ""
    return f"{segment[0]}.{element.position:02d}{component}"


def _spelled(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(as_text, value))
    return as_text(value)
