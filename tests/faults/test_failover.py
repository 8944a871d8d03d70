"""The database's machine is lost and its synchronous standby takes over: nothing accepted is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub.bootstrap import CONFIG_HELD
from hub.testing.chaos import Chaos, chaos
from tests.faults.clusters import USER, Cluster, call, clusters
from tests.faults.driver import System, order_body, running, until

pytestmark = pytest.mark.faults
LATE = 0.15
"""Seconds that the standby is behind: an answer that does not wait for it is given that much too early."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Cluster, Cluster, Chaos]]:
    """A server, its synchronous standby, and the line between them."""
    with clusters(tmp_path) as (first, second), chaos("127.0.0.1", first.port) as line:
        source = f"host=127.0.0.1 port={first.port} user={USER}"
        call("pg_basebackup", "-D", str(second.folder), "-d", source, "-X", "stream", "-c", "fast", "--no-sync")
        behind = f"host=127.0.0.1 port={line.port} user={USER} application_name=second"
        (second.folder / "postgresql.auto.conf").write_text(f"primary_conninfo = '{behind}'\n")
        (second.folder / "standby.signal").touch()
        second.start()
        first.run("ALTER SYSTEM SET synchronous_standby_names = 'second'", "SELECT pg_reload_conf()")
        state = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
        until(lambda: first.run(state), 20, "the standby to be synchronous")
        first.run("CREATE DATABASE hub")
        yield first, second, line


def test_what_was_accepted_is_on_the_standby_that_takes_over(
    pair: tuple[Cluster, Cluster, Chaos], tmp_path: Path
) -> None:
    first, second, line = pair
    # Both are named: who is connected anew finds the one that takes writes.
    hosts = f"host=127.0.0.1:{first.port}&host=127.0.0.1:{second.port}&target_session_attrs=read-write"
    url = f"postgresql://{USER}@/hub?{hosts}"
    names = [f"F-{at}" for at in range(24)]
    rest, guard = iter(names), threading.Lock()
    with running("postgres", url, tmp_path) as system:
        system.web()
        system.worker()
        system.send(order_body("FIRST"), "event-first", seconds=20)
        line.latency = LATE

        def send() -> None:
            while True:
                with guard:
                    name = next(rest, None)
                if name is None:
                    return
                system.send(order_body(name), f"event-{name}", seconds=60)

        senders = [threading.Thread(target=send) for _ in range(4)]
        for each in senders:
            each.start()
        until(lambda: len(system.accepted) >= 9, 30, "some orders to be accepted")
        # when the line between them breaks, and then the machine of the first server is lost
        line.down()
        threading.Event().wait(4 * LATE)
        first.kill()
        lost_at = len(system.accepted)
        second.promote()
        for each in senders:
            each.join(90)
        system.store.engine.dispose()
        system.quiet(30)
        # then all that was accepted before is there, and all after it
        assert lost_at < len(names)
        system.verify(["FIRST", *names])


def test_while_the_standby_is_away_nothing_is_accepted(pair: tuple[Cluster, Cluster, Chaos], tmp_path: Path) -> None:
    first, second, line = pair
    with running("postgres", f"postgresql://{USER}@127.0.0.1:{first.port}/hub", tmp_path) as system:
        system.web()
        assert system.post(order_body("W-1"), "event-1") == 202
        line.down()
        until(lambda: not first.run("SELECT 1 FROM pg_stat_replication"), 10, "the standby to be gone")
        answered: list[int] = []
        waiting = threading.Thread(target=lambda: answered.append(system.post(order_body("W-2"), "event-2")))
        waiting.start()
        # given a commit that waits for a standby that is gone
        state = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = 'hub'"
        until(lambda: first.run(state), 10, "the commit to wait")
        assert answered == []
        # when the standby is back
        line.up()
        waiting.join(20)
        # then it is answered
        assert answered == [202]
        system.worker()
        system.quiet(15)
        system.verify(["W-1", "W-2"])
    assert second.pid


def test_lines_that_died_while_nobody_used_them_fail_no_call(on_postgres: System) -> None:
    system = on_postgres
    system.web()
    system.worker()
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> {own}"
    answers = []
    for at in range(5):
        system.send(order_body(f"I-{at}"), f"event-{at}")
        system.quiet(15)
        # when the server is restarted while nothing happens, and what is held of the configuration has grown old
        with psycopg.connect(system.database_url, autocommit=True) as line:
            line.execute(ended.format(own="pg_backend_pid()").encode())
        system.store.engine.dispose()
        threading.Event().wait(2 * CONFIG_HELD)
        answers.append(system.post(order_body(f"I-{at}-again"), f"event-{at}-again"))
    # then whoever calls next is answered as ever
    assert answers == [202] * 5
    system.quiet(15)
