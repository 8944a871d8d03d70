"""The seam between the two databases: set-based reads and writes with one spelling.

Everything here takes a sequence, so that the number of statements never grows with the number of rows.
PostgreSQL gets COPY and `unnest`, SQLite gets `executemany` and `json_each`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Table, TextClause, exc, text

Row = Sequence[Any]
on_statement: list[Callable[[str], None]] = []
"""Called with every statement that is sent; tests count with it."""


class Db:
    """One connection inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.postgres = connection.dialect.name == "postgresql"

    def all(self, sql: str, **values: Any) -> list[Any]:
        """Return every row of a query."""
        _seen(sql)
        return list(self.connection.execute(_text(sql), values).all())

    def one(self, sql: str, **values: Any) -> Any:
        """Return the first row, or None."""
        _seen(sql)
        return self.connection.execute(_text(sql), values).first()

    def run(self, sql: str, **values: Any) -> int:
        """Run a statement and return how many rows it touched."""
        _seen(sql)
        return self.connection.execute(_text(sql), values).rowcount

    def among(self, column: str, name: str) -> str:
        """Return a condition `column is one of :name`; pass the list through `array`."""
        if self.postgres:
            return f"{column} = ANY(:{name})"
        return f"{column} IN (SELECT value FROM json_each(:{name}))"

    def array(self, values: Iterable[Any]) -> Any:
        """Return a list as this database takes it in one parameter."""
        listed = list(values)
        return listed if self.postgres else json.dumps(listed)

    def now_us(self) -> int:
        """Return the database's own time: it governs leases, due times and backoff."""
        if not self.postgres:
            return time.time_ns() // 1000
        _seen("clock")
        return int(self.connection.execute(_text(_CLOCK)).scalar_one())

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows; a taken key raises IntegrityError for the whole batch."""
        if not rows:
            return
        with self._sending(f"INSERT {table.name}") as cursor:
            if self.postgres:
                with cursor.copy(_copy(table.name, tuple(columns))) as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                cursor.executemany(_insert(table.name, tuple(columns)), rows)

    def insert_new(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert the rows whose key is free; the others stay as they are."""
        names = tuple(columns)
        each = _insert(table.name, names) + " ON CONFLICT DO NOTHING"
        self._set_based(f"INSERT {table.name}", _insert_unnest(table, names), each, rows)

    def update(self, table: Table, keys: Sequence[str], sets: Sequence[str], rows: Sequence[Row]) -> int:
        """Update rows by their keys and return how many were found. A row is its keys, then its new values."""
        unnest = _update_unnest(table, tuple(keys), tuple(sets))
        each = _update_each(table.name, tuple(keys), tuple(sets))
        return self._set_based(f"UPDATE {table.name}", unnest, each, rows, keys_last=len(keys))

    def add(self, table: Table, keys: Sequence[str], sums: Sequence[str], rows: Sequence[Row]) -> None:
        """Add amounts, none below zero, to rows, making those that are missing. A row is its keys, then the amounts."""
        unnest = _add_unnest(table, tuple(keys), tuple(sums))
        self._set_based(f"ADD {table.name}", unnest, _add_each(table.name, tuple(keys), tuple(sums)), rows)

    def increase(self, table: Table, keys: Sequence[str], sums: Sequence[str], rows: Sequence[Row]) -> None:
        """Add amounts of either sign to rows that exist. A row is its keys, then what to add."""
        unnest = _increase_unnest(table, tuple(keys), tuple(sums))
        each = _increase_each(table.name, tuple(keys), tuple(sums))
        self._set_based(f"ADD {table.name}", unnest, each, rows, keys_last=len(keys))

    def _set_based(self, what: str, unnest: str, each: str, rows: Sequence[Row], *, keys_last: int = 0) -> int:
        """Run one statement over all rows: arrays on PostgreSQL, executemany on SQLite; return how many it touched."""
        if not rows:
            return 0
        with self._sending(what) as cursor:
            if self.postgres:
                cursor.execute(unnest, [list(column) for column in zip(*rows, strict=True)])
            else:
                turned = [(*row[keys_last:], *row[:keys_last]) for row in rows] if keys_last else rows
                cursor.executemany(each, turned)
            return int(cursor.rowcount)

    @contextmanager
    def _sending(self, what: str) -> Iterator[Any]:
        """Lend the driver's own cursor; its errors come out under SQLAlchemy's names."""
        _seen(what)
        cursor = self.connection.connection.cursor()
        try:
            yield cursor
        except Exception as error:
            raise _translated(error) from error
        finally:
            cursor.close()

    def update_versioned(self, table: Table, sets: Sequence[str], rows: Sequence[Row]) -> int:
        """Update rows (id, version read, version new, values…) that still have the version that was read."""
        return self.update(table, ("id", "version"), ("version", *sets), rows)


