"""How often a connection may call out: a token bucket that all threads of a process share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from hub.domain.errors import RetryLater
from hub.ports import Rate


class Budget(Protocol):
    """Calls that a connection may still make."""

    def take(self, count: int, wait: float) -> None:
        """Take `count` calls, waiting up to `wait` seconds; raises RetryLater(after) where it would take longer."""

    def pause(self, seconds: float) -> None:
        """Give out nothing for so long: their side said so (429, Retry-After)."""


class Bucket:
    """A token bucket: `per_second` on average, `burst` at once."""

    def __init__(
        self,
        name: str,
        rate: Rate,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name, self._rate = name, rate
        self._now, self._sleep = now, sleep
        self._interval = 1.0 / rate.per_second
        self._lock = threading.Lock()
        self._free_at = now() - self._interval * rate.burst
        """The instant from which calls are paid for; it lags `now` by what may be called at once."""

    def take(self, count: int, wait: float) -> None:
        """Take calls in the order of asking; nothing is taken where the wait is too long."""
        with self._lock:
            now = self._now()
            start = max(self._free_at, now - self._interval * self._rate.burst) + self._interval * count
            delay = start - now
            if delay > wait:
                raise RetryLater(f"{self._name}: its rate budget is spent for {delay:.1f} s", after=delay)
            self._free_at = start
        if delay > 0:
            self._sleep(delay)

    def pause(self, seconds: float) -> None:
        """Move the next free call to after the pause."""
        with self._lock:
            self._free_at = max(self._free_at, self._now() + seconds)


class Slots(Protocol):
    """Where several processes take their calls from."""

    def take(self, name: str, rate: Rate, count: int) -> float:
        """Take a block of calls; return in how many seconds the first is due, below 0 where it was before now."""

    def pause(self, name: str, seconds: float) -> None:
        """Give no call to anybody for so long."""


class SharedBucket:
    """A bucket that takes its calls from what all processes share, a block at a time.

    A block is one call at first and doubles while all of a block is used, up to half a second's worth: what one process
    holds and does not use is lost to the others for that long.
    """

    def __init__(
        self,
        name: str,
        rate: Rate,
        slots: Slots,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name, self._rate, self._slots = name, rate, slots
        self._now, self._sleep = now, sleep
        self._interval = 1.0 / rate.per_second
        self._lock = threading.Lock()
        self._block, self._left, self._due = 1, 0, 0.0

    def take(self, count: int, wait: float) -> None:
        """Take calls in the order of asking; a block whose turn is too far away is kept for later."""
        with self._lock:
            now = self._now()
            if self._left and self._due + self._left * self._interval < now:
                self._left, self._block = 0, 1
            if self._left < count:
                self._fetch(count - self._left, now)
            delay = self._due + (count - 1) * self._interval - now
            if delay > wait:
                raise RetryLater(f"{self._name}: its rate budget is spent for {delay:.1f} s", after=delay)
            self._left -= count
            self._due += self._interval * count
        if delay > 0:
            self._sleep(delay)

    def pause(self, seconds: float) -> None:
        """Give out nothing for so long, here or anywhere."""
        with self._lock:
            self._left, self._block = 0, 1
            self._slots.pause(self._name, seconds)

    def _fetch(self, count: int, now: float) -> None:
        most = max(1, int(self._rate.per_second / 2))
        block = max(count, self._block)
        first = now + self._slots.take(self._name, self._rate, block)
        self._due = first if not self._left else max(self._due, first - self._left * self._interval)
        self._left += block
        self._block = min(most, self._block * 2)


class Budgets:
    """The buckets of one process by connection and purpose, made when first asked for; shared where there are slots."""

    def __init__(self, slots: Slots | None = None) -> None:
        self._lock = threading.Lock()
        self._slots = slots
        self._buckets: dict[str, tuple[Rate, Budget]] = {}

    def of(self, name: str, rate: Rate) -> Budget:
        """Return the bucket of that name; a changed rate starts a new one."""
        with self._lock:
            known = self._buckets.get(name)
            if known is None or known[0] != rate:
                made = Bucket(name, rate) if self._slots is None else SharedBucket(name, rate, self._slots)
                known = (rate, made)
                self._buckets[name] = known
            return known[1]
