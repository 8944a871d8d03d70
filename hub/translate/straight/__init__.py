"""A mapping as one Python function, written once from its rules: no closures, no search for the same segment twice.

It is for documents that are in order. Whatever it does not take it refuses by raising; then the closures map the
document, rule by rule, and tell every problem. What it gives is exactly what they would have given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from hub.translate.segments import Block
from hub.translate.straight.dict_places import DictPlace
from hub.translate.straight.edi_places import EdiPlace
from hub.translate.straight.listing import Listing, Program, Straight, Unsupported
from hub.translate.straight.objects import build, build_all
from hub.translate.straight.places import Place
from hub.translate.straight.record_places import RecordPlace, Shape
from hub.translate.straight.writing import write_blocks
from hub.translate.targets import Each, Target

__all__ = ["Straight", "inward_code", "rows_code", "segments_code"]


def inward_code(title: str, target: Target, *, edi: bool, composites: bool) -> Straight | None:
    """Write a function from a tree to a canonical document; None where the rules have a shape that is not supported."""
    program, lines = Program(), Listing()
    head = lines.part()
    place: Place = EdiPlace(program, "n0", head, composites=composites) if edi else DictPlace(program, "n0", head)
    return _object(program, title, target, place, lines)


def rows_code(
    title: str, struct: type[msgspec.Struct], blocks: tuple[Each, ...], key: str, body: Target | None
) -> Straight | None:
    """Write a function from a canonical document to a dict or list; None where that is not supported."""
    program, lines = Program(), Listing()
    place = RecordPlace(program, "n0", lines.part(), Shape(type=struct))
    if body is not None:
        return _object(program, title, body, place, lines)

    def write() -> None:
        found = build_all(program, blocks, place, lines)
        lines.put(f"return {{{key!r}: {found.text}}}" if key else f"return {found.text}")

    return _made(program, title, lines, write)


def segments_code(title: str, struct: type[msgspec.Struct], blocks: Sequence[Block]) -> Straight | None:
    """Write a function from a canonical document to segments; None where that is not supported."""
    program, lines = Program(), Listing()
    place = RecordPlace(program, "n0", lines.part(), Shape(type=struct))
    return _made(program, title, lines, lambda: write_blocks(program, blocks, place, lines))


def _object(program: Program, title: str, target: Target, place: Place, lines: Listing) -> Straight | None:
    def write() -> None:
        found = build(program, target, place, lines, always=True)
        lines.put(f"return {found.text}")

    return _made(program, title, lines, write)


def _made(program: Program, title: str, lines: Listing, write: Callable[[], None]) -> Straight | None:
    try:
        write()
        return program.made(lines, title)
    except (Unsupported, SyntaxError, RecursionError):
        # Python nests blocks only so deep; rules that go deeper run one by one.
        return None
