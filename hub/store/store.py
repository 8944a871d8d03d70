"""Where everything is kept: `write` commits durably before it returns, `read` sees what was committed.

SQLite has one writer at a time, who groups waiting writes into one commit, each in its own savepoint.
PostgreSQL runs `write` on the caller's connection; `write_batched` (intake) groups there too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.pool import QueuePool

from hub.domain.errors import RetryLater
from hub.store.db import Db
from hub.store.groups import GroupWriter, Handler

log = logging.getLogger(__name__)
T = TypeVar("T")
TRIES = 4
UNSENT = ("connect", "BEGIN")
"""What is asked of a connection before its work."""
PATIENCE = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}  # fmt: skip
"""How long a PostgreSQL that fell silent is waited for: seconds, but milliseconds for data that nobody acknowledges."""
PLANS = "SET enable_seqscan = off; SET random_page_cost = 1.1; SET jit = off"
"""Plans are made once and kept: one that was made while a table was small must still be good when it has grown."""


class Store:
    """One database. Thread-safe."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine = open_engine(url, pool_size)
        self.postgres = self.engine.dialect.name == "postgresql"
        self._groups = GroupWriter(self._grouped)

    def write(self, work: Callable[[Db], T]) -> T:
        """Run a closure in a transaction and return once it is durable. No I/O inside: it may run twice."""
        if self.postgres:
            return self._tried(lambda db: _transaction(db, work))
        result: T = self._groups.submit(_run_each, work)
        return result

    def write_unsynced(self, work: Callable[[Db], T]) -> T:
        """Like `write`, but PostgreSQL does not wait for the disk: a machine that stops may forget it. For leases.

        Every statement of the closure is whole by itself; to PostgreSQL it says `db.unsynced` among its conditions.
        SQLite does wait: claims that came at once there made batches small and cost more than the disk (measured).
        """
        return self._tried(work) if self.postgres else self.write(work)

    def write_batched(self, handler: Handler, item: Any) -> Any:
        """Hand one item over; `handler(db, items)` is called with all that wait, and returns a result for each."""
        return self._groups.submit(handler, item)

    def read(self, query: Callable[[Db], T]) -> T:
        """Run a query on its own connection; once more, on a fresh one, where that connection had died meanwhile."""
        try:
            return self._on_a_line(query, lambda _: True)
        except exc.DBAPIError as error:
            if self.postgres and isinstance(error, (exc.OperationalError, exc.InterfaceError)):
                raise RetryLater("the database ended the connection; nothing was read") from error
            raise

    def close(self) -> None:
        """Finish waiting writes and close every connection."""
        self._groups.close()
        self.engine.dispose()

    def _connected(self) -> Connection:
        try:
            return self.engine.connect()
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            raise RetryLater("the database does not answer; nothing was stored") from error

    def _on_a_line(self, work: Callable[[Db], T], may_repeat: Callable[[exc.DBAPIError], bool]) -> T:
        """Run on a connection of the pool, and on a fresh one where that one turns out to be dead.

        The pool does not ask a connection whether it lives: that would be a round trip for each use.
        """
        try:
            with self._connected() as connection:
                return work(Db(connection))
        except exc.DBAPIError as error:
            if not (_is_lost(error) and may_repeat(error)):
                raise
        with self._connected() as connection:
            return work(Db(connection))

    def _tried(self, work: Callable[[Db], T]) -> T:
        for left in reversed(range(TRIES)):
            try:
                return self._on_a_line(work, _is_unsent)
            except (exc.OperationalError, exc.InterfaceError) as error:
                if left == 0 or not _passing(error):
                    raise RetryLater("the database refused the transaction; it was rolled back") from error
        raise AssertionError("unreachable")

    def _grouped(self, jobs: Sequence[tuple[Handler, list[Any]]]) -> list[list[Any]]:
        """Run each job in its own savepoint, all in one transaction; a result may be an exception.

        One that came alone needs none: where it fails, all of it is rolled back, and its items are tried one by one.
        """
        found = self._on_a_line(lambda db: _in_one(db, jobs), _is_unsent)
        return [[_told(each) for each in results] for results in found] if self.postgres else found


def _told(result: Any) -> Any:
    """Return a result; what the database itself could not do (a full disk, no memory) may work later."""
    if not isinstance(result, exc.OperationalError):
        return result
    later = RetryLater("the database refused the transaction; it was rolled back")
    later.__cause__ = result
    return later


