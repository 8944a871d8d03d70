"""The fixtures every other test stands on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis


def run(sql: str, url: str) -> list[tuple[object, ...]]:
    """Run one statement in the database of the address, committed."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as server:
        cursor = server.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def test_a_database_begins_empty(database_url: str) -> None:
    run("create table trace (id integer)", database_url)

    assert run("select id from trace", database_url) == []


def test_two_databases_share_nothing(database_kind: str, new_database: Callable[..., str]) -> None:
    first, second = new_database(database_kind), new_database(database_kind)

    run("create table trace (id integer)", first)

    with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable)):
        run("select id from trace", second)


def test_a_database_can_begin_as_a_copy(database_kind: str, new_database: Callable[..., str]) -> None:
    first = new_database(database_kind)
    run("create table trace as select 7 as id", first)

    assert run("select id from trace", new_database(database_kind, like=first)) == [(7,)]


@pytest.mark.parametrize("key", ["left", "behind"])
def test_a_redis_database_keeps_nothing_from_one_test_to_the_next(redis_url: str, key: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        before = client.keys("*")
        client.set(key, 1)

    assert before == [b"hub:test:claimed-by"]


def outcome(tmp_path: Path, test: str, **variables: str) -> str:
    """The closing line of a pytest run of one test file under our conftest."""
    (tmp_path / "conftest.py").write_bytes((Path(__file__).parents[1] / "conftest.py").read_bytes())
    (tmp_path / "test_one.py").write_text("import pytest\n" + test)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser: x\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_TEST", "PYTEST"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(
        command, cwd=tmp_path, env=kept | variables, check=False, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip().splitlines()[-1].split(" in ")[0]


NEEDS_POSTGRES = "def test_one(new_database): new_database('postgres')\n"
NEEDS_REDIS = "def test_one(redis_url): pass\n"
NEEDS_BROWSER = "@pytest.mark.browser\ndef test_one(): pytest.skip('no Chromium')\n"


@pytest.mark.parametrize("test", [NEEDS_POSTGRES, NEEDS_REDIS, NEEDS_BROWSER])
def test_what_is_not_there_is_skipped(tmp_path: Path, test: str) -> None:
    assert outcome(tmp_path, test) == "1 skipped"


@pytest.mark.parametrize(
    ("test", "name", "expected"),
    [
        (NEEDS_POSTGRES, "postgres", "1 failed"),
        (NEEDS_REDIS, "redis", "1 error"),
        (NEEDS_BROWSER, "browser", "1 failed"),
    ],
)
def test_what_is_required_and_not_there_is_a_failure(tmp_path: Path, test: str, name: str, expected: str) -> None:
    assert outcome(tmp_path, test, HUB_TEST_REQUIRE=f"peers, {name}") == expected


def test_a_database_is_gone_after_the_session(tmp_path: Path, new_database: Callable[..., str]) -> None:
    server = new_database("postgres")
    kept = tmp_path / "name"
    test = f"def test_one(new_database): open({str(kept)!r}, 'w').write(new_database('postgres'))\n"

    assert outcome(tmp_path, test, HUB_TEST_DATABASE_URL=server) == "1 passed"

    name = urlsplit(kept.read_text()).path.lstrip("/")
    assert name.startswith("hub_test_")
    assert run(f"select datname from pg_database where datname = '{name}'", server) == []
