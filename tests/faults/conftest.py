"""Systems of real processes, on SQLite and on PostgreSQL with Redis."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.driver import System, running


@pytest.fixture
def system(database_kind: str, new_database: Callable[..., str], tmp_path: Path) -> Iterator[System]:
    """A hub of no processes yet, on both kinds of database in turn."""
    if database_kind == "postgres" and shutil.which("redis-server") is None:
        pytest.skip("no redis-server on this machine")
    with running(database_kind, new_database(database_kind), tmp_path) as started:
        yield started


@pytest.fixture
def on_postgres(new_database: Callable[..., str], tmp_path: Path) -> Iterator[System]:
    """A hub of no processes yet, on PostgreSQL with a Redis of its own."""
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server on this machine")
    with running("postgres", new_database("postgres"), tmp_path) as started:
        yield started


@pytest.fixture
def on_sqlite(new_database: Callable[..., str], tmp_path: Path) -> Iterator[System]:
    """A hub of no processes yet, on SQLite."""
    with running("sqlite", new_database("sqlite"), tmp_path) as started:
        yield started
