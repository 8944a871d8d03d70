"""The configuration in the database: one snapshot, a version, an audit line for each change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hub.domain.connection import ConnectionConfig
from hub.domain.errors import Rejected
from hub.store import db as seam
from hub.store.config import ConfigCache, load_config, save_record
from hub.store.store import Store


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []
    seam.on_statement.append(seen.append)
    try:
        yield seen
    finally:
        seam.on_statement.remove(seen.append)


def test_a_record_is_stored_and_read_back(store: Store) -> None:
    shop = ConnectionConfig(name="shop", connector="webshop", settings={"url": "https://shop.example"})

    store.write(lambda db: save_record(db, "connection", "shop", shop, "a person"))

    config = store.read(load_config)
    assert config.connections == {"shop": shop}
    assert config.version == 1


def test_a_table_with_an_unknown_key_is_refused(store: Store) -> None:
    with pytest.raises(Rejected, match=r"route r\.until: is not known here"):
        store.write(
            lambda db: save_record(
                db, "route", "r", {"name": "r", "on": "a", "to": "origin", "send": "b", "until": 3}, "a person"
            )
        )

    assert store.read(load_config).version == 0


def test_each_change_leaves_what_was_and_what_is(store: Store) -> None:
    store.write(lambda db: save_record(db, "setting", "minutes", 30, "first person"))
    store.write(lambda db: save_record(db, "setting", "minutes", 45, "second person"))

    rows = store.read(lambda db: db.all('SELECT who, subject, "before", "after" FROM audit ORDER BY no'))
    assert [tuple(row) for row in rows] == [
        ("first person", "setting/minutes", "", "30"),
        ("second person", "setting/minutes", "30", "45"),
    ]


def test_the_cache_asks_once_per_call_and_reloads_on_a_change(store: Store) -> None:
    store.write(lambda db: save_record(db, "setting", "minutes", 30, "a person"))
    cache = ConfigCache(store)
    first = cache()

    with statements() as seen:
        assert cache() is first
    assert len(seen) == 1

    store.write(lambda db: save_record(db, "setting", "minutes", 45, "a person"))
    assert cache().settings == {"minutes": 45}


def test_the_cache_asks_nothing_within_its_seconds(store: Store) -> None:
    now = [100.0]
    cache = ConfigCache(store, seconds=0.5, monotonic=lambda: now[0])
    first = cache()
    store.write(lambda db: save_record(db, "setting", "minutes", 30, "a person"))

    now[0] = 100.4
    with statements() as seen:
        assert cache() is first
    assert seen == []

    now[0] = 100.6
    assert cache().settings == {"minutes": 30}
