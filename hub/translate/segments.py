"""EDI segments out: ordered blocks that repeat within each other, with counters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.domain.errors import Problem
from hub.translate.paths import Scope, Select
from hub.translate.rules import When
from hub.translate.steps import BAD_VALUE, Step

Segment = list[str | list[str]]


@dataclass(frozen=True, kw_only=True)
class Element:
    """One element or component of a block, filled by a rule or a counter."""

    position: int
    component: int
    step: Step
    counter: str = ""

    @property
    def sourced(self) -> bool:
        """Say whether the element reads the document (else it is a constant or a counter)."""
        return not self.step.rule.constant


@dataclass(frozen=True, kw_only=True)
class Block:
    """A segment with what stands under it, once or for `each`."""

    name: str
    tag: str
    elements: tuple[Element, ...]
    children: tuple[Block, ...] = ()
    select: Select | None = None
    text: str = ""
    when: When | None = None
    holds: Callable[[Any, Scope], bool] | None = None

    @property
    def sourced(self) -> bool:
        """Say whether the block reads the document: then it is left out where it found nothing."""
        return any(element.sourced for element in self.elements)


@dataclass
class Sheet:
    """The segments written so far, and the counters that go with them."""

    segments: list[Segment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    hl: int = 0
    told: Callable[[Element, Any, Scope, str], None] | None = None
    """Told of every value that was written, for `explain`."""

    def count(self, tag: str) -> int:
        """Count the segments of a tag that stand before, or all of them for an empty tag."""
        return sum(1 for segment in self.segments if not tag or segment[0] == tag)


def write_block(block: Block, node: Any, scope: Scope, sheet: Sheet, parent: int = 0) -> bool:
    """Write a block for each of its elements; say whether the document had anything for it."""
    if block.holds is not None and not block.holds(node, scope):
        return False
    if block.select is None:
        return _write_one(block, node, scope, sheet, parent)
    found = False
    for place, (child, inside) in enumerate(block.select(node, scope)):
        start = len(sheet.problems)
        found = _write_one(block, child, inside, sheet, parent) or found
        for index in range(start, len(sheet.problems)):
            problem = sheet.problems[index]
            path = f"{block.text.removesuffix('[*]')}[{place}].{problem.path}".removesuffix("..").removesuffix(".")
            sheet.problems[index] = msgspec.structs.replace(problem, path=path)
    return found


def _write_one(block: Block, node: Any, scope: Scope, sheet: Sheet, parent: int) -> bool:
    place, hl = len(sheet.segments), sheet.hl
    own = parent
    if any(element.counter == "@hl" for element in block.elements):
        sheet.hl += 1
        own = sheet.hl
    segment: Segment = [block.tag]
    sheet.segments.append(segment)
    found = _fill(block, segment, node, scope, sheet, (own, parent))
    for child in block.children:
        found = write_block(child, node, scope, sheet, own) or found
    if found or not block.sourced:
        return found
    del sheet.segments[place:]
    sheet.hl = hl
    return False


def _fill(block: Block, segment: Segment, node: Any, scope: Scope, sheet: Sheet, numbers: tuple[int, int]) -> bool:
    """Fill the elements by position and take empty ones off the end."""
    found = False
    for element in block.elements:
        value = _counted(element.counter, sheet, numbers) if element.counter else _value(element, node, scope, sheet)
        if value is None:
            continue
        found = found or element.sourced
        _put(segment, element, value)
        if sheet.told is not None:
            sheet.told(element, node, scope, value)
    return found


def _put(segment: Segment, element: Element, value: str) -> None:
    segment.extend([""] * (element.position + 1 - len(segment)))
    if not element.component:
        segment[element.position] = value
        return
    parts = segment[element.position]
    if not isinstance(parts, list):
        parts = segment[element.position] = [parts] if parts else []
    parts.extend([""] * (element.component - len(parts)))
    parts[element.component - 1] = value


def _value(element: Element, node: Any, scope: Scope, sheet: Sheet) -> str | None:
    step = element.step
    value: str | None = None
    try:
        if step.read:
            value = step.read(node, scope)
    except BAD_VALUE as error:
        text = f"{error} (for {step.rule.target}, rule {step.rule.where})"
        sheet.problems.append(Problem(code="invalid", path=step.rule.sources[0], text=text))
        return None
    if value is None and step.fill:
        value = step.fill(node, scope)
    if value is None and step.rule.required:
        text = f"a value is required for {step.rule.target} (rule {step.rule.where})"
        sheet.problems.append(Problem(code="required", path=step.rule.sources[0], text=text))
    return value


def _counted(counter: str, sheet: Sheet, numbers: tuple[int, int]) -> str | None:
    name, _, tag = counter.partition(":")
    if name == "@hl":
        return str(numbers[0])
    if name == "@parent":
        return str(numbers[1]) if numbers[1] else None
    return str(sheet.count(tag))


def write(blocks: Sequence[Block], document: Any, sheet: Sheet) -> list[Segment]:
    """Write all blocks of a document in order."""
    for block in blocks:
        write_block(block, document, None, sheet)
    return sheet.segments
