"""One run: a fresh hub, a few orders to warm it, the measured orders, the proof, the figure."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from hub.cli.benching import load, places, proof, samples, scene
from hub.cli.benching.processes import Processes, Started, ask, free_port, patiently
from hub.cli.benching.scene import EFFECTS, SECRET_NAME, Workload
from hub.cli.mapping_files import Kinds
from hub.domain.errors import HubError
from hub.store import migrate
from hub.store.store import Store

WARM = 64
"""Orders before the clock starts: they pay for what is loaded and compiled once in the life of a process."""
SLOWEST = 10.0
"""Orders per second below which a run is given up."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What was measured. With problems it counts for nothing."""

    orders: int = 0
    orders_per_s: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    first_ms: float = 0.0
    cpu_us: float = 0.0
    """Processor time per order of all processes of the hub, in microseconds; the database's own is not in it."""
    repeats: int = 0
    """How many times the sink was sent a key that it had."""
    rss_mb: Mapping[str, float] = field(default_factory=dict)
    """Peak resident memory by process."""
    problems: Sequence[str] = ()

    @property
    def valid(self) -> bool:
        """Say whether every order had exactly one effect."""
        return not self.problems


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which database and how many processes."""

    name: str
    """sqlite, postgres, or postgres-2 with two workers: the name in the output."""
    workers: int = 0
    """0 is one process for everything."""
    database: Callable[[Path], AbstractContextManager[str]] = places.sqlite_database
    redis_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all runs share."""

    folder: Path
    known: Kinds
    seed: int = samples.SEED

    def run(self, workload: Workload, place: Place, count: int) -> Figure:
        """Measure once. What fails is a figure with that problem."""
        try:
            with ExitStack() as stack:
                self.folder.mkdir(parents=True, exist_ok=True)
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="run-", dir=self.folder)))
                return _Run(self, workload, place, folder, stack).measure(count)
        except (HubError, OSError, subprocess.SubprocessError) as error:
            return Figure(problems=(f"{type(error).__name__}: {error}",))


