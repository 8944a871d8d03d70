"""The database is lost and a backup of an earlier moment takes its place."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from hub.domain.connection import ConnectionConfig
from hub.domain.route import Route
from hub.store.store import Store
from hub.testing.serve import answer_json
from tests.faults.driver import ROOT, System, order_body, outbound, until

pytestmark = pytest.mark.faults


def hub(system: System, *words: str) -> None:
    """Run a command of the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", *words], cwd=ROOT, env=system.environment(), text=True, timeout=60,
        capture_output=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def lose_and_restore(system: System, new_database: Callable[..., str]) -> None:
    """Accept, back up, go on, lose the database, and put the backup into another one.

    B-1 to B-3 are refused for the time being while the backup is made, and sent after it; C-1 came after it.
    """
    web, worker = system.web(), system.worker()
    for name in ("A-1", "A-2", "A-3"):
        system.send(order_body(name), f"event-{name}")
    system.quiet(15)
    system.sink.before = lambda _: answer_json({"error": "later"}, 503, {"Retry-After": "1"})
    for name in ("B-1", "B-2", "B-3"):
        system.send(order_body(name), f"event-{name}")
    tried = "SELECT count(DISTINCT order_id) FROM deliveries WHERE state = 'planned' AND attempts > 0"
    until(lambda: system.rows(tried) == [(3,)], 15, "B to be tried")
    worker.kill()
    hub(system, "backup", str(system.folder / "backup"))
    system.sink.before = lambda _: None
    later = system.worker()
    system.send(order_body("C-1"), "event-C-1")
    system.quiet(15)
    assert len(system.sink.orders()) == 7
    for process in (web, later):
        process.kill()
    system.store.close()
    system.database_url = new_database(system.kind)
    hub(system, "restore", str(system.folder / "backup"))
    system.store = Store(system.database_url, pool_size=5)


@pytest.fixture
def dumping(system: System) -> System:
    """A hub that can be backed up."""
    if system.kind == "postgres" and shutil.which("pg_dump") is None:
        pytest.skip("there is no pg_dump on this machine; install the package postgresql-client")
    return system


def test_what_was_sent_after_the_backup_goes_out_under_the_same_key_again(
    dumping: System, new_database: Callable[..., str]
) -> None:
    system = dumping
    lose_and_restore(system, new_database)
    assert system.rows("SELECT count(*) FROM orders") == [(6,)]
    system.web()
    system.worker()
    system.quiet(15)
    # then the partner, who knows its keys, has nothing twice, and what was accepted by then is known here
    orders = ["A-1", "A-2", "A-3", "B-1", "B-2", "B-3"]
    assert sorted(system.sink.orders()) == [*orders, "C-1"]
    assert {system.post(order_body(name), f"event-{name}") for name in orders} == {200}
    assert system.rows("SELECT external_id FROM orders ORDER BY external_id") == [(name,) for name in orders]
    assert system.rows("SELECT DISTINCT state FROM deliveries") == [("delivered",)]


def test_nothing_goes_out_after_a_restore_where_a_second_time_does_harm(
    on_sqlite: System, new_database: Callable[..., str]
) -> None:
    system = on_sqlite
    system.configure(
        ConnectionConfig(name="ask", connector="faults_ask", settings={"base_url": f"{system.sink_url}/ask"}),
        outbound("ask"),
        Route(name="asks", on="order.accepted", to="ask", send="order"),
    )
    lose_and_restore(system, new_database)
    before = [name for name, _, _ in system.sink.arrivals].count("ask")
    assert before == 7
    system.worker()
    system.quiet(15)
    # then nobody who cannot be asked gets it a second time before a person says so, and a person is told
    assert [name for name, _, _ in system.sink.arrivals].count("ask") == before
    assert system.rows("SELECT count(*) FROM incidents WHERE state = 'open'") != [(0,)]
