"""What every test may ask for: a fresh database of either kind, a Redis database of its own, and "required" made true.

`HUB_TEST_DATABASE_URL` names a PostgreSQL whose role may create databases; `HUB_TEST_REDIS_URL` names a Redis and the
first of its databases that tests may use. Unset, those tests are skipped and the reason names the variable, unless
`HUB_TEST_REQUIRE` asks for them (comma separated: postgres, redis, and any marker such as browser or peers): then a
skip is a failure. Nothing that merely happens to answer on this machine is ever used.
"""

from __future__ import annotations

import os
import queue
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis

from hub.store import migrate

DatabaseFactory = Callable[..., str]

_REDIS_CLAIM = "hub:test:claimed-by"
_REDIS_CLAIM_SECONDS = 3600
_REDIS_DATABASES = 16
_DROP = 'drop database if exists "{}" with (force)'


def _required() -> frozenset[str]:
    return frozenset(filter(None, os.environ.get("HUB_TEST_REQUIRE", "").replace(" ", "").split(",")))


def _needed(name: str, variable: str) -> str:
    """The variable's value; without it the test is skipped, or fails where HUB_TEST_REQUIRE names it."""
    value = os.environ.get(variable, "")
    if value:
        return value
    reason = f"{variable} is not set; set it to run the tests that need {name}"
    if name in _required():
        pytest.fail(f"HUB_TEST_REQUIRE names {name}, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[pytest.TestReport]:
    """Turn the skip of a test whose marker HUB_TEST_REQUIRE names into a failure."""
    report: pytest.TestReport = yield
    required = sorted(_required() & {marker.name for marker in item.iter_markers()})
    if report.skipped and required and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"HUB_TEST_REQUIRE names {', '.join(required)}, but: {reason}"
    return report


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _administer(url: str, *statements: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True, connect_timeout=10) as connection:
        for statement in statements:
            connection.execute(statement.encode())


class _Databases:
    """Makes databases, and drops those on a server; the ones that a test has done with by a thread, meanwhile.

    A drop waits for the disk of the whole server, which is no time of the processor: together they took a minute.
    """

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._made: set[str] = set()
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._dropper: threading.Thread | None = None

    def __call__(self, kind: str, *, like: str | None = None) -> str:
        name = f"hub_test_{uuid.uuid4().hex[:16]}"
        if kind == "sqlite":
            path = self._folders.mktemp("database") / "hub.sqlite"
            if like is not None:
                path.write_bytes(Path(like.removeprefix("sqlite:///")).read_bytes())
            return f"sqlite:///{path}"
        server = _needed("postgres", "HUB_TEST_DATABASE_URL")
        template = urlsplit(like).path.lstrip("/") if like is not None else "template0"
        _administer(server, f'create database "{name}" template "{template}"')
        self._made.add(name)
        return _named(server, name)

    def release(self, url: str) -> None:
        """Take a database back that nobody needs any more."""
        name = urlsplit(url).path.lstrip("/")
        if name in self._made:
            self._done.put(name)
            if self._dropper is None:
                self._dropper = threading.Thread(target=self._drop, name="drop-databases", daemon=True)
                self._dropper.start()

    def close(self) -> None:
        """Drop what is left."""
        if self._dropper is not None:
            self._done.put("")
            self._dropper.join()
        if self._made:
            _administer(os.environ["HUB_TEST_DATABASE_URL"], *map(_DROP.format, sorted(self._made)))

    def _drop(self) -> None:
        while name := self._done.get():
            _administer(os.environ["HUB_TEST_DATABASE_URL"], _DROP.format(name))
            self._made.discard(name)


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseFactory]:
    """Makes empty databases: `new_database("sqlite" or "postgres", like=url)`; all are dropped when the session ends.

    `like` is a database made here earlier, which nobody is connected to: the new one begins as its copy, so that the
    tables are made once and not for every test.
    """
    databases = _Databases(tmp_path_factory)
    yield databases
    databases.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both databases in turn."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, new_database: _Databases) -> Iterator[str]:
    """A fresh, empty database for this test alone, on SQLite and on PostgreSQL in turn."""
    url = new_database(database_kind)
    yield url
    new_database.release(url)


@pytest.fixture(scope="session")
def _upgraded(new_database: DatabaseFactory) -> Callable[[str], str]:
    """Returns a database of a kind with the hub's tables, made once as `hub db upgrade` makes them."""

    @cache
    def make(kind: str) -> str:
        url = new_database(kind)
        migrate.upgrade(url)
        return url

    return make


@pytest.fixture
def upgraded_url(database_kind: str, new_database: _Databases, _upgraded: Callable[[str], str]) -> Iterator[str]:
    """A fresh database with the hub's tables, empty ones, for this test alone, on SQLite and on PostgreSQL in turn."""
    url = new_database(database_kind, like=_upgraded(database_kind))
    yield url
    new_database.release(url)


@pytest.fixture(scope="session")
def _redis_database() -> Iterator[str]:
    """Claims one empty Redis database for the session, from the one HUB_TEST_REDIS_URL names upwards."""
    url = _needed("redis", "HUB_TEST_REDIS_URL")
    first = int(urlsplit(url).path.lstrip("/") or 0)
    for number in range(first, _REDIS_DATABASES):
        with redis.Redis.from_url(_named(url, str(number))) as client:
            if client.dbsize() == 0 and client.set(_REDIS_CLAIM, os.getpid(), nx=True, ex=_REDIS_CLAIM_SECONDS):
                yield _named(url, str(number))
                client.flushdb()
                return
    pytest.fail(f"{url}: no empty database between {first} and {_REDIS_DATABASES - 1}; empty one", pytrace=False)


@pytest.fixture
def redis_url(_redis_database: str) -> Iterator[str]:
    """A Redis database that no other run uses, without keys but for the claim, emptied after the test."""
    yield _redis_database
    with redis.Redis.from_url(_redis_database) as client:
        client.flushdb()
        client.set(_REDIS_CLAIM, os.getpid(), ex=_REDIS_CLAIM_SECONDS)
