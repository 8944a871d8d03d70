"""A worker: drains lanes when the bell rings, and looks for itself every second in case it did not."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from hub.domain.errors import RetryLater
from hub.domain.work import Claim
from hub.ports.records import Store
from hub.work.drains import Drain, Drains
from hub.work.keeper import Keeper

log = logging.getLogger(__name__)
Handler = Callable[[Sequence[Claim]], None]
LEASE = 60.0
THREADS = 8
LINGER = 0.04
PAUSE = 0.004
LONGEST_BREATH = 0.04
SMALLEST, LARGE, LARGEST = 32, 256, 500
MOST_SERVED = 50
"""So many connections are served in one turn before new work is looked for."""
FOLLOWS = {"ingest": ("send",), "frame": ("send",)}
"""What a task leaves to be done: who commits deliveries goes on to send them."""
AWAY = frozenset({"send", "pull"})
"""Tasks that wait for somebody else's system. Sends are claimed for one connection at a time: a partner that hangs
holds up what is for it and nothing else."""


class Worker:
    """Takes work of some lanes. One instance per process; `drain` may run in several threads at once."""

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        lanes: Sequence[str],
        owner: str,
        lease: float = LEASE,
        drains: Drains | None = None,
        held: Callable[[], frozenset[str]] = frozenset,
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
        self._drains = drains or Drains(THREADS)
        self._held = held
        self._threads: set[threading.Thread] = set()
        self._guard = threading.Lock()

    def wake(self, lane: str) -> None:
        """Drain a lane in a thread of this worker's own, where none does; returns at once."""
        if lane not in self.lanes or self._stopping.is_set() or not self._drains.wanted(lane):
            return
        thread = threading.Thread(target=self._drain_guarded, args=(lane,), name=f"drain-{lane}", daemon=True)
        with self._guard:
            self._threads = {each for each in self._threads if each.is_alive()} | {thread}
            thread.start()

    def drain(self, lane: str) -> None:
        """Work until a lane stays empty for a moment, so that a steady trickle is met without a bell each."""
        drain = self._drains.begin(lane) if lane in self.lanes and not self._stopping.is_set() else None
        if drain is None:
            return
        try:
            self._drain(lane, drain)
        except RetryLater as error:
            log.warning("lane %s: %s", lane, error)
        finally:
            self._drains.end(lane, drain)

    def _drain_guarded(self, lane: str) -> None:
        try:
            self.drain(lane)
        except Exception:
            log.exception("lane %s was left; it is looked at again within a second", lane)

    def _drain(self, lane: str, drain: Drain) -> None:
        limit, last = SMALLEST, time.monotonic()
        while not self._stopping.is_set():
            begun = time.monotonic()
            self._drains.look(lane)
            done = self.turn(lane, limit, drain)
            if done:
                last = time.monotonic()
                limit = min(LARGEST, limit * 2) if done >= limit else SMALLEST
                if done < LARGE:
                    # A small batch costs nearly as much as a large one: let as much time pass as it took, so that
                    # under load the next is larger. Whoever comes alone has been served already.
                    self._stopping.wait(min(last - begun, LONGEST_BREATH))
            elif time.monotonic() - last > LINGER:
                if self._drains.may_end(lane, drain):
                    return
            else:
                self._stopping.wait(PAUSE)

    def turn(self, lane: str, limit: int = LARGEST, drain: Drain | None = None) -> int:
        """Claim and handle each kind of task once; return how many rows were handled."""
        done = 0
        due = set(self.store.due(lane, self._tasks))
        for task in self.handlers:
            if task in due:
                handled = self._sends(lane, limit, drain) if task == "send" else self._others(lane, task, limit, drain)
                done += handled
                if handled:
                    due.update(FOLLOWS.get(task, ()))
        return done

    def _others(self, lane: str, task: str, limit: int, drain: Drain | None) -> int:
        claims = self.store.claim(lane, task, self.limits.get(task, limit), self.owner, self.lease)
        if claims and task in AWAY and drain is not None:
            with drain.away():
                self._handle(self.handlers[task], claims)
        elif claims:
            self._handle(self.handlers[task], claims)
        return len(claims)

    def _sends(self, lane: str, limit: int, drain: Drain | None) -> int:
        """Serve one connection after the other, each once, but those that another thread is serving or that are held.

        Connections that were not served lately are not asked after: the next turn begins with whoever waited longest.
        """
        done = 0
        served: set[str] = set()
        while len(served) < MOST_SERVED and not self._stopping.is_set():
            busy = self._drains.busy | served | self._held()
            claims = self.store.claim(lane, "send", limit, self.owner, self.lease, busy)
            if not claims:
                break
            connection = claims[0].connection
            served.add(connection)
            with self._drains.serving(drain, connection):
                self._handle(self.handlers["send"], claims)
            done += len(claims)
            if self._drains.lately(lane, connection) <= self._drains.busy | served:
                break
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

    def stop(self, *, seconds: float = 30.0) -> None:
        """Take no more work and wait so long for what is under way; after that its lease runs out."""
        self._stopping.set()
        self._keeper.stop()
        until = time.monotonic() + seconds
        for thread in tuple(self._threads):
            thread.join(timeout=max(0.0, until - time.monotonic()))