_CLOCK = "SELECT (extract(epoch from clock_timestamp()) * 1000000)::bigint"


def _seen(sql: str) -> None:
    for heard in on_statement:
        heard(sql)


@lru_cache(maxsize=500)
def _text(sql: str) -> TextClause:
    return text(sql)


@lru_cache(maxsize=200)
def _copy(table: str, columns: tuple[str, ...]) -> str:
    return f"COPY {table} ({_names(columns)}) FROM STDIN"


@lru_cache(maxsize=200)
def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({_names(columns)}) VALUES ({', '.join('?' * len(columns))})"


@lru_cache(maxsize=200)
def _insert_unnest(table: Table, columns: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_type(table, name)}[]" for name in columns)
    return f"INSERT INTO {table.name} ({_names(columns)}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"


def _adding(table: str, keys: tuple[str, ...], sums: tuple[str, ...]) -> str:
    values = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    return f" ON CONFLICT ({_names(keys)}) DO UPDATE SET {values}"


@lru_cache(maxsize=50)
def _add_unnest(table: Table, keys: tuple[str, ...], sums: tuple[str, ...]) -> str:
    return _insert_unnest(table, (*keys, *sums)).removesuffix(" ON CONFLICT DO NOTHING") + _adding(
        table.name, keys, sums
    )


@lru_cache(maxsize=50)
def _add_each(table: str, keys: tuple[str, ...], sums: tuple[str, ...]) -> str:
    return _insert(table, (*keys, *sums)) + _adding(table, keys, sums)


@lru_cache(maxsize=50)
def _increase_each(table: str, keys: tuple[str, ...], sums: tuple[str, ...]) -> str:
    values = ", ".join(f'"{name}" = "{name}" + ?' for name in sums)
    where = " AND ".join(f'"{name}" = ?' for name in keys)
    return f"UPDATE {table} SET {values} WHERE {where}"


@lru_cache(maxsize=50)
def _increase_unnest(table: Table, keys: tuple[str, ...], sums: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_type(table, name)}[]" for name in (*keys, *sums))
    values = ", ".join(f'"{name}" = t."{name}" + d."{name}"' for name in sums)
    where = " AND ".join(f't."{name}" = d."{name}"' for name in keys)
    return f"UPDATE {table.name} t SET {values} FROM unnest({arrays}) AS d({_names((*keys, *sums))}) WHERE {where}"


@lru_cache(maxsize=200)
def _update_each(table: str, keys: tuple[str, ...], sets: tuple[str, ...]) -> str:
    values = ", ".join(f'"{name}" = ?' for name in sets)
    where = " AND ".join(f'"{name}" = ?' for name in keys)
    return f"UPDATE {table} SET {values} WHERE {where}"


@lru_cache(maxsize=200)
def _update_unnest(table: Table, keys: tuple[str, ...], sets: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_type(table, name)}[]" for name in (*keys, *sets))
    names = ", ".join(f'"{name}"' for name in (*(f"k_{key}" for key in keys), *sets))
    values = ", ".join(f'"{name}" = d."{name}"' for name in sets)
    where = " AND ".join(f't."{name}" = d."k_{name}"' for name in keys)
    return f"UPDATE {table.name} t SET {values} FROM unnest({arrays}) AS d({names}) WHERE {where}"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _type(table: Table, name: str) -> str:
    kind = table.c[name].type
    if isinstance(kind, LargeBinary):
        return "bytea"
    return "bigint" if isinstance(kind, (BigInteger, Integer)) else "text"


def _translated(error: Exception) -> Exception:
    """Return SQLAlchemy's name for a driver error, so that callers catch one family."""
    name = type(error).__name__
    family = getattr(exc, name, None)
    if isinstance(family, type) and issubclass(family, exc.DBAPIError):
        return family("bulk statement", None, error)
    if name in _INTEGRITY:
        return exc.IntegrityError("bulk statement", None, error)
    return exc.OperationalError("bulk statement", None, error) if name in _OPERATIONAL else error


_INTEGRITY = {"UniqueViolation", "CheckViolation", "ForeignKeyViolation", "NotNullViolation"}
_OPERATIONAL = {"DeadlockDetected", "SerializationFailure", "AdminShutdown", "LockNotAvailable"}
