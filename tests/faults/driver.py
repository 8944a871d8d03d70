"""A hub of real processes on loopback with a partner that counts, and the means to hurt it."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import redis

from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.route import Route
from hub.store import migrate
from hub.store.config import save_record
from hub.store.store import Store
from hub.testing.invariants import Received, check
from hub.testing.serve import Answer, Call, Routes, answer_json, serve

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SECRET = "a secret of the fault tests"
LEASE = 1.5


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the condition's first true value; fail, naming what was waited for, once the time is over."""
    pause = threading.Event()
    ends = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > ends:
            raise AssertionError(f"not within {seconds} s: {what}")
        pause.wait(0.02)
    return found


class Sink:
    """A partner that takes orders: every arrival is kept, a known key makes no second order."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[str, str, bytes]] = []
        """(connection, key, body) of every POST that was read whole, in the order they came."""
        self.created: dict[str, str] = {}
        self.before: Callable[[Call], Answer | None] = lambda _: None
        """May answer in place of taking the order."""
        self.after: Callable[[Call], Answer | None] = lambda _: None
        """May answer otherwise once the order is taken."""
        self.looked_up: list[str] = []
        self._lock = threading.Lock()
        self.routes = Routes()
        self.routes.add("POST", "/<connection>/orders", self._take)
        self.routes.add("GET", "/<connection>/orders/<key>", self._find)

    def _take(self, call: Call, connection: str) -> Answer:
        if (answer := self.before(call)) is not None:
            return answer
        key = call.headers.get("idempotency-key") or call.headers["x-key"]
        with self._lock:
            self.arrivals.append((connection, key, call.body))
            reference = self.created.setdefault(key, f"S{len(self.created) + 1}")
        return self.after(call) or answer_json({"id": reference})

    def _find(self, call: Call, connection: str, key: str) -> Answer:
        self.looked_up.append(key)
        found = self.created.get(key)
        return answer_json({"id": found}) if found else answer_json({"error": "unknown"}, 404)

    def orders(self, connection: str = "sink") -> list[str]:
        """Return the external ids of the orders that were created, one per key, sorted."""
        first = {key: body for name, key, body in reversed(self.arrivals) if name == connection}
        return sorted(msgspec.json.decode(body)["order"] for body in first.values())

    def received(self, connection: str = "sink") -> list[Received]:
        """Return every arrival as the invariants want it."""
        return [Received(key=key, **_money(body)) for name, key, body in self.arrivals if name == connection]


def _money(body: bytes) -> dict[str, Any]:
    order = msgspec.json.decode(body)
    if "total" not in order:
        return {}
    lines = sum(decimal(line["quantity"]) * decimal(line["price"]) for line in order["lines"])
    return {"header": decimal(order["total"]), "lines": lines}


def decimal(value: Any) -> Decimal:
    """Return an amount exactly."""
    return Decimal(str(value))


class HubProcess:
    """One process of the hub. It is ended by its own id only."""

    def __init__(self, name: str, arguments: Sequence[str], environment: dict[str, str], log: Path, root: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *arguments], env=environment, cwd=root, stdout=subprocess.PIPE, stderr=output
            )

    def first_line(self) -> str:
        """Return the first line it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode().strip()
        assert line, f"{self.name} ended before it began:\n{self.log.read_text()[-3000:]}"
        return line

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """Return its id."""
        return self._process.pid

    @property
    def ended_by(self) -> int | None:
        """Return the signal or status it ended with, None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Kill it, if it still runs, and wait for its end."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()


class System:
    """Processes around one database, with one shop that sends and one sink that takes."""

    def __init__(self, kind: str, database_url: str, folder: Path, sink: Sink, sink_url: str) -> None:
        self.kind = kind
        self.database_url = database_url
        self.folder = folder
        self.sink = sink
        self.sink_url = sink_url
        self.redis: RedisServer | None = None
        self.root = ROOT
        """Where the hub's code lies for processes that are started from now on."""
        self.accepted: list[tuple[str, str]] = []
        self.port = 0
        self._processes: list[HubProcess] = []
        migrate.upgrade(database_url)
        self.store = Store(database_url, pool_size=5)
        self.configure(*standard(sink_url))

    def configure(self, *records: Any) -> None:
        """Store connections, agreements and routes."""
        names = {ConnectionConfig: "connection", Agreement: "agreement", Route: "route"}
        for record in records:
            name = record.name if not isinstance(record, Agreement) else _agreement_name(record)
            self.store.write(lambda db, r=record, n=name: save_record(db, names[type(r)], n, r, "test"))  # type: ignore[misc]

    def environment(self, **more: str) -> dict[str, str]:
        """Return what every process of this hub is told."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": f"{self.root}{os.pathsep}{_site(self.folder)}{os.pathsep}{HERE / 'plugin'}",
            "HUB_DATABASE_URL": self.database_url,
            "HUB_REDIS_URL": self.redis.url if self.redis else "",
            "HUB_VAR": str(self.folder / "var"),
            "HUB_ALLOW_NETWORKS": "127.0.0.0/8",
            "HUB_LEASE": str(LEASE),
            "SHOP_SECRET": SECRET,
            **more,
        }

    def web(self, crash_at: str = "", **more: str) -> HubProcess:
        """Start a web process and remember its port."""
        process = self.start("web", [str(HERE / "web_process.py")], HUB_CRASH_AT=crash_at, **more)
        self.port = int(process.first_line())
        return process

    def worker(self, crash_at: str = "", **more: str) -> HubProcess:
        """Start a worker."""
        process = self.start("worker", ["-m", "hub.cli", "worker"], HUB_CRASH_AT=crash_at, **more)
        process.first_line()
        return process

    def schedule(self) -> HubProcess:
        """Start a scheduler."""
        process = self.start("schedule", ["-m", "hub.cli", "schedule"])
        process.first_line()
        return process

    def start(self, name: str, arguments: Sequence[str], **more: str) -> HubProcess:
        """Start a process of this hub; it is killed when the test ends."""
        log = self.folder / f"{name}-{len(self._processes)}.log"
        process = HubProcess(name, arguments, self.environment(**more), log, self.root)
        self._processes.append(process)
        return process

    def close(self) -> None:
        """End every process and close the store."""
        for process in self._processes:
            process.kill()
        self.store.close()
        if self.redis is not None:
            self.redis.kill()

    def post(self, body: bytes, event: str, connection: str = "shop") -> int:
        """POST one signed event; return the status, 0 where no answer came."""
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Signature": signature, "X-Event-Id": event, "Content-Type": "application/json"}
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request("POST", f"/in/{connection}", body, headers)
            answer = line.getresponse()
            self.retry_after = answer.getheader("Retry-After")
            answer.read()
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            line.close()
        if answer.status < 300:
            self.accepted.append((connection, event))
        return answer.status

    def send(self, body: bytes, event: str, connection: str = "shop", *, seconds: float = 15) -> int:
        """POST the same event, as a sender does, until it is answered with 2xx; return that status."""
        return until(
            lambda: (status := self.post(body, event, connection)) < 300 and status, seconds, f"2xx for {event}"
        )  # type: ignore[no-any-return]

    def work_left(self) -> list[Any]:
        """Return the rows of the queue that are not kept for a person."""
        columns = "id, task, status, starts, attempts, subject_id, reason"
        sql = f"SELECT {columns} FROM work WHERE status IN ('queued', 'running') ORDER BY id"
        return self.store.read(lambda db: db.all(sql))

    def quiet(self, seconds: float = 15) -> None:
        """Wait until nothing is left to do."""
        try:
            until(lambda: not self.work_left(), seconds, "the queue to be empty")
        except AssertionError:
            raise AssertionError(f"not within {seconds} s: the queue holds {self.work_left()[:5]}") from None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return [tuple(row) for row in self.store.read(lambda db: db.all(sql))]

    def verify(self, orders: Sequence[str], *, unique: Sequence[str] | None = None, connection: str = "sink") -> None:
        """The sink has exactly these documents (by order name), each order is there once, all invariants hold."""
        assert self.sink.orders(connection) == sorted(orders)
        wrong = check(
            self.store,
            accepted=self.accepted,
            expected=[("shop", each) for each in (orders if unique is None else unique)],
            received_by_partner={connection: self.sink.received(connection)},
        )
        assert wrong == [], "\n".join([*wrong, self.logs()])

    def logs(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-2000:]}" for path in sorted(self.folder.glob("*.log")))


def order_body(name: str, quantity: int = 1, **more: Any) -> bytes:
    """Return the shop's order: so many pieces at 10.00 and one thing at 2.50."""
    lines = [{"sku": "WIDGET", "quantity": quantity, "price": "10.00"}, {"sku": "NUT", "quantity": 1, "price": "2.50"}]
    return msgspec.json.encode({"id": name, "total": f"{quantity * 10 + 2}.50", "lines": lines, **more})


