"""The worker's loop: what it does with rows that fail, and that it stops when it is asked to."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pytest

from hub.domain.config import Config
from hub.domain.errors import RetryLater
from hub.domain.work import Claim, WorkItem
from hub.store import queue
from hub.store.store import Store
from hub.store.tables import metadata
from hub.store.unit import Ledger
from hub.work.worker import Worker


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """An empty record."""
    store = Store(database_url)
    metadata.create_all(store.engine)
    yield Ledger(store, Config)
    store.close()


def add(ledger: Ledger, *subjects: str, task: str = "ingest", lane: str = "document") -> None:
    items = [WorkItem(task=task, subject_id=each, lane=lane) for each in subjects]  # type: ignore[arg-type]
    ledger.transact(lambda unit: unit.later(items))


class Hands:
    """A handler that notes what it was given and takes it off the queue."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.batches: list[list[str]] = []

    def __call__(self, claims: Sequence[Claim]) -> None:
        self.batches.append([each.subject_id for each in claims])
        self.ledger.transact(lambda unit: unit.fence(claims))


def test_what_waits_is_handed_over_as_one_batch(ledger: Ledger) -> None:
    hands = Hands(ledger)
    add(ledger, "a", "b", "c")
    worker = Worker(ledger, {"ingest": hands}, ("document",), "w")
    worker.drain("document")
    assert hands.batches == [["a", "b", "c"]]


def test_a_lane_of_somebody_else_is_left_alone(ledger: Ledger) -> None:
    hands = Hands(ledger)
    add(ledger, "a", lane="bulk")
    Worker(ledger, {"ingest": hands}, ("document",), "w").drain("bulk")
    assert hands.batches == []


def test_frames_and_pulls_are_handed_over_one_by_one(ledger: Ledger) -> None:
    hands = Hands(ledger)
    add(ledger, "p1", "p2", task="pull")
    Worker(ledger, {"pull": hands}, ("document",), "w").drain("document")
    assert hands.batches == [["p1"], ["p2"]]


@pytest.mark.parametrize("error", [RetryLater("the database is away"), ValueError("a bug")])
def test_a_batch_that_fails_waits_for_its_lease_and_then_runs_alone(
    ledger: Ledger, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    # given a handler that fails the first time
    hands = Hands(ledger)
    failures = [error]

    def handle(claims: Sequence[Claim]) -> None:
        if failures:
            raise failures.pop()
        hands(claims)

    add(ledger, "a", "b")
    worker = Worker(ledger, {"ingest": handle}, ("document",), "w", lease=60)
    with caplog.at_level(logging.WARNING):
        worker.drain("document")
    assert "lease runs out" in caplog.text or "lease to run out" in caplog.text
    assert hands.batches == []
    # when the lease has run out
    ledger.store.write(lambda db: db.run("UPDATE work SET lease_us = 1"))
    ledger.store.write(queue.requeue_expired)
    worker.drain("document")
    # then each row is tried alone
    assert hands.batches == [["a"], ["b"]]


def test_a_worker_that_was_stopped_takes_nothing(ledger: Ledger) -> None:
    hands = Hands(ledger)
    add(ledger, "a")
    worker = Worker(ledger, {"ingest": hands}, ("document",), "w")
    worker.stop()
    worker.drain("document")
    assert hands.batches == []


def test_running_dry_ends_with_an_error_where_work_makes_more_work_for_ever(ledger: Ledger) -> None:
    def handle(claims: Sequence[Claim]) -> None:
        ledger.transact(lambda unit: unit.fence(claims))
        add(ledger, "again")

    add(ledger, "first")
    with pytest.raises(RuntimeError, match="did not end after 5 turns"):
        Worker(ledger, {"ingest": handle}, ("document",), "w").run_dry(turns=5)