class _Run:
    """One run under way."""

    def __init__(self, bench: Bench, workload: Workload, place: Place, folder: Path, stack: ExitStack) -> None:
        self.bench, self.workload, self.place, self.folder = bench, workload, place, folder
        self.secret = secrets.token_hex(16)
        self.url = stack.enter_context(place.database(folder))
        redis_url = stack.enter_context(places.redis_database(place.redis_url)) if place.workers else ""
        self.store = Store(self._migrated(), pool_size=2)
        stack.callback(self.store.close)
        self.port = free_port()
        self.processes = stack.enter_context(Processes(folder, self._environment(redis_url)))

    def measure(self, count: int) -> Figure:
        """Start everything, warm it, pour, wait, prove."""
        sink = self.processes.start("sink", [sys.executable, "-m", "hub.cli.benching.sink"])
        sink_port = int(self.processes.wait_said(sink, "\n"))
        scene.write_folder(self.folder / "config", self.workload, sink_port)
        scene.apply(self.store, self.bench.known, self.folder / "config")
        hub = self._start()
        warm = min(WARM, count)
        pour = self._webhooks if self.workload.source == "webhook" else self._file
        pour(0, warm)
        self._wait(sink_port, warm)
        used = self.processes.seconds(hub)
        begun, problems = pour(warm, count)
        self._wait(sink_port, warm + count)
        problems += self._settled(warm + count)
        used = self.processes.seconds(hub) - used
        found = msgspec.json.decode(ask(sink_port, "/arrivals")[1])
        memory = self.processes.memory()
        problems += proof.sink_problems(self.workload, range(warm + count), found["arrived"])
        problems += self.store.read(self._proven(warm + count))
        times = self._times(begun, found["arrived"], warm)
        hub_memory = {each.name: memory.get(each.name, 0.0) for each in hub}
        made = figure(begun, times, found["repeats"], hub_memory, problems)
        return replace(made, cpu_us=round(used / count * 1e6))

    def _migrated(self) -> str:
        migrate.upgrade(self.url)
        return self.url

    def _environment(self, redis_url: str) -> dict[str, str]:
        cleared = {name: "" for name in os.environ if name.startswith("HUB_")}
        return {
            **cleared,
            "HUB_DATABASE_URL": self.url,
            "HUB_REDIS_URL": redis_url,
            "HUB_VAR": str(self.folder),
            "HUB_CONFIG": str(self.folder / "config"),
            "HUB_PORT": str(self.port),
            "HUB_ALLOW_NETWORKS": "127.0.0.0/8",
            SECRET_NAME: self.secret,
        }

    def _start(self) -> list[Started]:
        """Start the hub as its users do, and return its processes."""
        if self.place.workers:
            started = [self.processes.hub("web")]
            started += [self.processes.hub("worker", name=f"worker {n + 1}") for n in range(self.place.workers)]
            started += [self.processes.hub("schedule")]
        else:
            started = [self.processes.hub("run")]
        self.processes.wait_ready(self.port)
        return started

    def _webhooks(self, first: int, count: int) -> tuple[list[float], list[str]]:
        """Pour webhooks; return when each was sent."""
        given = load.Load(
            port=self.port, connection=self.workload.connection, secret=self.secret, first=first, count=count,
            seed=self.bench.seed, rate=self.workload.rate,
        )  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "hub.cli.benching.load"],
            input=msgspec.json.encode(given), capture_output=True, timeout=_patience(count), check=False,
        )  # fmt: skip
        if done.returncode != 0:
            return [], [f"the load ended early: {done.stderr.decode(errors='replace')[-1000:]}"]
        poured = msgspec.json.decode(done.stdout, type=load.Poured)
        others = {status: number for status, number in poured.statuses.items() if status != "202"}
        return poured.sent, [f"the hub answered {others}, not only 202"] if others else []

    def _file(self, first: int, count: int) -> tuple[list[float], list[str]]:
        """Put one file into the inbox; return when the record has it stored, once for each order."""
        write = samples.x12 if self.workload.source == "x12" else samples.edifact
        body = write(range(first, first + count), self.bench.seed, first + 1)
        inbox, name = self.folder / "inbox", f"orders-{first}.edi"
        inbox.mkdir(exist_ok=True)
        part = self.folder / name
        part.write_bytes(body)
        os.utime(part, (0, 0))  # long written: a file that nobody writes to any more is taken at the first look
        part.rename(inbox / name)
        for _ in patiently(30, f"{name} was not taken in"):
            self.processes.check()
            row = self.store.read(lambda db: db.one("SELECT received_us FROM messages WHERE name = :name", name=name))
            if row is not None:
                return [row[0] / 1e6] * count, []
        raise AssertionError("unreachable")

    def _wait(self, sink: int, orders: int) -> None:
        """Wait until the sink has them all, or long enough; what is missing is found by the proof."""
        wanted = orders * len(self.workload.sends)
        seconds = _patience(orders)
        for left in patiently(seconds + 1, "the sink"):
            self.processes.check()
            if int(ask(sink, "/count")[1]) >= wanted or left <= 1:
                return

    def _settled(self, orders: int) -> list[str]:
        """Wait until nothing is left to do, acknowledgements included; return what is still missing then."""
        edi = self.workload.source != "webhook"
        for left in patiently(31, "the hub"):
            accepted = proof.answered(self.folder / "outbox", self.workload.source) if edi else orders
            idle = self.store.read(proof.idle)
            if idle and accepted == orders:
                return []
            if left <= 1:
                break
        problems = [] if idle else ["work is left after the last order"]
        if accepted != orders:
            problems.append(f"the acknowledgements accept {accepted} orders, not {orders}")
        return problems

    def _proven(self, orders: int) -> Callable[[Any], list[str]]:
        return lambda db: list(proof.database_problems(db, self.workload, range(orders), self.bench.seed))

    def _times(self, begun: Sequence[float], arrived: proof.Arrived, first: int) -> list[float]:
        """Return when the last document of each measured order arrived; those that never came are left out."""
        paths = [arrived.get(EFFECTS[send], {}) for send in self.workload.sends]
        names = [samples.reference(first + at) for at in range(len(begun))]
        return [max(path[name][0] for path in paths) for name in names if all(name in path for path in paths)]


def figure(
    begun: Sequence[float],
    times: Sequence[float],
    repeats: int,
    memory: Mapping[str, float],
    problems: Sequence[str],
) -> Figure:
    """Return the figure of a run from when each order began and when its last document arrived."""
    if not begun or len(begun) != len(times):
        text = f"{len(times)} of {len(begun)} orders arrived; there is nothing to measure"
        return Figure(problems=(*problems, text), repeats=repeats, rss_mb=memory)
    waits = sorted((arrived - sent) * 1000 for sent, arrived in zip(begun, times, strict=True))
    at = partial(_quantile, waits)
    return Figure(
        orders=len(times),
        orders_per_s=round(len(times) / max(max(times) - min(begun), 1e-6), 1),
        p50_ms=at(0.50),
        p95_ms=at(0.95),
        p99_ms=at(0.99),
        first_ms=round((min(times) - min(begun)) * 1000, 1),
        repeats=repeats,
        rss_mb=memory,
        problems=tuple(problems),
    )


def _quantile(waits: Sequence[float], share: float) -> float:
    return round(waits[min(len(waits) - 1, int(len(waits) * share))], 1)


def _patience(count: int) -> float:
    return 30 + count / SLOWEST


def runs(
    chosen: Sequence[Workload], databases: Sequence[str], server: str, redis_url: str
) -> Iterator[tuple[Workload, Place]]:
    """Yield every run: each workload on each database, on PostgreSQL with each number of workers."""
    for workload in chosen:
        if "sqlite" in databases:
            yield workload, Place(name="sqlite")
        for workers in workload.workers if "postgres" in databases else ():
            yield (
                workload,
                Place(
                    name="postgres" if workers == 1 else f"postgres-{workers}",
                    workers=workers,
                    database=lambda _: places.postgres_database(server),
                    redis_url=redis_url,
                ),
            )
