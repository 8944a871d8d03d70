"""Where a run keeps its things: a fresh database of either kind, an empty Redis database; all removed afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis
from psycopg import sql
from sqlalchemy.engine import make_url

from hub.domain.errors import Paused

REDIS_DATABASES = 16
CLAIM, CLAIM_SECONDS = "hub:bench:claimed", 3600


@contextmanager
def sqlite_database(folder: Path) -> Iterator[str]:
    """Yield the address of a file that is not there yet."""
    yield f"sqlite:///{folder / 'hub.db'}"


@contextmanager
def postgres_database(server: str) -> Iterator[str]:
    """Make a database on a server and drop it; its role must be allowed to."""
    name = f"hub_bench_{uuid.uuid4().hex[:12]}"
    url = make_url(server)
    _administer(server, sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _administer(server: str, statement: sql.Composed) -> None:
    try:
        with psycopg.connect(server.replace("+psycopg", "", 1), autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)
    except psycopg.Error as error:
        raise Paused(
            f"PostgreSQL refused: {error}; check --database-url and that its role may create databases"
        ) from error


@contextmanager
def redis_database(server: str) -> Iterator[str]:
    """Claim the first empty database from the one that is named upwards, and empty it afterwards."""
    base, _, path = server.rpartition("/")
    base, first = (base, int(path)) if path.isdecimal() else (server.rstrip("/"), 0)
    for number in range(first, REDIS_DATABASES):
        url = f"{base}/{number}"
        try:
            with redis.Redis.from_url(url, socket_connect_timeout=5) as client:
                if client.dbsize() or not client.set(CLAIM, "1", nx=True, ex=CLAIM_SECONDS):
                    continue
        except redis.RedisError as error:
            raise Paused(f"Redis refused: {error}; check --redis-url") from error
        try:
            yield url
        finally:
            with redis.Redis.from_url(url) as client:
                client.flushdb()
        return
    raise Paused(f"{server}: no empty Redis database from {first} to {REDIS_DATABASES - 1}; empty one")
