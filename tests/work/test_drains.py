"""Partners that hang hold up what is for them, and nothing else; one thread a lane otherwise."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from hub.domain.config import Config
from hub.domain.work import Claim, WorkItem
from hub.store.store import Store
from hub.store.tables import metadata
from hub.store.unit import Ledger
from hub.work.drains import Drains
from hub.work.worker import Worker

PATIENCE = 20.0


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """An empty record."""
    store = Store(database_url)
    metadata.create_all(store.engine)
    yield Ledger(store, Config)
    store.close()


def add(ledger: Ledger, *sends: tuple[str, str], task: str = "send") -> None:
    items = [
        WorkItem(task=task, subject_id=subject, lane="document", connection=connection)  # type: ignore[arg-type]
        for connection, subject in sends
    ]
    ledger.transact(lambda unit: unit.later(items))


class Partners:
    """Takes sends; what is for `erp` hangs until it is let go."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.batches: list[tuple[str, list[str]]] = []
        self.hanging, self.let_go, self.others = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, claims: Sequence[Claim]) -> None:
        connection = claims[0].connection
        assert {each.connection for each in claims} == {connection}, "a batch of sends is for one connection"
        self.batches.append((connection, [each.subject_id for each in claims]))
        if connection == "erp":
            self.hanging.set()
            assert self.let_go.wait(PATIENCE)
        self.ledger.transact(lambda unit: unit.fence(claims))
        if connection != "erp":
            self.others.set()


def test_a_partner_that_hangs_does_not_hold_up_the_others(ledger: Ledger) -> None:
    # given a partner that hangs, with more for it waiting
    partners = Partners(ledger)
    worker = Worker(ledger, {"send": partners}, ("document",), "w", drains=Drains(2, patience=0.0))
    add(ledger, ("erp", "a"))
    worker.wake("document")
    assert partners.hanging.wait(PATIENCE)
    # when there is more for it and something for another
    add(ledger, ("erp", "b"), ("shop", "c"))
    worker.wake("document")
    # then the other is served, and no second thread hangs on the first
    assert partners.others.wait(PATIENCE)
    assert [each for each in partners.batches if each[0] == "erp"] == [("erp", ["a"])]
    partners.let_go.set()
    worker.stop()
    # and what waited for the partner is taken afterwards
    Worker(ledger, {"send": partners}, ("document",), "w").drain("document")
    assert ("erp", ["b"]) in partners.batches


def test_a_ring_during_a_drain_is_answered_by_it(ledger: Ledger) -> None:
    # given a thread that is at work, not held up
    taken: list[str] = []
    first, go_on = threading.Event(), threading.Event()

    def handle(claims: Sequence[Claim]) -> None:
        taken.extend(each.subject_id for each in claims)
        ledger.transact(lambda unit: unit.fence(claims))
        first.set()
        assert go_on.wait(PATIENCE)

    worker = Worker(ledger, {"ingest": handle}, ("document",), "w", drains=Drains(8, patience=0.0))
    add(ledger, ("shop", "a"), task="ingest")
    thread = threading.Thread(target=worker.drain, args=("document",))
    thread.start()
    assert first.wait(PATIENCE)
    # when it rings, the ringer is sent away at once
    add(ledger, ("shop", "b"), task="ingest")
    worker.drain("document")
    assert taken == ["a"]
    # then the thread at work takes it before it ends
    go_on.set()
    thread.join(PATIENCE)
    assert taken == ["a", "b"]


def test_of_several_connections_the_one_that_waited_longest_is_first(ledger: Ledger) -> None:
    seen: list[list[str]] = []

    def handle(claims: Sequence[Claim]) -> None:
        seen.append([each.subject_id for each in claims])
        ledger.transact(lambda unit: unit.fence(claims))

    add(ledger, ("shop", "a"), ("erp", "b"), ("shop", "c"), ("erp", "d"))
    Worker(ledger, {"send": handle}, ("document",), "w").drain("document")
    assert seen == [["a", "c"], ["b", "d"]]
