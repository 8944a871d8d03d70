"""A worker: drains lanes when the bell rings, and looks for itself every second in case it did not."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from hub.domain.errors import RetryLater
from hub.domain.work import Claim
from hub.ports.records import Store
from hub.work.keeper import Keeper

log = logging.getLogger(__name__)
Handler = Callable[[Sequence[Claim]], None]
LEASE = 60.0
LINGER = 0.04
PAUSE = 0.004
LONGEST_BREATH = 0.01
SMALLEST, LARGEST = 32, 500
FOLLOWS = {"ingest": ("send",), "frame": ("send",)}
"""What a task leaves to be done: who commits deliveries goes on to send them."""


class Worker:
    """Takes work of some lanes. One instance per process; `drain` may run in several threads at once."""

    def __init__(
        self, store: Store, handlers: Mapping[str, Handler], lanes: Sequence[str], owner: str, lease: float = LEASE
    ) -> None:
        self.store = store
        self.handlers = handlers
        self.lanes = tuple(lanes)
        self.owner = owner
        self.lease = lease
        self._keeper = Keeper(store, lease)
        self.limits = {"frame": 1, "pull": 1}
        self._tasks = tuple(handlers)
        self._stopping = threading.Event()
        self._draining: dict[str, int] = {}
        self._guard = threading.Lock()

    def drain(self, lane: str) -> None:
        """Work until a lane stays empty for a moment, so that a steady trickle is met without a bell each."""
        if lane not in self.lanes or self._stopping.is_set():
            return
        with self._guard:
            self._draining[lane] = self._draining.get(lane, 0) + 1
            lingers = self._draining[lane] == 1
        try:
            self._drain(lane, lingers)
        except RetryLater as error:
            log.warning("lane %s: %s", lane, error)
        finally:
            with self._guard:
                self._draining[lane] -= 1

    def _drain(self, lane: str, lingers: bool) -> None:
        limit, last = SMALLEST, time.monotonic()
        while not self._stopping.is_set():
            begun = time.monotonic()
            done = self.turn(lane, limit)
            if done:
                last = time.monotonic()
                limit = min(LARGEST, limit * 2) if done >= limit else SMALLEST
                if done < SMALLEST:
                    # A small batch costs nearly as much as a large one: let as much time pass as it took, so that
                    # under load the next is larger. Whoever comes alone has been served already.
                    self._stopping.wait(min(last - begun, LONGEST_BREATH))
            elif not lingers or time.monotonic() - last > LINGER:
                return
            else:
                self._stopping.wait(PAUSE)

    def turn(self, lane: str, limit: int = LARGEST) -> int:
        """Claim and handle each kind of task once; return how many rows were handled."""
        done = 0
        due = set(self.store.due(lane, self._tasks))
        for task, handle in self.handlers.items():
            if task not in due:
                continue
            claims = self.store.claim(lane, task, self.limits.get(task, limit), self.owner, self.lease)
            if claims:
                done += len(claims)
                self._handle(handle, claims)
                due.update(FOLLOWS.get(task, ()))
        return done

    def _handle(self, handle: Handler, claims: Sequence[Claim]) -> None:
        try:
            with self._keeper.keeping(claims):
                handle(claims)
        except RetryLater as error:
            log.warning("%d rows wait for their lease to run out: %s", len(claims), error)
        except Exception:
            log.exception(
                "%d rows (%s) failed; their lease runs out, then each is tried alone", len(claims), claims[0].task
            )

    def run_dry(self, *, turns: int = 10_000) -> int:
        """Work in this thread until nothing is due in any lane: for tests and the command line."""
        total = 0
        for _ in range(turns):
            done = sum(self.turn(lane) for lane in self.lanes)
            if not done:
                return total
            total += done
        raise RuntimeError(f"work did not end after {turns} turns")

    def stop(self) -> None:
        """Take no more work; what is under way is finished by its thread."""
        self._stopping.set()
        self._keeper.stop()
