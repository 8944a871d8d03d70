"""Segments as elements: each text of a frame is split once, and checked once where it is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.codecs.machine import Machine

ESCAPE = "\ue000"
"""Stands before a released character in escaped EDIFACT; a segment that holds one is split with care."""
EACH = 512
"""How many texts of one tag are kept: what repeats fits in, what never does (lines, totals) is soon left alone."""


class Segments:
    """The segments that a frame repeats: addresses, dates, currencies. Equal ones share their elements.

    Only those are kept that the guide finds right wherever they stand; the others are looked at each time.
    """

    def __init__(self, machine: Machine, whole: Callable[[str], list[Any]]) -> None:
        """`whole` splits any segment into elements and components; it may be slow."""
        self.machine = machine
        self.whole = whole
        self.known: dict[str, list[Any]] = {}
        self._mark = machine.element
        self._checks = machine.checks
        self._room = dict.fromkeys(machine.checks, EACH)

    def learn(self, piece: str) -> tuple[list[Any], bool]:
        """Return the elements of a segment, and whether they are surely right."""
        elements: list[Any] = piece.split(self._mark)
        tag = elements[0]
        match, split = self._checks[tag][len(elements)]
        if match(piece) is None or ESCAPE in piece:
            return self.whole(piece), False
        if split is not None:
            split(elements)
        if room := self._room[tag]:
            self._room[tag] = room - 1
            self.known[piece] = elements
        return elements, True
