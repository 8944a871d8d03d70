"""Writes of many threads: those that wait are committed together, each fails alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import exc

from hub.domain.errors import RetryLater
from hub.store.db import Db
from hub.store.groups import GroupWriter
from hub.store.store import Store
from hub.store.tables import metadata

INSERT = "INSERT INTO processes (id) VALUES (:name)"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store."""
    found = Store(database_url)
    metadata.create_all(found.engine)
    yield found
    found.close()


def keep(db: Db, names: list[str]) -> Sequence[Any]:
    """Store a row per name; one that is there already raises."""
    return [db.run(INSERT, name=name) for name in names]


def names(store: Store) -> list[str]:
    return [row[0] for row in store.read(lambda db: db.all("SELECT id FROM processes ORDER BY id"))]


class Commits:
    """A stand-in for the database: it keeps what was committed together, and can be held up."""

    def __init__(self) -> None:
        self.groups: list[list[Any]] = []
        self.begun = threading.Event()
        self.goes_on = threading.Event()
        self.fails: BaseException | None = None

    def __call__(self, jobs: Sequence[tuple[Any, list[Any]]]) -> list[list[Any]]:
        self.begun.set()
        assert self.goes_on.wait(10)
        self.groups.append([item for _, items in jobs for item in items])
        if self.fails is not None:
            error, self.fails = self.fails, None
            raise error
        return [[f"{item} is kept" for item in items] for _, items in jobs]


def brought(writer: GroupWriter, items: Sequence[Any], results: dict[Any, Any]) -> list[threading.Thread]:
    """Bring each item in a thread of its own, one after the other."""

    def bring(item: Any) -> None:
        try:
            results[item] = writer.submit(keep, item)
        except BaseException as error:
            results[item] = error

    threads = [threading.Thread(target=bring, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    return threads


def join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it did not come")


def test_a_write_that_comes_alone_runs_in_the_thread_that_brought_it(database_url: str) -> None:
    store = Store(database_url)
    assert store.write(lambda _: threading.get_ident()) == threading.get_ident()
    assert store.write_batched(lambda _, items: [threading.get_ident() for _ in items], 1) == threading.get_ident()
    store.close()


def test_those_that_come_while_one_commits_are_committed_together() -> None:
    commits, results = Commits(), dict[Any, Any]()
    writer = GroupWriter(commits)
    threads = brought(writer, ["first"], results)
    assert commits.begun.wait(10)
    threads += brought(writer, ["a", "b", "c"], results)
    until(lambda: len(writer._waiting) == 3)
    commits.goes_on.set()
    join(threads)
    assert commits.groups[0] == ["first"]
    assert sorted(commits.groups[1]) == ["a", "b", "c"]
    assert results == {each: f"{each} is kept" for each in ("first", "a", "b", "c")}


def test_a_commit_that_fails_is_told_to_all_of_its_group_and_the_next_goes_on() -> None:
    commits, results = Commits(), dict[Any, Any]()
    commits.goes_on.set()
    writer = GroupWriter(commits)
    commits.fails = OSError("no space")
    join(brought(writer, ["a"], results))
    assert isinstance(results["a"], RetryLater)
    join(brought(writer, ["b"], results))
    assert results["b"] == "b is kept"


def test_a_thread_that_is_told_to_end_hands_on_what_waits() -> None:
    commits, results = Commits(), dict[Any, Any]()
    writer = GroupWriter(commits)
    commits.fails = KeyboardInterrupt()
    threads = brought(writer, ["first"], results)
    assert commits.begun.wait(10)
    threads += brought(writer, ["a"], results)
    until(lambda: len(writer._waiting) == 1)
    commits.goes_on.set()
    join(threads)
    assert isinstance(results["first"], KeyboardInterrupt)
    assert results["a"] == "a is kept"


def test_closing_waits_for_what_was_taken_and_takes_no_more() -> None:
    commits, results = Commits(), dict[Any, Any]()
    writer = GroupWriter(commits)
    threads = brought(writer, ["first"], results)
    assert commits.begun.wait(10)
    closing = threading.Thread(target=writer.close)
    closing.start()
    until(lambda: writer._closed)
    with pytest.raises(RetryLater, match="stopping"):
        writer.submit(keep, "late")
    assert closing.is_alive()
    commits.goes_on.set()
    join([*threads, closing])
    assert results == {"first": "first is kept"}


def test_one_item_that_fails_harms_no_other_of_its_call(store: Store) -> None:
    store.write_batched(keep, "taken")
    gate, results = threading.Event(), dict[str, Any]()

    def slowly(_: Db, items: list[Any]) -> list[Any]:
        return [gate.wait(10) for _ in items]

    holding = threading.Thread(target=lambda: store.write_batched(slowly, 1))
    holding.start()
    until(lambda: store._groups._led)

    def bring(name: str) -> None:
        try:
            results[name] = store.write_batched(keep, name)
        except exc.IntegrityError:
            results[name] = "refused"

    threads = [threading.Thread(target=bring, args=(name,)) for name in ("a", "taken", "b")]
    for thread in threads:
        thread.start()
    until(lambda: len(store._groups._waiting) == 3)
    gate.set()
    join([holding, *threads])
    assert results == {"a": 1, "taken": "refused", "b": 1}
    assert names(store) == ["a", "b", "taken"]


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    def twice(db: Db) -> None:
        db.run(INSERT, name="x")
        db.run(INSERT, name="x")

    with pytest.raises(exc.IntegrityError):
        store.write(twice)
    assert names(store) == []
    store.write(lambda db: db.run(INSERT, name="y"))
    assert names(store) == ["y"]