def _in_one(db: Db, jobs: Sequence[tuple[Handler, list[Any]]]) -> list[list[Any]]:
    if len(jobs) == 1:
        [(handler, items)] = jobs
        results = _alone(db, handler, items)
        if results is not None:
            return [results]
        jobs = [(handler, [item]) for item in items]
        return [_transaction(db, lambda db: [_in_savepoint(db, handler, items)[0] for handler, items in jobs])]
    return _transaction(db, lambda db: [_in_savepoint(db, handler, items) for handler, items in jobs])


def _alone(db: Db, handler: Handler, items: list[Any]) -> list[Any] | None:
    """Run one job in a transaction; its single item's error is its result, None where several items must be told apart.

    What fails with the transaction (its begin, its commit, a full disk, a lost connection) is raised.
    """
    refused: list[Exception] = []

    def work(db: Db) -> list[Any]:
        try:
            return list(handler(db, items))
        except Exception as error:
            if db.begun and not _is_lost(error):
                refused.append(error)
            raise

    try:
        return _transaction(db, work)
    except Exception:
        if not refused:
            raise
        return refused if len(items) == 1 else None


def _transaction(db: Db, work: Callable[[Db], T]) -> T:
    db.begin()
    try:
        result = work(db)
        db.control("COMMIT")
    except BaseException:
        with suppress(exc.DBAPIError):
            db.control("ROLLBACK")
        raise
    return result


def _run_each(db: Db, works: Sequence[Callable[[Db], Any]]) -> list[Any]:
    """Run plain closures."""
    return [work(db) for work in works]


_run_each.apart = True  # type: ignore[attr-defined]


def _in_savepoint(db: Db, handler: Handler, items: list[Any]) -> list[Any]:
    try:
        return _attempt(db, handler, items)
    except Exception as error:
        if not db.begun:
            raise
        if len(items) == 1 or _is_lost(error):
            return [error] * len(items)
        return [_in_savepoint(db, handler, [item])[0] for item in items]


def _attempt(db: Db, handler: Handler, items: list[Any]) -> list[Any]:
    db.control("SAVEPOINT job")
    try:
        results = list(handler(db, items))
    except Exception:
        if not db.begun:
            raise
        db.control("ROLLBACK TO SAVEPOINT job")
        db.control("RELEASE SAVEPOINT job")
        raise
    db.control("RELEASE SAVEPOINT job")
    return results


def _is_lost(error: Exception) -> bool:
    return isinstance(error, exc.DBAPIError) and bool(error.connection_invalidated)


def _is_unsent(error: exc.DBAPIError) -> bool:
    """Say whether an error came before anything was asked for that could have had an effect."""
    return error.statement in UNSENT


def _passing(error: exc.DBAPIError) -> bool:
    """Say whether the same transaction may work at once: a deadlock or a serialization failure."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return state in {"40001", "40P01", "55P03"}


def open_engine(url: str, pool_size: int = 10) -> Engine:
    """Open the engine for a URL: `sqlite:///path` or `postgresql+psycopg://…`."""
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    if url.startswith("sqlite"):
        engine = create_engine(
            url, poolclass=QueuePool, pool_size=pool_size, max_overflow=20, pool_use_lifo=True,
            connect_args={"check_same_thread": False, "timeout": 30, "cached_statements": 500, "isolation_level": None},
        )  # fmt: skip
        event.listen(engine, "connect", _set_pragmas)
    else:
        engine = create_engine(
            url, pool_size=pool_size, max_overflow=20, pool_use_lifo=True, pool_timeout=10,
            connect_args={**PATIENCE, "autocommit": True},
        )  # fmt: skip
        event.listen(engine, "connect", _set_plans)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begin only where something is written, in SQLite with its lock: a read is one statement, which needs no more."""
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN" if connection.dialect.name == "postgresql" else "BEGIN IMMEDIATE")


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.create_function("hub_clock", 0, _clock)
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _set_plans(connection: Any, _record: Any) -> None:
    connection.execute(PLANS)


def _clock() -> int:
    return time.time_ns() // 1000


def wait_for(store: Store, *, seconds: float = 30.0) -> None:
    """Return once the database answers, or raise RetryLater after so many seconds."""
    until = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        try:
            store.read(lambda db: db.one("SELECT 1"))
            return
        except RetryLater:
            if time.monotonic() > until:
                raise
            pause.wait(0.2)
