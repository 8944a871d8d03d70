"""Leases of what is under way are kept, so that a slow batch is not taken by another worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from hub.domain.config import Config
from hub.domain.work import Claim, WorkItem
from hub.store import queue
from hub.store.store import Store
from hub.store.tables import metadata
from hub.store.unit import Ledger
from hub.work.worker import Worker

LEASE = 0.6


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A record with one piece of work."""
    store = Store(database_url)
    metadata.create_all(store.engine)
    found = Ledger(store, Config)
    found.transact(lambda unit: unit.later([WorkItem(task="ingest", subject_id="slow")]))
    yield found
    store.close()


def test_a_batch_that_takes_longer_than_its_lease_stays_with_its_worker(ledger: Ledger) -> None:
    begun, end = threading.Event(), threading.Event()
    handled: list[str] = []

    def slow(claims: Sequence[Claim]) -> None:
        begun.set()
        end.wait(20)
        handled.extend(each.subject_id for each in claims)
        assert ledger.transact(lambda unit: unit.fence(claims)) == {claims[0].id}

    worker = Worker(ledger, {"ingest": slow}, ("document",), "slow", lease=LEASE)
    other = Worker(ledger, {"ingest": slow}, ("document",), "other", lease=LEASE)
    thread = threading.Thread(target=worker.drain, args=("document",))
    thread.start()
    assert begun.wait(10)
    # while the first is at it for three leases, nothing is given back and nobody else gets it
    pause, ends = threading.Event(), time.monotonic() + 3 * LEASE
    while time.monotonic() < ends:
        assert ledger.store.write(queue.requeue_expired) == 0
        other.drain("document")
        pause.wait(0.05)
    end.set()
    thread.join(10)
    worker.stop()
    other.stop()
    assert handled == ["slow"]
    assert ledger.store.read(lambda db: db.all("SELECT id FROM work")) == []
