"""Who drains what in this process: one thread a lane, and another only while that one waits for a partner."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

HELD_UP = 0.5
"""Seconds with one partner after which a thread counts as held up, so that another may go on with the rest."""


LATELY = 5.0
"""Seconds for which a connection that was served from a lane is expected to have more there."""


class Drain:
    """One thread that drains a lane, and since when it waits for a partner."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._since: float | None = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Mark the time in which this thread may be waiting for somebody else's system."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    @property
    def held_up(self) -> bool:
        """Say whether it has been with a partner for so long that others should not wait for it."""
        since = self._since
        return since is not None and time.monotonic() - since > self._patience


class Drains:
    """The drains under way, by lane. Thread-safe.

    Several threads on one lane of one interpreter only make each other's batches small. A second one is let in where
    the first is held up by a partner; it takes nothing for the partners that are being served.
    """

    def __init__(self, most: int, *, patience: float = HELD_UP) -> None:
        self.most = most
        self._patience = patience
        self._guard = threading.Lock()
        self._under_way: dict[str, list[Drain]] = {}
        self._rung: set[str] = set()
        self._busy: set[str] = set()
        self._seen: dict[str, dict[str, float]] = {}

    def begin(self, lane: str) -> Drain | None:
        """Enter a lane; None where whoever drains it will see what is new, or where all are at work."""
        with self._guard:
            under_way = self._under_way.setdefault(lane, [])
            if any(not each.held_up for each in under_way) or self._full():
                self._rung.add(lane)
                return None
            under_way.append(Drain(self._patience))
            return under_way[-1]

    def wanted(self, lane: str) -> bool:
        """Say whether a ring of this lane would find a thread for it; where not, the ring is noted."""
        with self._guard:
            under_way = self._under_way.get(lane, ())
            if any(not each.held_up for each in under_way) or self._full():
                self._rung.add(lane)
                return False
            return True

    def look(self, lane: str) -> None:
        """Note that the lane is about to be looked at: rings until now are answered by that."""
        with self._guard:
            self._rung.discard(lane)

    def may_end(self, lane: str, drain: Drain) -> bool:
        """Leave a lane, unless it was rung since the last look."""
        with self._guard:
            if lane in self._rung:
                return False
            self._leave(lane, drain)
            return True

    def end(self, lane: str, drain: Drain) -> None:
        """Leave a lane in any case."""
        with self._guard:
            self._leave(lane, drain)

    def lately(self, lane: str, connection: str) -> set[str]:
        """Note that a connection was served from a lane; return all that were within the last seconds."""
        now = time.monotonic()
        with self._guard:
            seen = self._seen.setdefault(lane, {})
            seen[connection] = now
            for name in [name for name, at in seen.items() if now - at > LATELY]:
                del seen[name]
            return set(seen)

    @property
    def busy(self) -> frozenset[str]:
        """Return the connections that threads of this process are serving."""
        return frozenset(self._busy)

    @contextmanager
    def serving(self, drain: Drain | None, connection: str) -> Iterator[None]:
        """Serve one connection; meanwhile no other thread of this process takes anything for it."""
        with self._guard:
            self._busy.add(connection)
        try:
            if drain is None:
                yield
            else:
                with drain.away():
                    yield
        finally:
            with self._guard:
                self._busy.discard(connection)

    def _full(self) -> bool:
        return sum(len(each) for each in self._under_way.values()) >= self.most

    def _leave(self, lane: str, drain: Drain) -> None:
        under_way = self._under_way.get(lane, [])
        if drain in under_way:
            under_way.remove(drain)
