"""How many deliveries are begun together: more while their side is quick, fewer while it is slow.

What is begun and not yet recorded is in doubt when the process dies. So a window holds about a tenth of a second of
sending; where their side turns slow within one, its sending stops after `PATIENCE` and the rest is not begun any more.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.ports import Push

FIRST, FEWEST, MOST = 32, 8, 256
"""Deliveries in the first window of a claim, in one of a slow connection, and in one of a quick connection."""
QUICK, LONG = 0.1, 0.25
"""Seconds of sending within which a window may double, and beyond which the next is smaller."""
PATIENCE = 1.0
"""Seconds after which nothing more of a window is sent; what is under way then is waited for."""


class Pace:
    """The size of the next window of one connection."""

    def __init__(self, pushes: Iterable[Push]) -> None:
        declared = list(pushes)
        self._batch = max([1, *(push.batch for push in declared)])
        asked = any(push.on_doubt == "ask" for push in declared)
        # Where a person decides what is in doubt, a crash must not leave them hundreds of questions.
        self._most = max(FIRST if asked else MOST, self._batch)
        self._few = max(FEWEST, self._batch)
        self._size = max(FIRST, self._batch)

    @property
    def size(self) -> int:
        """Return how many deliveries to begin; whole calls, where one call takes many."""
        return self._size - self._size % self._batch

    def note(self, count: int, seconds: float) -> None:
        """Note how long a window of so many deliveries was sent."""
        if seconds <= QUICK:
            self._size = min(self._most, self._size * 2)
        elif seconds > LONG:
            self._size = max(self._few, min(self._most, int(count * QUICK / seconds)))
