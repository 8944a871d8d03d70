"""Units of work that meet: the second to write a version runs again, and what is promised is never promised twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from hub.domain.config import Config
from hub.domain.errors import RetryLater
from hub.domain.message import Incoming
from hub.domain.order import Order
from hub.domain.work import WorkItem
from hub.store.store import Store
from hub.store.tables import metadata
from hub.store.unit import Ledger, Unit


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """An empty record."""
    store = Store(database_url)
    metadata.create_all(store.engine)
    yield Ledger(store, Config)
    store.close()


def together(work: Callable[[int], object], threads: int) -> list[object]:
    """Run `work` with 0, 1, … at the same time; return results or errors."""
    results: list[object] = [None] * threads
    gate = threading.Barrier(threads)

    def run(at: int) -> None:
        gate.wait(10)
        try:
            results[at] = work(at)
        except Exception as error:
            results[at] = error

    started = [threading.Thread(target=run, args=(at,)) for at in range(threads)]
    for each in started:
        each.start()
    for each in started:
        each.join(60)
    return results


def test_a_record_that_changed_meanwhile_is_not_overwritten(ledger: Ledger) -> None:
    ledger.transact(lambda unit: unit.put(Order(id="o", number="1", account="a", external_id="1")))
    stale = ledger.look(lambda unit: unit.load(Order, ["o"])["o"])
    ledger.transact(lambda unit: unit.put(replace(unit.load(Order, ["o"])["o"], carrier="first")))
    with pytest.raises(RetryLater, match="changed while it was worked on"):
        ledger.transact(lambda unit: unit.put(replace(stale, carrier="second")))
    assert ledger.look(lambda unit: unit.load(Order, ["o"])["o"].carrier) == "first"


def test_two_workers_never_claim_one_row(ledger: Ledger) -> None:
    items = [WorkItem(task="ingest", subject_id=str(at)) for at in range(200)]
    ledger.transact(lambda unit: unit.later(items))

    def drain(at: int) -> list[str]:
        taken: list[str] = []
        for _ in range(100):
            claims = ledger.claim("document", "ingest", 7, f"worker-{at}", 60)
            if not claims:
                return taken
            taken += [each.subject_id for each in claims]
            ledger.transact(lambda unit, claims=claims: unit.fence(claims))
        return taken

    taken = [each for part in together(drain, 4) for each in part]  # type: ignore[attr-defined]
    assert sorted(taken, key=int) == [str(at) for at in range(200)]


def test_copies_of_one_event_that_arrive_at_once_are_one_message(ledger: Ledger) -> None:
    copy = Incoming(body=b"{}", event_id="event-1")
    arrived = together(lambda _: ledger.take_in("shop", "", "document", [copy])[0], 16)
    assert len({each.message_id for each in arrived}) == 1  # type: ignore[attr-defined]
    assert sorted(each.repeated for each in arrived) == [False] + [True] * 15  # type: ignore[attr-defined]
    count = ledger.store.read(
        lambda db: (db.one("SELECT count(*) FROM messages")[0], db.one("SELECT count(*) FROM work")[0])
    )
    assert tuple(count) == (1, 1)


def test_control_numbers_taken_at_once_never_repeat(ledger: Ledger) -> None:
    taken = together(
        lambda at: ledger.transact(lambda unit: unit.control_numbers("x12/us", 5, delivery_ids=[str(at)])), 8
    )
    assert sorted(no for part in taken for no in part) == list(range(1, 41))  # type: ignore[attr-defined]


def test_a_key_that_another_took_after_we_looked_is_seen_by_the_second_run(new_database: Callable[..., str]) -> None:
    store = Store(new_database("postgres"))
    metadata.create_all(store.engine)
    ledger = Ledger(store, Config)
    runs: list[bool] = []

    def create(unit: Unit, order_id: str) -> None:
        if not unit.known_orders([("shop", "1")]):
            unit.put(Order(id=order_id, number="1", account="shop", external_id="1"))

    def ours(unit: Unit) -> None:
        create(unit, "ours")
        if not runs:  # between our look and our write, another worker commits the same order
            ledger.transact(lambda other: create(other, "theirs"))
        runs.append(True)

    ledger.transact(ours)
    assert len(runs) == 2
    assert [row[0] for row in store.read(lambda db: db.all("SELECT id FROM orders"))] == ["theirs"]
    store.close()
