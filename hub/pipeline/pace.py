"""How many deliveries are begun together: more while their side is quick, fewer while it is slow.

What is begun and not yet recorded is in doubt when the process dies. So a window holds at most about a quarter of a
second of sending (`FEWEST` deliveries, where each takes long). Where their side turns slow within one, its sending
stops after `PATIENCE`, and the rest is taken back: it is begun again later.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from weakref import WeakKeyDictionary

from hub.pipeline.services import Opened
from hub.ports import Push
from hub.ports.records import Store

FIRST, FEWEST, MOST = 32, 8, 256
"""Deliveries in the first window, in one of a slow connection, and in one of a quick connection."""
QUICK, LONG = 0.1, 0.25
"""Seconds of sending within which a window may double, and beyond which the next is smaller."""
PATIENCE = 1.0
"""Seconds after which nothing more of a window is sent; what is under way then is waited for."""
REMEMBERED = 10.0
"""Seconds for which it is remembered how quick a connection was; after that it begins anew."""


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
        self.is_slow = False
        """The last window took long: nothing is won by trying one of the next alone."""
        self.noted = monotonic()
        """When the last window was sent."""

    @property
    def size(self) -> int:
        """Return how many deliveries to begin; whole calls, where one call takes many."""
        return self._size - self._size % self._batch

    def note(self, count: int, seconds: float) -> None:
        """Note how long a window of so many deliveries was sent."""
        self.noted = monotonic()
        self.is_slow = seconds > LONG
        if seconds <= QUICK and count >= self.size:
            self._size = min(self._most, self._size * 2)
        elif self.is_slow:
            self._size = max(self._few, min(self._most, int(count * LONG / seconds)))


_KNOWN: WeakKeyDictionary[Store, dict[str, tuple[Opened, Pace]]] = WeakKeyDictionary()


def pace_of(store: Store, opened: Opened) -> Pace:
    """Return the pace of a connection, as this process found it lately."""
    known = _KNOWN.setdefault(store, {})
    before = known.get(opened.name)
    if before is not None and before[0] is opened and monotonic() - before[1].noted < REMEMBERED:
        return before[1]
    known[opened.name] = opened, Pace(opened.connector.pushes.values())
    return known[opened.name][1]
