"""The queue of record, on both databases: claims, leases, fences, order per key, and what becomes of deadly rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from hub.domain.config import Config
from hub.domain.work import Claim, WorkItem
from hub.store import queue
from hub.store.db import Db
from hub.store.store import Store
from hub.store.tables import metadata
from hub.store.unit import Ledger

LONG_AGO = 1


class Queue:
    """The queue with the words that these tests use."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ledger = Ledger(store, Config)

    def add(self, *subjects: str, key: str | None = None, **more: Any) -> None:
        """Queue rows that are due at once."""
        items = [WorkItem(task="ingest", subject_id=each, order_key=key, **more) for each in subjects]
        self.store.write(lambda db: queue.add_work(db, [(item, LONG_AGO) for item in items]))

    def claim(self, limit: int = 10, *, lease: float = 60, lane: str = "document") -> list[Claim]:
        """Claim as a worker does."""
        return self.ledger.claim(lane, "ingest", limit, "worker", lease)

    def end(self, claims: Sequence[Claim]) -> set[int]:
        """Take claims off the queue; return those that were still ours."""
        return self.ledger.transact(lambda unit: unit.fence(claims))

    def expire(self) -> int:
        """Let every lease run out, then sweep; return how many rows were given back."""
        self.store.write(lambda db: db.run(f"UPDATE work SET lease_us = {LONG_AGO} WHERE status = 'running'"))
        return self.store.write(queue.requeue_expired)

    def due_now(self) -> None:
        """Let the time come that rows wait for."""
        self.store.write(lambda db: db.run(f"UPDATE work SET due_us = {LONG_AGO}"))

    def rows(self, columns: str = "subject_id, status, starts, attempts") -> list[tuple[Any, ...]]:
        """Return the queue."""
        return [tuple(row) for row in self.store.read(lambda db: db.all(f"SELECT {columns} FROM work ORDER BY id"))]


@pytest.fixture
def waiting(database_url: str) -> Iterator[Queue]:
    """An empty queue."""
    store = Store(database_url)
    metadata.create_all(store.engine)
    yield Queue(store)
    store.close()


def subjects(claims: Sequence[Claim]) -> list[str]:
    return [each.subject_id for each in claims]


def test_a_claim_takes_what_is_due_in_order_of_arrival_and_no_more_than_asked(waiting: Queue) -> None:
    waiting.add("a", "b", "c")
    assert subjects(waiting.claim(2)) == ["a", "b"]
    assert subjects(waiting.claim(2)) == ["c"]
    assert waiting.claim(2) == []


def test_a_claim_of_one_lane_leaves_the_others_alone(waiting: Queue) -> None:
    waiting.add("slow", lane="bulk")
    assert waiting.claim() == []
    assert subjects(waiting.claim(lane="bulk")) == ["slow"]


def test_a_row_that_is_done_is_gone(waiting: Queue) -> None:
    waiting.add("a")
    [claim] = waiting.claim()
    assert waiting.end([claim]) == {claim.id}
    assert waiting.rows() == []


def test_a_fence_in_a_transaction_that_fails_leaves_the_row(waiting: Queue) -> None:
    waiting.add("a")
    claims = waiting.claim()

    def fails(unit: Any) -> None:
        unit.fence(claims)
        raise LookupError

    with pytest.raises(LookupError):
        waiting.ledger.transact(fails)
    assert waiting.rows() == [("a", "running", 1, 0)]


def test_a_lease_that_holds_is_not_given_back(waiting: Queue) -> None:
    waiting.add("a")
    waiting.claim(lease=60)
    assert waiting.store.write(queue.requeue_expired) == 0
    assert waiting.claim() == []


def test_a_lease_that_ran_out_is_given_back_and_the_late_worker_is_refused(waiting: Queue) -> None:
    # given a worker whose lease ran out, and another that has the row now
    waiting.add("a")
    late = waiting.claim()
    assert waiting.expire() == 1
    now = waiting.claim()
    assert subjects(now) == ["a"]
    # when the late one comes back, every write of it is refused
    waiting.ledger.transact(lambda unit: unit.put_back(late, after=0, reason="late"))
    waiting.ledger.transact(lambda unit: unit.park(late, status="parked", reason="late"))
    assert waiting.ledger.transact(lambda unit: unit.renew(late, 60)) == set()
    assert waiting.end(late) == set()
    # then the row is as the second worker has it
    assert waiting.rows("subject_id, status, reason") == [("a", "running", "")]
    assert waiting.end(now) == {now[0].id}


def test_renewing_keeps_the_row_past_its_first_lease(waiting: Queue) -> None:
    waiting.add("a")
    claims = waiting.claim(lease=60)
    waiting.store.write(lambda db: db.run(f"UPDATE work SET lease_us = {LONG_AGO}"))
    assert waiting.ledger.transact(lambda unit: unit.renew(claims, 60)) == {claims[0].id}
    assert waiting.store.write(queue.requeue_expired) == 0


