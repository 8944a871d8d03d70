"""EDI segments as straight code: blocks that repeat within each other, with counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.translate.segments import Block, Element
from hub.translate.straight import support
from hub.translate.straight.listing import Listing, Program, Unsupported
from hub.translate.straight.places import Place
from hub.translate.straight.values import condition, read_rule


@dataclass(frozen=True, kw_only=True)
class Part:
    """The value of one element or component. `sure`: it is never missing."""

    text: str
    sure: bool
    sourced: bool

    @property
    def filled(self) -> str:
        """Return an expression that is an empty text where there is nothing."""
        return self.text if self.sure else f'{self.text} or ""'


def write_blocks(program: Program, blocks: Sequence[Block], place: Place, lines: Listing) -> None:
    """Write what fills the list `out` with the segments of a document, counting hierarchy blocks in `hl`."""
    lines.put("out = []", "add = out.append", "hl = 0")
    for block in blocks:
        _block(program, block, place, lines, "", "")
    lines.put("return out")


def _block(program: Program, block: Block, place: Place, lines: Listing, parent: str, found: str) -> None:
    """Write one block. `parent` is the variable of the number above, `found` is set where the document had anything."""
    if not block.tag:
        raise Unsupported("a segment without a tag")
    if block.when:
        lines = lines.below(f"if {condition(program, block.when, place)}:")
    if block.select is not None:
        place, lines = place.each(block.text, lines)
    saved, own = lines.part(), parent
    if any(element.counter == "@hl" for element in block.elements):
        own = program.fresh("h")
        lines.put(f"{own} = hl = hl + 1")
    parts = _parts(program, block, place, lines, (own, parent))
    sourced = [part for part in parts.values() if part.sourced]
    tests = [part.text for part in sourced] if not any(part.sure for part in sourced) else []
    if block.sourced and (block.children or own != parent):
        _undone(program, block, place, lines, (own, found), parts, tests, saved)
        return
    # It stands whatever its children find, or it has none.
    lines = lines.below(f"if {' or '.join(tests)}:") if tests else lines
    if found and block.sourced:
        lines.put(f"{found} = True")
    _segment(program, block, parts, lines)
    for child in block.children:
        _block(program, child, place, lines, own, found)


def _undone(
    program: Program, block: Block, place: Place, lines: Listing, names: tuple[str, str],
    parts: dict[tuple[int, int], Part], tests: Sequence[str], saved: Listing,
) -> None:  # fmt: skip
    """Write a block that is taken back with all below it where none of that found anything."""
    start, mine, before = program.fresh("p"), program.fresh("f"), program.fresh("h")
    own, found = names
    saved.put(f"{before} = hl")
    lines.put(f"{start} = len(out)", f"{mine} = {' or '.join(tests) or 'True'}")
    _segment(program, block, parts, lines)
    for child in block.children:
        _block(program, child, place, lines, own, mine)
    if found:
        lines.put(f"if {mine}: {found} = True")
    lines.below(f"if not {mine}:").put(f"del out[{start}:]", f"hl = {before}")


def _parts(
    program: Program, block: Block, place: Place, lines: Listing, numbers: tuple[str, str]
) -> dict[tuple[int, int], Part]:
    parts: dict[tuple[int, int], Part] = {}
    for element in block.elements:
        at = (element.position, element.component)
        beside = [component for position, component in parts if position == element.position]
        if element.component in beside or 0 in beside or (beside and not element.component):
            raise Unsupported("one element is filled in two ways")
        part = _counter(program, block, element, numbers) if element.counter else _part(program, element, place, lines)
        if part is not None:
            parts[at] = part
    return parts


def _counter(program: Program, block: Block, element: Element, numbers: tuple[str, str]) -> Part | None:
    name, _, tag = element.counter.partition(":")
    own, parent = numbers
    if name == "@hl":
        return Part(text=f"str({own})", sure=True, sourced=False)
    if name == "@parent":
        return Part(text=f"str({parent})", sure=True, sourced=False) if parent else None
    # The segment itself counts too and is not in the list yet.
    itself = int(not tag or tag == block.tag)
    return Part(text=f"str({program.bind(support.count, 'count')}(out, {tag!r}) + {itself})", sure=True, sourced=False)


def _part(program: Program, element: Element, place: Place, lines: Listing) -> Part | None:
    step = element.step
    fill = program.bind(step.constant) if step.fill and step.constant is not None else ""
    holds = condition(program, step.rule.when, place) if fill and step.rule.when else ""
    filled = f"({fill} if {holds} else None)" if holds else fill
    if step.read is None:
        return Part(text=filled, sure=not holds, sourced=False) if fill else None
    found = read_rule(program, step, place, lines)
    if fill and not found.sure:
        name = program.fresh("x")
        lines.put(f"{name} = {found.otherwise(filled)}")
        if step.rule.required and holds:
            lines.put(f"if not {name}: raise Unfit")
        return Part(text=name, sure=not holds, sourced=element.sourced)
    if step.rule.required and not found.sure:
        lines.put(f"if not {found.text}: raise Unfit")
    return Part(text=found.text, sure=found.sure or step.rule.required, sourced=element.sourced)


def _segment(program: Program, block: Block, parts: dict[tuple[int, int], Part], lines: Listing) -> None:
    """Write the segment; empty elements at its end are left out."""
    last = max((position for position, _ in parts), default=0)
    found = [repr(block.tag)]
    sure = True
    for position in range(1, last + 1):
        text, sure = _element(program, {at[1]: part for at, part in parts.items() if at[0] == position})
        found.append(text)
    if sure:
        lines.put(f"add([{', '.join(found)}])")
        return
    name = program.fresh("s")
    lines.put(f"{name} = [{', '.join(found)}]", f"add({name})", f"while not {name}[-1]: del {name}[-1]")


def _element(program: Program, parts: dict[int, Part]) -> tuple[str, bool]:
    """Return the expression of one element and whether it is never empty."""
    if not parts:
        return '""', False
    if 0 in parts:
        return parts[0].filled, parts[0].sure
    texts = [parts[place].filled if place in parts else '""' for place in range(1, max(parts) + 1)]
    if parts[max(parts)].sure:
        return f"[{', '.join(texts)}]", True
    trimmed = program.bind(support.trimmed, "trimmed")
    return f"{trimmed}([{', '.join(texts)}])", any(part.sure for part in parts.values())
