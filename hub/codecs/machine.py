"""A guide compiled to a state machine: one table look-up per segment places it in its loop.

A state is a place in the order of one loop. From there each tag leads to a step: how deep the segment hangs, whether
it opens a loop, and the next state. Steps are found once and kept; unknown tags are not kept, so that a hostile
file cannot grow the tables.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from hub.codecs.guide import UNLIMITED, Entry, Guide
from hub.codecs.quick import Checklist

MAX_DEPTH = 12


class Loop:
    """A loop of the guide with its static way up; the root has depth 0 and no tag."""

    __slots__ = ("depth", "entries", "known", "parent", "place", "required", "tag")

    def __init__(self, tag: str, entries: Sequence[Entry], parent: Loop | None, place: int) -> None:
        self.tag = tag
        self.entries = entries
        self.parent = parent
        self.place = place
        self.depth: int = parent.depth + 1 if parent else 0
        self.required = tuple(entry.tag for entry in entries if entry.least)
        self.known = frozenset(entry.tag for entry in entries)


class State:
    """A place in a loop: `moves` maps a tag to its step."""

    __slots__ = ("loop", "moves", "place")

    def __init__(self, loop: Loop, place: int) -> None:
        self.loop = loop
        self.place = place
        self.moves: dict[str, Step] = {}


class Step:
    """What to do with a segment: hang it at `depth`, go to `state`.

    `rare` says that there is more: a code to report, or a loop whose segments are counted at the end.
    """

    __slots__ = ("code", "depth", "hierarchy", "most", "opens", "rare", "state")

    def __init__(self, depth: int, most: int, opens: Loop | None, state: State, code: str = "") -> None:
        self.depth = depth
        self.most = most
        self.opens = opens
        self.state = state
        self.hierarchy = False
        self.code = code
        self.rare = bool(code) or (opens is not None and bool(opens.required))


class Machine:
    """A guide compiled for one pair of separators."""

    def __init__(self, guide: Guide, element: str, component: str) -> None:
        self.guide = guide
        self.element = element
        self.component = component
        self.checks = Checklist(guide.elements, guide.notes, element, component)
        self.root = Loop("", guide.entries, None, 0)
        self._states: dict[tuple[int, int], State] = {}
        self._loops: dict[tuple[int, int], Loop] = {}
        self.start = self._state(self.root, 0)
        self.tags = _all_tags(guide.entries)
        below = _all_tags([inner for entry in guide.entries for inner in entry.within])
        self.counted_below = frozenset(total.counted for total in guide.totals) & below
        """Tags of totals that also stand below the root."""

    def find(self, state: State, tag: str) -> Step:
        """Return the step for a tag, the deepest loop first; a tag that fits nowhere ahead gets a step with a code."""
        step = state.moves.get(tag)
        if step is None:
            step = self._ahead(state, tag) or self._behind(state, tag) or self._stray(state, tag)
            if tag in self.tags:
                state.moves[tag] = step
        return step

    def step_to(self, loop: Loop, index: int) -> Step:
        """Return the step to a place of a loop."""
        return self._step(loop, index)

    def later(self, state: State, tag: str) -> Step | None:
        """Return the step to the next place of the same tag in the same loop, when this place is full."""
        loop = state.loop.parent if state.loop.tag == tag and state.loop.parent else state.loop
        place = state.loop.place if loop is not state.loop else state.place
        for index in range(place + 1, len(loop.entries)):
            if loop.entries[index].tag == tag:
                return self._step(loop, index)
        return None

    def _ahead(self, state: State, tag: str) -> Step | None:
        loop: Loop | None = state.loop
        place = state.place
        while loop is not None:
            for index in range(place, len(loop.entries)):
                if loop.entries[index].tag == tag:
                    return self._step(loop, index)
            place, loop = loop.place, loop.parent
        return None

    def _behind(self, state: State, tag: str) -> Step | None:
        """Take a segment that comes too late into the deepest open loop that knows it; the place does not move back."""
        loop: Loop | None = state.loop
        place = state.place
        while loop is not None:
            for index, entry in enumerate(loop.entries):
                if entry.tag == tag:
                    step = self._step(loop, index, "segment_out_of_order")
                    if step.opens is None:
                        step.state = self._state(loop, place)
                    return step
            place, loop = loop.place, loop.parent
        return None

    def _stray(self, state: State, tag: str) -> Step:
        code = "segment_unknown" if self.guide.name else ""
        return Step(state.loop.depth, UNLIMITED, None, state, code)

    def _step(self, loop: Loop, index: int, code: str = "") -> Step:
        entry = loop.entries[index]
        opens = self._loop(loop, index) if entry.within else None
        state = self._state(opens, 0) if opens else self._state(loop, index)
        most = sum(other.most for other in loop.entries[: index + 1] if other.tag == entry.tag)
        step = Step(loop.depth, most, opens, state, code)
        step.hierarchy = bool(opens) and entry.tag == self.guide.hierarchy
        return step

    def _loop(self, parent: Loop, index: int) -> Loop:
        key = (id(parent), index)
        if key not in self._loops:
            entry = parent.entries[index]
            self._loops[key] = Loop(entry.tag, entry.within, parent, index)
        return self._loops[key]

    def _state(self, loop: Loop, place: int) -> State:
        key = (id(loop), place)
        if key not in self._states:
            self._states[key] = State(loop, place)
        return self._states[key]


def _all_tags(entries: Iterable[Entry]) -> frozenset[str]:
    found: set[str] = set()
    for entry in entries:
        found |= {entry.tag} | _all_tags(entry.within)
    return frozenset(found)


@functools.lru_cache(maxsize=64)
def machine(guide: Guide, element: str, component: str) -> Machine:
    """Return the compiled form of a guide for these separators."""
    return Machine(guide, element, component)
