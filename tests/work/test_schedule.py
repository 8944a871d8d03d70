"""Pulls by the clock: one row per turn, whoever asks; no second one while the first still waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hub.domain.config import Config
from hub.domain.connection import ConnectionConfig
from hub.store.store import Store
from hub.store.tables import metadata
from hub.work.schedule import tick

CONFIG = Config(
    connections={
        "shop": ConnectionConfig(name="shop", connector="rest", pull_every={"order": 60, "stock": 3600}),
        "paused": ConnectionConfig(name="paused", connector="rest", pull_every={"order": 60}, state="paused"),
        "pushed": ConnectionConfig(name="pushed", connector="webhook"),
    }
)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty record."""
    found = Store(database_url)
    metadata.create_all(found.engine)
    yield found
    found.close()


def waiting(store: Store) -> list[str]:
    return [row[0] for row in store.read(lambda db: db.all("SELECT subject_id FROM work ORDER BY subject_id"))]


def test_every_pull_that_is_due_is_queued_once(store: Store) -> None:
    assert store.write(lambda db: tick(db, CONFIG)) == 2
    assert store.write(lambda db: tick(db, CONFIG)) == 0
    assert waiting(store) == ["shop/order", "shop/stock"]


def test_the_next_turn_comes_when_its_time_has_come_and_the_last_is_done(store: Store) -> None:
    store.write(lambda db: tick(db, CONFIG))
    # its time has come, but the last pull still waits
    store.write(lambda db: db.run("UPDATE cursors SET next_us = 0"))
    assert store.write(lambda db: tick(db, CONFIG)) == 0
    # the last pull is done
    store.write(lambda db: db.run("DELETE FROM work WHERE subject_id = 'shop/order'"))
    assert store.write(lambda db: tick(db, CONFIG)) == 1
    assert waiting(store) == ["shop/order", "shop/stock"]


def test_schedulers_that_tick_at_once_queue_one_row_per_pull(store: Store) -> None:
    gate = threading.Barrier(4)
    queued: list[int] = []

    def run() -> None:
        gate.wait(10)
        queued.append(store.write(lambda db: tick(db, CONFIG)))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert sum(queued) == 2
    assert waiting(store) == ["shop/order", "shop/stock"]
