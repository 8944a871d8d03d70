"""What this machine gives, measured in about a second: by it, tables of two machines can be compared."""

from __future__ import annotations

import http.client
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import psycopg

from hub.cli.benching import places
from hub.cli.benching.processes import Processes
from hub.domain.errors import HubError

SECONDS = 0.2
"""How long each thing is done again and again."""
TURNS = 10_000


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """How many of each a second; None where there is no such database to measure."""

    turns: int
    """Turns of a plain loop of this Python."""
    http: int
    """Exchanges with the bench's own sink over one kept-alive connection."""
    sqlite_commits: int | None = None
    """Commits of one row, each waited for until it is on the disk."""
    postgres_trips: int | None = None
    postgres_commits: int | None = None


def measure(folder: Path, databases: Sequence[str], server: str) -> Machine:
    """Measure now; `databases` says which of sqlite and postgres, `server` is the PostgreSQL."""
    trips, commits = _postgres(server) if "postgres" in databases else (None, None)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="machine-", dir=folder) as name:
        return Machine(
            turns=_rate(_loop) * TURNS,
            http=_http(Path(name)),
            sqlite_commits=_sqlite(Path(name)) if "sqlite" in databases else None,
            postgres_trips=trips,
            postgres_commits=commits,
        )


def told(machine: Machine) -> str:
    """Return the figures on one line."""
    facts = {
        "Python turns": machine.turns, "HTTP exchanges": machine.http, "SQLite commits": machine.sqlite_commits,
        "PostgreSQL round trips": machine.postgres_trips, "PostgreSQL commits": machine.postgres_commits,
    }  # fmt: skip
    return "this machine, per second: " + ", ".join(f"{n:,} {name}" for name, n in facts.items() if n is not None)


def _rate(step: Callable[[], object]) -> int:
    """Return how many times a second something can be done; it is done once before."""
    step()
    done, begun = 0, time.perf_counter()
    while (passed := time.perf_counter() - begun) < SECONDS:
        step()
        done += 1
    return round(done / passed)


def _loop() -> int:
    total = 0
    for turn in range(TURNS):
        total += turn & 7
    return total


def _sqlite(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "machine.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE kept (at REAL)")
        return _rate(lambda: db.execute("INSERT INTO kept VALUES (?)", (time.time(),)))


def _postgres(server: str) -> tuple[int | None, int | None]:
    """Return round trips and commits; none where the server refuses, which its runs will name."""
    with suppress(HubError), places.postgres_database(server) as url, psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE kept (at FLOAT)")
        trips = _rate(lambda: db.execute("SELECT 1").fetchone())
        return trips, _rate(lambda: db.execute("INSERT INTO kept VALUES (%s)", (time.time(),)))
    return None, None


def _http(folder: Path) -> int:
    with Processes(folder, {}) as processes:
        sink = processes.start("sink", [sys.executable, "-m", "hub.cli.benching.sink"])
        line = http.client.HTTPConnection("127.0.0.1", int(processes.wait_said(sink, "\n")), timeout=30)
        with closing(line):

            def exchange() -> bytes:
                line.request("POST", "/orders", b'{"reference": "machine"}', {"Idempotency-Key": "machine"})
                return line.getresponse().read()

            return _rate(exchange)
