"""Statements over many rows, each made once: COPY and arrays for PostgreSQL, row after row for SQLite.

SQL is written with `:name` parameters; `for_psycopg` turns them into the driver's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, Table

CLOCK = "(extract(epoch from statement_timestamp()) * 1000000)::bigint"
"""The time of a PostgreSQL, when it was given the statement, in microseconds since 1970."""
UNSYNCED = "(SELECT set_config('synchronous_commit', 'off', true)) = 'off'"
"""Always true; a PostgreSQL does not wait for its disk when it commits the statement that has this condition."""
_PARTS = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|::|:([A-Za-z_]\w*)|%""")
Rows = Sequence[Sequence[Any]]


@lru_cache(maxsize=2000)
def for_psycopg(sql: str) -> str:
    """Return SQL with `%(name)s` for `:name`; casts, literals and quoted names stay what they are."""
    return _PARTS.sub(lambda found: f"%({found[1]})s" if found[1] else found[0].replace("%", "%%"), sql)


def literal(kind: str, values: Sequence[Any]) -> str:
    """Return an array of `bigint`, `bytea` or `text` as PostgreSQL reads it: the driver's own lists take far longer."""
    if kind != "text":
        write = str if kind == "bigint" else _bytes
        return "{" + ",".join(["NULL" if each is None else write(each) for each in values]) + "}"
    if None in values:
        return "{" + ",".join(["NULL" if each is None else literal(kind, [each])[1:-1] for each in values]) + "}"
    joined = "\0".join(values)
    if joined.count("\0") != max(0, len(values) - 1):
        raise ValueError("a text holds the character NUL, which PostgreSQL cannot store")
    if '"' in joined or "\\" in joined:
        joined = joined.replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + joined.replace("\0", '","') + '"}' if values else "{}"


def _bytes(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


@lru_cache(maxsize=500)
def literals(table: Table, columns: tuple[str, ...]) -> Callable[[Rows], list[str]]:
    """Return what turns rows of these columns into one array for each column."""
    kinds = types_of(table, columns)
    return lambda rows: list(map(literal, kinds, zip(*rows, strict=True)))


@lru_cache(maxsize=500)
def types_of(table: Table, columns: tuple[str, ...]) -> list[str]:
    """Return what each of these columns holds."""
    return [type_of(table, name) for name in columns]


def type_of(table: Table, name: str) -> str:
    """Return what a column holds: `bigint`, `bytea` or `text`."""
    kind = table.c[name].type
    if isinstance(kind, LargeBinary):
        return "bytea"
    return "bigint" if isinstance(kind, (BigInteger, Integer)) else "text"


@lru_cache(maxsize=200)
def copy_rows(table: str, columns: tuple[str, ...]) -> str:
    """Return the COPY of these columns: as text it would take more than twice the time, at both ends."""
    return f"COPY {table} ({_names(columns)}) FROM STDIN (FORMAT binary)"


@lru_cache(maxsize=200)
def insert_each(table: str, columns: tuple[str, ...]) -> str:
    """Return the insert of one row."""
    return f"INSERT INTO {table} ({_names(columns)}) VALUES ({', '.join('?' * len(columns))})"


@lru_cache(maxsize=200)
def insert_arrays(table: Table, columns: tuple[str, ...]) -> str:
    """Return the insert of one array for each column."""
    return f"INSERT INTO {table.name} ({_names(columns)}) SELECT * FROM {_arrays(table, columns)}"


@lru_cache(maxsize=50)
def or_add(table: str, keys: tuple[str, ...], sums: tuple[str, ...]) -> str:
    """Return the ending of an insert that adds to the rows which are there already."""
    values = ", ".join(f'"{name}" = {table}."{name}" + excluded."{name}"' for name in sums)
    return f" ON CONFLICT ({_names(keys)}) DO UPDATE SET {values}"


@lru_cache(maxsize=200)
def update_each(table: str, keys: tuple[str, ...], sets: tuple[str, ...], *, plus: bool = False) -> str:
    """Return the update of one row, or with `plus` what adds to its columns."""
    values = ", ".join(f'"{name}" = "{name}" + ?' if plus else f'"{name}" = ?' for name in sets)
    where = " AND ".join(f'"{name}" = ?' for name in keys)
    return f"UPDATE {table} SET {values} WHERE {where}"


@lru_cache(maxsize=200)
def update_arrays(table: Table, keys: tuple[str, ...], sets: tuple[str, ...], *, plus: bool = False) -> str:
    """Return the update of all rows whose keys are in the arrays, or with `plus` what adds to their columns."""
    names = ", ".join(f'"{name}"' for name in (*(f"k_{key}" for key in keys), *sets))
    values = ", ".join(f'"{name}" = t."{name}" + d."{name}"' if plus else f'"{name}" = d."{name}"' for name in sets)
    where = " AND ".join(f't."{name}" = d."k_{name}"' for name in keys)
    arrays = _arrays(table, (*keys, *sets))
    return f"UPDATE {table.name} t SET {values} FROM {arrays} AS d({names}) WHERE {where}"


def _arrays(table: Table, columns: tuple[str, ...]) -> str:
    return f"unnest({', '.join(f'%s::{type_of(table, name)}[]' for name in columns)})"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
