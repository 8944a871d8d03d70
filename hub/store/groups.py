"""Group commit: whoever comes first commits, for itself and for all that came meanwhile.

There is no thread between: a write that comes alone runs in the thread that brought it. While one thread commits, the
others wait; then the first of them commits for all that wait.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from hub.domain.errors import RetryLater
from hub.store.db import Db

Handler = Callable[[Db, list[Any]], Sequence[Any]]
Run = Callable[[Sequence[tuple[Handler, list[Any]]]], list[list[Any]]]
LONGEST_QUEUE = 10_000
LARGEST_GROUP = 400
LONGEST_CLOSE = 30.0


class _Job:
    """One write: what to call, with what, and where its result goes."""

    __slots__ = ("done", "handler", "item", "leads", "result")

    def __init__(self, handler: Handler, item: Any) -> None:
        self.handler = handler
        self.item = item
        self.leads = False
        self.result: Any = None
        self.done = threading.Lock()
        self.done.acquire()


class GroupWriter:
    """Collects writes of many threads. `run` gets (handler, items) jobs and returns results per item."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: deque[_Job] = deque()
        self._guard = threading.Condition()
        self._led = False
        self._closed = False

    def submit(self, handler: Handler, item: Any) -> Any:
        """Return the item's result once its group is committed, or raise its error."""
        job = _Job(handler, item)
        if not self._leads(job):
            job.done.acquire()
        if job.leads:
            self._lead(job)
        if isinstance(job.result, BaseException):
            raise job.result
        return job.result

    def close(self) -> None:
        """Take no more, and return once all that was taken is committed."""
        with self._guard:
            self._closed = True
            self._guard.wait_for(lambda: not self._led, LONGEST_CLOSE)

    def _leads(self, job: _Job) -> bool:
        with self._guard:
            if self._closed:
                raise RetryLater("the hub is stopping; nothing was stored")
            if len(self._waiting) >= LONGEST_QUEUE:
                raise RetryLater("more writes wait than the database can take; try again in a moment", after=2)
            if self._led:
                self._waiting.append(job)
            else:
                self._led = job.leads = True
            return job.leads

    def _lead(self, first: _Job) -> None:
        """Commit what waits, then let the next of those that came meanwhile do the same."""
        with self._guard:
            jobs = [first]
            while self._waiting and len(jobs) < LARGEST_GROUP:
                jobs.append(self._waiting.popleft())
        try:
            self._settle(jobs)
        finally:
            with self._guard:
                following = self._waiting.popleft() if self._waiting else None
                if following is None:
                    self._led = False
                    self._guard.notify_all()
            if following is not None:
                following.leads = True
                following.done.release()

    def _settle(self, jobs: list[_Job]) -> None:
        grouped = _by_handler(jobs)
        try:
            results = self._run([(handler, [job.item for job in group]) for handler, group in grouped])
        except BaseException as error:
            failure = error if isinstance(error, RetryLater) else _lost(error)
            results = [[failure] * len(group) for _, group in grouped]
            if not isinstance(error, Exception):
                raise  # the process is told to end: the others hear that nothing was stored
        finally:
            for (_, group), found in zip(grouped, results, strict=True):
                for job, result in zip(group, found, strict=True):
                    job.result = result
                    job.done.release()


def _lost(error: BaseException) -> RetryLater:
    failure = RetryLater("the commit failed and was rolled back; nothing was stored")
    failure.__cause__ = error
    return failure


def _by_handler(jobs: list[_Job]) -> list[tuple[Handler, list[_Job]]]:
    """Merge neighbours with one handler, but those that say `apart`: each of their items is a unit of failure."""
    grouped: list[tuple[Handler, list[_Job]]] = []
    for job in jobs:
        if grouped and grouped[-1][0] is job.handler and not getattr(job.handler, "apart", False):
            grouped[-1][1].append(job)
        else:
            grouped.append((job.handler, [job]))
    return grouped
