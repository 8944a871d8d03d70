"""A second look at a set whose segments did not fit where they were put first.

`placing.py` takes the nearest place for each segment. Where a guide has one tag at several places (a LOC that belongs
to a party, or opens a group of its own), the nearest may be wrong, which shows only later. Here all places are tried,
the nearest first, until one arrangement breaks no rule of order and number. It is asked for sets with findings only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.codecs.machine import Loop, Machine, Step

_TRIES = 20
"""So many steps are tried for each segment, on the whole, before the first arrangement stands with its findings."""

_Open = tuple["_Open | None", Loop, int, int]
"""The open loop above, this loop, the place reached in it, and how often the segment of that place was taken."""


def arrange(machine: Machine, tags: Sequence[str]) -> list[Step] | None:
    """Return a step for every segment so that nothing is missing, repeated, unknown or late; None for no such."""
    if not tags or not set(tags) <= machine.tags:
        return None
    begin: _Open = (None, machine.root, -1, 0)
    waiting = [_moves(machine, begin, tags[0])]
    reached, steps = [begin], list[Step]()
    dead: set[tuple[int, _Open]] = set()
    for _ in range(_TRIES * len(tags) + 1000):
        step, at = next(waiting[-1], (None, begin))
        if step is None:
            dead.add((len(steps), reached.pop()))
            waiting.pop()
            if not steps:
                return None
            steps.pop()
        elif len(steps) + 1 == len(tags):
            if _may_end(at):
                return [*steps, step]
        elif (len(steps) + 1, at) not in dead:
            steps.append(step)
            reached.append(at)
            waiting.append(_moves(machine, at, tags[len(steps)]))
    return None


def _moves(machine: Machine, at: _Open, tag: str) -> Iterator[tuple[Step, _Open]]:
    """Yield every legal place for a tag from here, the nearest first."""
    here: _Open | None = at
    while here is not None:
        above, loop, place, times = here
        for index in range(max(place, 0), len(loop.entries)):
            entry = loop.entries[index]
            taken = times if index == place else 0
            if entry.tag == tag and taken < entry.most:
                step = machine.step_to(loop, index)
                on: _Open = (above, loop, index, taken + 1)
                yield step, (on, step.opens, -1, 0) if step.opens else on
            if taken < entry.least:
                return
        here = above


def _may_end(at: _Open) -> bool:
    """Say whether a set may end here: nothing required is open."""
    here: _Open | None = at
    while here is not None:
        above, loop, place, times = here
        for index in range(max(place, 0), len(loop.entries)):
            if (times if index == place else 0) < loop.entries[index].least:
                return False
        here = above
    return True
