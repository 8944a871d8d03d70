"""The next version takes over while orders come in: tables first, then process by process, and nobody is refused."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import shutil
import signal
import socket
import threading
import time
from pathlib import Path

import psycopg
import pytest

from tests.faults.driver import ROOT, SECRET, HubProcess, System, free_port, order_body, until

pytestmark = pytest.mark.faults
LONGEST = 5.0
"""Seconds that an answer may take meanwhile, on a machine with other work; a lock may be held for two of them."""
REVISION = '''
"""What the next version adds: columns with a default, and an index."""

from __future__ import annotations

from alembic import op

revision = "next_1"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.execute("ALTER TABLE messages ADD COLUMN next_note TEXT NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE work ADD COLUMN next_note TEXT")
    op.execute("CREATE INDEX next_messages ON messages (next_note)")
'''


def next_version(system: System) -> Path:
    """Return the folder of the next version of the hub: this one, and a revision more."""
    folder = system.folder / "next"
    for name in ("hub", "connectors", "mappings"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "samples"))
    ((before,),) = system.rows("SELECT version_num FROM alembic_version")
    revisions = folder / "hub" / "store" / "migrations" / "versions"
    (revisions / "0900_next_1.py").write_text(REVISION.format(before=before))
    return folder


class Balancer:
    """Sends orders one after the other to whichever web process takes the line, as nginx does."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.names: list[str] = []
        self.answers: list[tuple[str, int, float]] = []
        """(order, status, seconds); 0 where a line was lost after the order was sent."""
        self._ended = threading.Event()
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._send) for _ in range(2)]

    def __enter__(self) -> Balancer:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for each in self._threads:
            each.join(60)

    def some(self, count: int = 12) -> None:
        """Wait until so many more were answered."""
        before = len(self.answers)
        until(lambda: len(self.answers) >= before + count, 40, f"more answers than {self.answers[-3:]}")

    def _send(self) -> None:
        while not self._ended.wait(0.02):
            with self._guard:
                name = f"R-{len(self.names)}"
                self.names.append(name)
            begun = time.monotonic()
            status = self._post(name)
            self.answers.append((name, status, time.monotonic() - begun))

    def _post(self, name: str) -> int:
        body = order_body(name)
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        line = self._connected()
        try:
            line.request("POST", "/in/shop", body, {"X-Signature": signature, "X-Event-Id": f"event-{name}"})
            answer = line.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            line.close()

    def _connected(self) -> http.client.HTTPConnection:
        for port in list(self.ports) * 2:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                line.connect()
                return line
            except ConnectionRefusedError:
                continue
        raise AssertionError(f"nobody listens on {self.ports}")


def serve(system: System, balancer: Balancer) -> HubProcess:
    """Start a web process of the version that is current, and send to it once it answers."""
    port = free_port()
    process = system.start("web", ["-m", "hub.cli", "web", "--port", str(port)])

    def answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    until(answers, 40, "the web process to answer")
    balancer.ports.insert(0, port)
    return process


def end(process: HubProcess) -> None:
    """Ask a process to end, as a deployment does, and wait for it."""
    process.signal(signal.SIGTERM)
    until(lambda: process.ended_by is not None, 40, f"{process.name} to end")


def test_the_next_version_takes_over_under_load_and_no_order_is_refused(system: System) -> None:
    following, balancer = next_version(system), Balancer()
    old = serve(system, balancer), system.worker()
    with balancer:
        balancer.some()
        # when the tables of the next version are made, while the old processes go on with them
        system.root = following
        upgraded = system.start("upgrade", ["-m", "hub.cli", "db", "upgrade"])
        assert upgraded.first_line().endswith("next_1")
        balancer.some()
        # and its processes take over, one by one
        serve(system, balancer)
        balancer.some()
        system.worker()
        for process in old:
            end(process)
        balancer.some()
    # then every order was taken at its first try, and soon
    assert {status for _, status, _ in balancer.answers} == {202}
    assert max(seconds for _, _, seconds in balancer.answers) < LONGEST
    system.accepted = [("shop", f"event-{name}") for name, _, _ in balancer.answers]
    system.quiet(30)
    system.verify(balancer.names)


def test_tables_that_somebody_reads_for_long_are_not_changed_at_the_cost_of_intake(on_postgres: System) -> None:
    system = on_postgres
    following = next_version(system)
    system.web()
    assert system.post(order_body("T-1"), "event-1") == 202
    # given a backup that reads for long, and an upgrade that wants to change what it reads
    system.root = following
    with psycopg.connect(system.database_url) as reader:
        reader.execute("SELECT count(*) FROM messages")
        upgraded = system.start("upgrade", ["-m", "hub.cli", "db", "upgrade"])
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'messages'::regclass"
        until(lambda: system.rows(waiting), 20, "the upgrade to wait")
        # then orders are taken nevertheless
        assert system.post(order_body("T-2"), "event-2") == 202
    # and the upgrade goes on once it can
    assert upgraded.first_line().endswith("next_1")
    system.worker()
    system.quiet(15)
    system.verify(["T-1", "T-2"])
