"""The kept-alive lines to one origin: threads of a process share them, each line is one thread's while it talks."""

from __future__ import annotations

import weakref
from collections import deque
from contextlib import suppress
from time import monotonic

from hub.domain.errors import RetryLater
from hub.kit.guard import Guard
from hub.kit.wire import Line

IDLE_SECONDS = 25.0
"""A line that was idle for longer is not used: most servers close after 30 to 75 seconds."""
MOST_IDLE = 32


class Lines:
    """Opens lines and keeps those that nobody talks on."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._idle: deque[Line] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def open(self, ends: float) -> Line:
        """Connect before `ends`; raises Rejected, Paused or RetryLater (nothing was sent)."""
        try:
            return Line(self._guard.connect(ends))
        except TimeoutError as error:
            raise RetryLater(f"{self._guard.host}: no connection in time; nothing was sent") from error

    def waiting(self) -> Line | None:
        """Return an idle line that is still open, the last used first."""
        while (line := self._pop()) is not None:
            if monotonic() - line.idle_since < IDLE_SECONDS and line.is_quiet():
                return line
            line.close()
        return None

    def give_back(self, line: Line) -> None:
        """Keep a line that was talked on, if it can be used again."""
        if line.reusable and len(self._idle) < MOST_IDLE:
            self._idle.append(line)
        else:
            line.close()

    def close(self) -> None:
        """Close the idle lines."""
        _close_all(self._idle)

    def _pop(self) -> Line | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None


def _close_all(lines: deque[Line]) -> None:
    while lines:
        with suppress(IndexError):
            lines.pop().close()
