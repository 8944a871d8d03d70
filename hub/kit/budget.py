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


class Budgets:
    """The buckets of one process by connection and purpose, made when first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[Rate, Bucket]] = {}

    def of(self, name: str, rate: Rate) -> Budget:
        """Return the bucket of that name; a changed rate starts a new one."""
        with self._lock:
            known = self._buckets.get(name)
            if known is None or known[0] != rate:
                known = (rate, Bucket(name, rate))
                self._buckets[name] = known
            return known[1]