def test_rows_that_were_started_before_are_claimed_one_at_a_time_and_after_the_fresh_ones(waiting: Queue) -> None:
    waiting.add("a", "b")
    waiting.claim()
    waiting.expire()
    waiting.add("c", "d")
    assert subjects(waiting.claim()) == ["c", "d"]
    assert subjects(waiting.claim()) == ["a"]
    assert subjects(waiting.claim()) == ["b"]


def test_rows_of_one_key_are_claimed_in_order_and_only_when_the_earlier_is_gone(waiting: Queue) -> None:
    waiting.add("create", "change", "cancel", key="shop/1")
    waiting.add("other", key="shop/2")
    first = waiting.claim()
    assert subjects(first) == ["create", "other"]
    assert waiting.claim() == []
    waiting.end(first)
    assert subjects(waiting.claim()) == ["change"]


@pytest.mark.parametrize("status", ["parked", "in_doubt", "dead"])
def test_a_row_kept_for_a_person_holds_its_key(waiting: Queue, status: str) -> None:
    waiting.add("create", "change", key="shop/1")
    claims = waiting.claim()
    waiting.ledger.transact(lambda unit: unit.park(claims, status=status, reason="a person decides"))
    assert waiting.claim() == []
    assert waiting.rows("subject_id, status, reason")[0] == ("create", status, "a person decides")


def test_a_row_put_back_waits_its_time_with_its_starts_forgiven(waiting: Queue) -> None:
    waiting.add("a")
    claims = waiting.claim()
    waiting.ledger.transact(lambda unit: unit.put_back(claims, after=30, reason="they were busy"))
    assert waiting.claim() == []
    assert waiting.rows() == [("a", "queued", 0, 1)]
    waiting.due_now()
    [claim] = waiting.claim()
    assert (claim.starts, claim.attempts, claim.reason) == (1, 1, "they were busy")


def test_a_row_put_back_without_a_time_waits_longer_with_every_attempt() -> None:
    for attempts, longest in ((0, 2.0), (1, 4.0), (4, 32.0), (30, 900.0), (5000, 900.0)):
        waits = [queue.backoff(attempts) for _ in range(200)]
        assert longest / 2 <= min(waits)
        assert max(waits) <= longest
        assert max(waits) - min(waits) > longest / 10


def test_a_row_that_ends_its_worker_five_times_is_kept_for_a_person_with_one_incident(waiting: Queue) -> None:
    # given a row that ended four workers, beside one of the same first batch that is innocent
    waiting.add("poison", "innocent")
    waiting.claim()
    waiting.expire()
    for _ in range(3):
        assert subjects(waiting.claim()) == ["poison"]
        waiting.expire()
    # when it ends the fifth
    assert subjects(waiting.claim()) == ["poison"]
    assert waiting.expire() == 0
    # then it is not started again, and the innocent one is
    assert waiting.rows("subject_id, status, starts") == [("poison", "dead", 5), ("innocent", "queued", 1)]
    assert subjects(waiting.claim()) == ["innocent"]
    sql = "SELECT class, severity, subject_kind, subject_id, count, state FROM incidents"
    found = waiting.store.read(lambda db: [tuple(row) for row in db.all(sql)])
    assert found == [("internal", "critical", "message", "poison", 1, "open")]


def test_lanes_and_tasks_that_are_due_are_told_without_taking_anything(waiting: Queue) -> None:
    waiting.add("a", lane="bulk")
    assert waiting.store.read(queue.due_lanes) == ["bulk"]
    assert waiting.ledger.due("bulk", ("send", "ingest")) == ["ingest"]
    assert waiting.ledger.due("document", ("send", "ingest")) == []
    assert waiting.rows("status") == [("queued",)]


def synced(db: Db) -> Any:
    """Say whether a commit now waits for the disk."""
    row = db.one("SHOW synchronous_commit" if db.postgres else "PRAGMA synchronous")
    return row[0] in ("on", 2)


def test_a_claim_does_not_wait_for_the_disk_on_postgresql_and_what_is_written_next_does(waiting: Queue) -> None:
    waiting.add("a")

    def claimed(db: Db) -> tuple[int, bool]:
        return len(queue.claim(db, "document", "ingest", 1, "worker", 60, alone=False)), synced(db)

    if waiting.store.postgres:  # where the claim stands alone there; in a transaction its setting shows until the end
        assert waiting.store.write(claimed) == (1, False)
    else:
        assert waiting.store.write_unsynced(claimed) == (1, True)
    assert waiting.store.write(synced)
    assert waiting.end(waiting.claim()) == set()


def test_a_claim_that_the_machine_forgot_does_not_pass_for_the_next_one(waiting: Queue) -> None:
    waiting.add("a", "b")
    forgotten = waiting.claim()
    forget = "UPDATE work SET status = 'queued', starts = 0, epoch = 0, owner = '', lease_us = 0"
    waiting.store.write(lambda db: db.run(forget))
    again = waiting.claim()
    assert len({each.epoch for each in again}) == 1
    assert waiting.end(forgotten) == set()
    assert waiting.end(again) == {each.id for each in again}
