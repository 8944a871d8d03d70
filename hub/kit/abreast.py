"""Several requests under way at once, in one thread: a line each, and whoever is answered first gets the next one.

Nobody waits longer than its own deadline because of another: connecting a further line is given `IMPATIENCE` seconds
while others are under way, and a rate budget is waited for only while nothing is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from select import poll
from time import monotonic

from hub.domain.errors import HubError, Paused, RetryLater
from hub.kit.budget import Budget
from hub.kit.lines import Lines
from hub.kit.request import Prepared
from hub.kit.wire import Answer, Closed, Garbled, Line, Waiting

IMPATIENCE = 1.0
HOLDING = 0.25
"""Seconds after which a line that has not answered yet is not waited for to open a further one, and for which lines
that are done stay open while others wait."""
Judge = Callable[[Prepared, Answer | Exception], None]
"""Says what an answer, or the failure to get one, means; stores it in the request."""


@dataclass(slots=True)
class _Flight:
    request: Prepared
    line: Line
    talk: Waiting[Answer]
    wanted: int
    ends: float
    is_new: bool
    """The line was opened for it."""


class Abreast:
    """Sends requests over at most `most` lines; call `run` once."""

    def __init__(self, lines: Lines, budget: Budget | None, *, cap: int, most: int, judge: Judge) -> None:
        self._lines, self._budget, self._cap, self._most, self._judge = lines, budget, cap, most, judge
        self._poll = poll()
        self._flights: dict[int, _Flight] = {}
        self._free: list[Line] = []
        self._queue: deque[Prepared] = deque()
        self._not_before = 0.0
        """The rate budget gives out no call earlier."""
        self._opened = 0.0
        """When the last line was opened."""
        self._is_full = False
        """No further line could be opened quickly."""

    def run(self, requests: Sequence[Prepared]) -> None:
        """Send all of them; when it returns each has been judged."""
        self._queue.extend(requests)
        try:
            while self._queue or self._flights:
                while self._queue and len(self._flights) < self._most and self._launch(self._queue[0]):
                    pass
                if self._flights:
                    self._turn()
        finally:
            for line in self._free:
                self._lines.give_back(line)
            for flight in self._flights.values():
                flight.line.close()

    def _launch(self, request: Prepared) -> bool:
        """Send the first of the queue; False where it has to wait until one that is under way has ended."""
        if not request.needs_new_line:
            request.began = 0.0  # what it waited for a line is not its own time
        ends = request.begin()
        try:
            if not self._is_paid(request, ends):
                return False
        except RetryLater as error:
            self._judge(self._queue.popleft(), error)
            return True
        try:
            line, is_new = self._line(request, ends)
        except HubError as error:
            self._judge(self._queue.popleft(), error)
            if not request.needs_new_line:
                self._give_up(error, request.deadline)
            return True
        if line is None:
            return False
        talk = line.talk(request.method, request.data, self._cap)
        flight = _Flight(self._queue.popleft(), line, talk, 0, ends, is_new)
        self._flights[line.fileno()] = flight
        self._step(flight)
        return True

    def _is_paid(self, request: Prepared, ends: float) -> bool:
        """Take one call from the budget; False where that takes time and others are under way."""
        now = monotonic()
        if self._budget is None or request.is_paid:
            return True
        if self._flights and now < self._not_before:
            return False
        try:
            self._budget.take(1, 0.0 if self._flights else max(0.0, ends - now))
        except RetryLater as error:
            self._not_before = now + (error.after or 0.0)
            if self._flights and self._not_before <= ends:
                return False
            raise
        request.is_paid = True
        return True

    def _line(self, request: Prepared, ends: float) -> tuple[Line | None, bool]:
        """Return a line, and whether it is new; None where another one is not to be had quickly."""
        if not request.needs_new_line:
            while self._free:
                line = self._free.pop()
                if line.is_quiet():
                    return line, False
                self._discard(line)
            if (kept := self._lines.waiting()) is not None:
                return kept, False
        if not self._flights:
            line, self._opened = self._lines.open(ends), monotonic()
            return line, True
        if self._is_full or not self._may_grow():
            return None, False
        try:
            line = self._lines.open(min(ends, monotonic() + IMPATIENCE))
        except HubError:
            self._is_full = True
            return None, False
        self._opened = monotonic()
        return line, True

    def _may_grow(self) -> bool:
        """Say whether to open a further line: for each that has answered, else one after the other, so that few wait
        in vain where a server serves one line at a time."""
        new = sum(flight.is_new for flight in self._flights.values())
        return new < len(self._flights) - new or monotonic() >= self._opened + HOLDING

    def _turn(self) -> None:
        """Wait until one of the lines has something to say, one's time is over, or another may go out."""
        now, soonest = monotonic(), min(flight.ends for flight in self._flights.values())
        until = min([soonest, *(at for at in (self._not_before, self._opened + HOLDING) if self._queue and at > now)])
        holding = bool(self._free) and not self._queue
        if holding:
            until = min(until, now + HOLDING)
        heard = self._poll.poll(max(0.0, until - now) * 1000)
        for number, _ in heard:
            if number in self._flights:
                self._step(self._flights[number])
            else:
                self._close_free(number)
        if holding and not heard:
            self._let_go()
        if soonest <= (now := monotonic()):
            for flight in list(self._flights.values()):
                if flight.ends <= now:
                    self._step(flight, TimeoutError("the deadline has passed"))

    def _step(self, flight: _Flight, failure: TimeoutError | None = None) -> None:
        try:
            wanted = next(flight.talk) if failure is None else flight.talk.throw(failure)
        except StopIteration as done:
            self._answered(flight, done.value)
        except (Closed, OSError, Garbled) as error:
            self._broken(flight, error)
        else:
            if wanted != flight.wanted:
                self._poll.register(flight.line, wanted)
                flight.wanted = wanted

    def _answered(self, flight: _Flight, answer: Answer) -> None:
        line, request = flight.line, flight.request
        del self._flights[line.fileno()]
        if line.reusable:
            self._free.append(line)
        else:
            self._discard(line)
        self._judge(request, answer)
        said = request.result
        if isinstance(said, Paused) or (isinstance(said, RetryLater) and said.for_all):
            self._give_up(said, inf)

    def _broken(self, flight: _Flight, error: Exception) -> None:
        request = flight.request
        del self._flights[flight.line.fileno()]
        self._discard(flight.line)
        is_dead = isinstance(error, (Closed, ConnectionError))
        if is_dead and request.is_repeatable and not flight.is_new:
            request.needs_new_line = True
            self._queue.appendleft(request)
        else:
            self._judge(request, error)

    def _give_up(self, error: HubError, deadline: float) -> None:
        """Do not send what has no more time than this to come to the same end: it hears why, too."""
        waiting, self._queue = self._queue, deque()
        for request in waiting:
            if request.deadline > deadline:
                self._queue.append(request)
            else:
                request.begin()
                self._judge(request, error)

    def _close_free(self, number: int) -> None:
        """Close a line that has something to say though nobody asked: the other side has closed it."""
        for line in [each for each in self._free if each.fileno() == number]:
            self._free.remove(line)
            self._discard(line)

    def _let_go(self) -> None:
        """Close the lines that are free: a server that serves one at a time comes to the others only then."""
        while self._free:
            self._discard(self._free.pop())

    def _discard(self, line: Line) -> None:
        with suppress(KeyError):
            self._poll.unregister(line)
        line.close()