def standard(sink_url: str) -> Iterator[Any]:
    """Yield a shop whose orders are only translated and passed on, and the sink that takes them."""
    settings = {"base_url": f"{sink_url}/sink", "find_path": "/orders/{key}", "deadline": 1}
    yield shop()
    yield ConnectionConfig(name="sink", connector="rest", settings=settings)
    yield inbound("shop")
    yield outbound("sink")
    yield Route(name="orders", on="order.accepted", to="sink", send="order")


def shop(name: str = "shop", **more: Any) -> ConnectionConfig:
    """Return a shop that calls our webhook."""
    given = {"settings": {"secret": "env:SHOP_SECRET"}, "connector": "webhook", "account": "shop", **more}
    return ConnectionConfig(**{"name": name, "items": "any", "fulfilled_by": "elsewhere", **given})


def inbound(connection: str) -> Agreement:
    """Return how a connection's orders come in."""
    return Agreement(connection=connection, direction="in", document="order", codec="json", mapping="faults/order.in")


def outbound(connection: str) -> Agreement:
    """Return how a connection takes orders."""
    return Agreement(connection=connection, direction="out", document="order", codec="json", mapping="faults/order.out")


def _agreement_name(record: Agreement) -> str:
    return f"{record.connection}/{record.direction}/{record.document}/{record.codec}"


def _site(folder: Path) -> Path:
    """Make the plug-in look installed, as pip would."""
    site = folder / "site"
    facts = site / "hub_faults-1.0.dist-info"
    facts.mkdir(parents=True, exist_ok=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: hub-faults\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[hub]\nfaults = faults_plugin\n")
    return site


class RedisServer:
    """A Redis of this test alone, without persistence."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it (again) on its port and wait until it answers."""
        program = shutil.which("redis-server")
        assert program is not None
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, 5, "redis to answer")

    def flush(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(timeout=5)
            self._process = None

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(kind: str, database_url: str, folder: Path) -> Iterator[System]:
    """Yield a system without processes; on PostgreSQL with a Redis of its own."""
    sink = Sink()
    with serve(sink.routes, threads=16) as sink_url:
        system = System(kind, database_url, folder, sink, sink_url)
        if kind == "postgres":
            system.redis = RedisServer()
        try:
            yield system
        finally:
            system.close()


def address(url: str) -> tuple[str, int]:
    """Return host and port of a database address."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 5432


def by_way_of(port: int, url: str) -> str:
    """Return a database address that goes through a port of this machine."""
    parts = urlsplit(url)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}"))
