"""Keeps the leases of what is under way, so that slow is not mistaken for dead. A frozen process keeps nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hub.domain.errors import HubError
from hub.domain.work import Claim
from hub.ports.records import Store

log = logging.getLogger(__name__)
LONGEST = 20
"""So many leases long a batch may be under way; then it counts as stuck, and another worker may have it."""


class Keeper:
    """Renews leases at a third of their time, from one thread. Batches that end sooner cost nothing."""

    def __init__(self, store: Store, lease: float) -> None:
        self._store = store
        self._lease = lease
        self._under_way: dict[int, tuple[float, Sequence[Claim]]] = {}
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keeping(self, claims: Sequence[Claim]) -> Iterator[None]:
        """Keep these leases until the block ends; rows that it takes off the queue or puts back are let go."""
        with self._guard:
            self._under_way[id(claims)] = (time.monotonic(), claims)
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._serve, name="lease-keeper", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._guard:
                del self._under_way[id(claims)]

    def stop(self) -> None:
        """Renew nothing more once all that is under way has ended."""
        self._stopping.set()

    def _serve(self) -> None:
        while not self._stopping.wait(self._lease / 3):
            self._renew()
        pause = threading.Event()
        while self._under_way:
            self._renew()
            pause.wait(self._lease / 3)

    def _renew(self) -> None:
        now = time.monotonic()
        with self._guard:
            batches = [(now - begun, claims) for begun, claims in self._under_way.values()]
        slow = [each for age, claims in batches if self._lease / 4 < age < self._lease * LONGEST for each in claims]
        if not slow:
            return
        try:
            self._store.transact(lambda unit: unit.renew(slow, self._lease))
        except HubError as error:
            log.warning("%d leases could not be renewed: %s", len(slow), error)
        except Exception:
            log.exception("%d leases could not be renewed", len(slow))
