"""The seam between the two databases: set-based reads and writes with one spelling.

Everything here takes a sequence, so that the number of statements never grows with the number of rows.
PostgreSQL gets COPY and `unnest`, SQLite gets `executemany` and `json_each`. Statements go to the driver's own cursor,
which costs a fifth of SQLAlchemy's; its pool and its names for errors stay.
"""

from __future__ import annotations

import time
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, exc

from hub.store import sql as statements

Row = Sequence[Any]
FEW = 12
"""So many rows are sent in arrays; for more, COPY is worth the second round trip."""
on_statement: list[Callable[[str], None]] = []
"""Called with every statement that is sent; tests count with it."""


class Db:
    """One connection; inside a transaction, where something is written."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.postgres = connection.dialect.name == "postgresql"
        self._driver: Any = connection.connection.driver_connection
        self._errors = connection.dialect.loaded_dbapi.Error
        self._cursor: Any = None
        self._now: int | None = None
        try:
            self._cursor = connection.connection.cursor()
        except self._errors as error:
            raise self._named("connect", error) from error

    def all(self, sql: str, **values: Any) -> list[Any]:
        """Return every row of a query; columns are found by place and by name."""
        _seen(sql)
        try:
            if self.postgres:
                self._cursor.execute(self._spelled(sql), values, binary=True)
            else:
                self._cursor.execute(sql, values)
            found: list[Any] = self._cursor.fetchall()
        except self._errors as error:
            raise self._named(sql, error) from error
        return list(map(self._shape(sql, len(found[0])), found)) if found else found

    def one(self, sql: str, **values: Any) -> Any:
        """Return the first row, or None."""
        found = self.all(sql, **values)
        return found[0] if found else None

    def run(self, sql: str, **values: Any) -> int:
        """Run a statement and return how many rows it touched."""
        _seen(sql)
        try:
            return int(self._cursor.execute(self._spelled(sql), values).rowcount)
        except self._errors as error:
            raise self._named(sql, error) from error

    def among(self, column: str, name: str) -> str:
        """Return a condition `column is one of :name`; pass the list through `array`."""
        if self.postgres:
            return f"{column} = ANY(:{name})"
        return f"{column} IN (SELECT value FROM json_each(:{name}))"

    def array(self, values: Iterable[Any]) -> str:
        """Return texts, or whole numbers, as this database takes them in one parameter."""
        listed = list(values)
        if not self.postgres:
            return msgspec.json.encode(listed).decode()
        return statements.literal("bigint" if listed and isinstance(listed[0], int) else "text", listed)

    @property
    def clock(self) -> str:
        """Return the database's own time as SQL: microseconds since 1970, when it was given the statement."""
        return statements.CLOCK if self.postgres else "(SELECT hub_clock())"

    @property
    def unsynced(self) -> str:
        """Return a condition, always true, of a statement whose commit need not be on the disk when it returns."""
        return statements.UNSYNCED if self.postgres else "true"

    def now_us(self) -> int:
        """Return the database's own time (of the transaction's begin): it governs leases, due times and backoff."""
        if not self.postgres:
            return time.time_ns() // 1000
        if self._now is None:
            self._now = int(self.one(f"SELECT {statements.CLOCK} AS now")[0])
        return self._now

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows; a taken key raises IntegrityError for the whole batch."""
        names = tuple(columns)
        if self.postgres and len(rows) > FEW:
            self._copy(table, names, rows)
        elif self.postgres:
            self._arrays(f"INSERT {table.name}", statements.insert_arrays(table, names), table, names, rows)
        else:
            self._each(f"INSERT {table.name}", statements.insert_each(table.name, names), rows)

    def insert_new(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert the rows whose key is free; the others stay as they are."""
        self._insert_or(table, tuple(columns), rows, " ON CONFLICT DO NOTHING")

    def add(self, table: Table, keys: Sequence[str], sums: Sequence[str], rows: Sequence[Row]) -> None:
        """Add amounts, none below zero, to rows, making those that are missing. A row is its keys, then the amounts."""
        self._insert_or(table, (*keys, *sums), rows, statements.or_add(table.name, tuple(keys), tuple(sums)))

    def update(self, table: Table, keys: Sequence[str], sets: Sequence[str], rows: Sequence[Row]) -> int:
        """Update rows by their keys and return how many were found. A row is its keys, then its new values."""
        return self._update("UPDATE", table, tuple(keys), tuple(sets), rows)

    def increase(self, table: Table, keys: Sequence[str], sums: Sequence[str], rows: Sequence[Row]) -> None:
        """Add amounts of either sign to rows that exist. A row is its keys, then what to add."""
        self._update("ADD", table, tuple(keys), tuple(sums), rows, plus=True)

    def update_versioned(self, table: Table, sets: Sequence[str], rows: Sequence[Row]) -> int:
        """Update rows (id, version read, version new, values…) that still have the version that was read."""
        return self.update(table, ("id", "version"), ("version", *sets), rows)

    def begin(self) -> None:
        """Begin to write: SQLite takes its lock at once, PostgreSQL says its time in the same answer."""
        try:
            if self.postgres:
                self._cursor.execute(f"BEGIN; SELECT {statements.CLOCK}", prepare=False).nextset()
                self._now = int(self._cursor.fetchone()[0])
            else:
                self._cursor.execute("BEGIN IMMEDIATE")
        except self._errors as error:
            raise self._named("BEGIN", error) from error

    def control(self, command: str) -> None:
        """Send COMMIT, ROLLBACK or what concerns a savepoint."""
        try:
            if self.postgres:
                self._cursor.execute(command, prepare=False)
            else:
                self._cursor.execute(command)
        except self._errors as error:
            raise self._named(command, error) from error

    @property
    def begun(self) -> bool:
        """Say whether the transaction is still there: a full disk makes SQLite roll back by itself."""
        return bool(self.postgres or self._driver.in_transaction)

    def _insert_or(self, table: Table, names: tuple[str, ...], rows: Sequence[Row], ending: str) -> None:
        if self.postgres:
            arrays = statements.insert_arrays(table, names) + ending
            self._arrays(f"INSERT {table.name}", arrays, table, names, rows)
        else:
            self._each(f"INSERT {table.name}", statements.insert_each(table.name, names) + ending, rows)

    def _update(
        self, what: str, table: Table, keys: tuple[str, ...], sets: tuple[str, ...], rows: Sequence[Row], *,
        plus: bool = False,
    ) -> int:  # fmt: skip
        if self.postgres:
            arrays = statements.update_arrays(table, keys, sets, plus=plus)
            return self._arrays(f"{what} {table.name}", arrays, table, (*keys, *sets), rows)
        turned = [(*row[len(keys) :], *row[: len(keys)]) for row in rows]
        return self._each(f"{what} {table.name}", statements.update_each(table.name, keys, sets, plus=plus), turned)

    def _arrays(self, what: str, sql: str, table: Table, names: tuple[str, ...], rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        _seen(what)
        try:
            return int(self._cursor.execute(sql, statements.literals(table, names)(rows)).rowcount)
        except self._errors as error:
            raise self._named(what, error) from error

    def _each(self, what: str, sql: str, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        _seen(what)
        try:
            return int(self._cursor.executemany(sql, rows).rowcount)
        except self._errors as error:
            raise self._named(what, error) from error

    def _copy(self, table: Table, names: tuple[str, ...], rows: Sequence[Row]) -> None:
        _seen(f"INSERT {table.name}")
        try:
            with self._cursor.copy(statements.copy_rows(table.name, names)) as copy:
                copy.set_types(statements.types_of(table, names))
                write = copy.write_row
                for row in rows:
                    write(row)
        except self._errors as error:
            raise self._named(f"INSERT {table.name}", error) from error

    def _spelled(self, sql: str) -> str:
        return statements.for_psycopg(sql) if self.postgres else sql

    def _shape(self, sql: str, width: int) -> Callable[[Any], Any]:
        made = _shapes.get((sql, width))
        if made is None:
            if len(_shapes) > _MOST_SHAPES:
                _shapes.clear()
            made = _shapes[sql, width] = _named_row(tuple(column[0] for column in self._cursor.description))
        return made

    def _named(self, sql: str, error: Any) -> exc.DBAPIError:
        """Return SQLAlchemy's name for an error of the driver, so that callers catch one family."""
        lost = self.connection.dialect.is_disconnect(error, self._driver, self._cursor)
        if lost:
            with suppress(exc.SQLAlchemyError):
                self.connection.exec_driver_sql("SELECT 1")  # the pool learns that connections of this age are gone
        for kind in type(error).__mro__:
            family = getattr(exc, kind.__name__, None)
            if isinstance(family, type) and issubclass(family, exc.DBAPIError):
                return family(sql, None, error, connection_invalidated=lost)
        return exc.DBAPIError(sql, None, error, connection_invalidated=lost)


_shapes: dict[tuple[str, int], Callable[[Any], Any]] = {}
_MOST_SHAPES = 2000


@lru_cache(maxsize=500)
def _named_row(names: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return what gives the values of a row their names; a name that Python cannot spell is left out."""
    return partial(tuple.__new__, namedtuple("Row", names, rename=True))


def _seen(sql: str) -> None:
    for heard in on_statement:
        heard(sql)
