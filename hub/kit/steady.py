"""Which files are not being written any more, by looks that do not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

Look = tuple[int, int]
"""Size, and time of change in nanoseconds since 1970."""


class Steady:
    """Remembers what earlier looks found: a file is ready when a later look finds the same.

    With `settled`, one that was not written to for so many seconds is ready at the first look.
    """

    def __init__(self, settled: float | None) -> None:
        self._settled = settled
        self._seen: dict[str, Look] = {}
        self._lock = threading.Lock()

    def ready(self, found: Iterable[tuple[str, Look]], now: float, asked: Callable[[str], bool]) -> list[str]:
        """Return which of what one look found is ready, oldest first.

        `asked` says which names the look was for: what is remembered of others stays. `now` is in seconds since 1970.
        """
        looked: dict[str, Look] = {}
        ready: list[tuple[int, str]] = []
        with self._lock:
            for name, look in found:
                looked[name] = look
                if self._seen.get(name) == look or self._is_old(look, now):
                    ready.append((look[1], name))
            self._seen = {name: look for name, look in self._seen.items() if not asked(name)} | looked
        return [name for _, name in sorted(ready)]

    def forget(self, name: str) -> None:
        """A file was taken away: one of its name that comes later is another one."""
        with self._lock:
            self._seen.pop(name, None)

    def _is_old(self, look: Look, now: float) -> bool:
        return self._settled is not None and now - look[1] / 1e9 >= self._settled
