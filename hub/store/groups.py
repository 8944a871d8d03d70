"""Group commit: one thread takes everything that waits and commits it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue
from typing import Any

from hub.domain.errors import RetryLater
from hub.store.db import Db

Handler = Callable[[Db, list[Any]], Sequence[Any]]
LONGEST_QUEUE = 10_000
LARGEST_GROUP = 400


class _Job:
    """One waiting write: what to call, with what, and where its result goes."""

    __slots__ = ("done", "handler", "item", "result")

    def __init__(self, handler: Handler, item: Any) -> None:
        self.handler = handler
        self.item = item
        self.result: Any = None
        self.done = threading.Lock()
        self.done.acquire()


class GroupWriter:
    """Collects writes of many threads. `run` gets (handler, items) jobs and returns results per item."""

    def __init__(self, run: Callable[[Sequence[tuple[Handler, list[Any]]]], list[list[Any]]]) -> None:
        self._run = run
        self._queue: Queue[_Job | None] = Queue(maxsize=LONGEST_QUEUE)
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, handler: Handler, item: Any) -> Any:
        """Wait until the item's group is committed; return its result or raise its error."""
        self._ensure_started()
        job = _Job(handler, item)
        try:
            self._queue.put_nowait(job)
        except Full:
            raise RetryLater("more writes wait than the database can take; try again in a moment", after=2) from None
        job.done.acquire()
        if isinstance(job.result, BaseException):
            raise job.result
        return job.result

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._start:
            self._closed = True
            if self._thread is not None:
                self._queue.put(None)
                self._thread.join(timeout=30)

    def _ensure_started(self) -> None:
        if self._thread is not None:
            return
        with self._start:
            if self._closed:
                raise RetryLater("the hub is stopping; nothing was stored")
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="group-writer", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            jobs, ended = self._waiting(first)
            self._settle(jobs)
            if ended:
                return

    def _waiting(self, first: _Job) -> tuple[list[_Job], bool]:
        jobs = [first]
        try:
            while len(jobs) < LARGEST_GROUP:
                job = self._queue.get_nowait()
                if job is None:
                    return jobs, True
                jobs.append(job)
        except Empty:
            pass
        return jobs, False

    def _settle(self, jobs: list[_Job]) -> None:
        grouped = _by_handler(jobs)
        try:
            results = self._run([(handler, [job.item for job in group]) for handler, group in grouped])
        except BaseException as error:
            failure = error if isinstance(error, RetryLater) else _lost(error)
            results = [[failure] * len(group) for _, group in grouped]
        for (_, group), found in zip(grouped, results, strict=True):
            for job, result in zip(group, found, strict=True):
                job.result = result
                job.done.release()


def _lost(error: BaseException) -> RetryLater:
    failure = RetryLater("the commit failed and was rolled back; nothing was stored")
    failure.__cause__ = error
    return failure


def _by_handler(jobs: list[_Job]) -> list[tuple[Handler, list[_Job]]]:
    """Merge neighbours with one handler. Plain closures never merge: each is its own unit of failure."""
    grouped: list[tuple[Handler, list[_Job]]] = []
    for job in jobs:
        if grouped and grouped[-1][0] is job.handler and job.handler.__name__ != "_run_each":
            grouped[-1][1].append(job)
        else:
            grouped.append((job.handler, [job]))
    return grouped
