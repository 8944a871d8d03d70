"""Many messages taken in again, by two people at once, while the worker dies over them: each has its effect once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence

import msgspec
import pytest

from hub.domain.connection import Agreement
from hub.store.config import load_config
from hub.store.db import Db
from hub.store.replay import Replay, replay
from tests.faults.driver import ROOT, System, inbound, order_body, until

pytestmark = pytest.mark.faults


def hub(system: System, *words: str) -> subprocess.Popen[str]:
    """Begin a command of the command line."""
    return subprocess.Popen(
        [sys.executable, "-m", "hub.cli", *words], cwd=ROOT, env=system.environment(), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def said(commands: Sequence[subprocess.Popen[str]]) -> list[list[dict[str, str]]]:
    """Return what commands said as JSON, once all have ended."""
    found = []
    for each in commands:
        out, errors = each.communicate(timeout=60)
        assert out, errors
        found.append(json.loads(out))
    return found


def stuck(system: System, names: Sequence[str]) -> None:
    """Let orders come in while nobody agreed how they are read; then agree."""
    right = inbound("shop")
    other = Agreement(**{**msgspec.structs.asdict(right), "match": {"kind": "something else"}})
    system.configure(other)
    for name in names:
        system.send(order_body(name), f"event-{name}")
    first = system.worker()
    system.quiet(20)
    first.kill()
    assert system.rows("SELECT state, count(*) FROM messages GROUP BY state") == [("rejected", len(names))]
    system.configure(right)


def test_messages_that_two_people_replay_while_a_worker_dies_have_one_effect_each(system: System) -> None:
    system.web()
    names = [f"R-{at}" for at in range(40)]
    stuck(system, names)
    # when two people let all of them be taken in again at the same moment, and again while that is under way
    words = ("replay", "--connection", "shop", "--go", "--json")
    first = said([hub(system, *words), hub(system, *words)])
    dying = system.worker(crash_at="work.written")
    until(lambda: dying.ended_by is not None, 15, "the worker to die")
    system.worker()
    third = said([hub(system, *words)])
    system.quiet(30)
    # then every message was queued, none twice at the same time, and every order is there and was sent once
    queued = [each["message_id"] for found in first for each in found if not each.get("refused")]
    assert len(set(queued)) == len(names)
    assert len(third[0]) <= len(names)
    assert system.rows("SELECT title, detail FROM incidents WHERE class = 'internal'") == []
    system.verify(names)
    assert len(system.sink.arrivals) == len(names)


def test_replaying_what_went_well_changes_nothing(system: System) -> None:
    system.web()
    system.worker()
    names = [f"W-{at}" for at in range(10)]
    for name in names:
        system.send(order_body(name), f"event-{name}")
    system.quiet(15)
    ids = [row[0] for row in system.rows("SELECT id FROM messages WHERE direction = 'in'")]
    for _ in range(2):
        said([hub(system, "replay", *ids, "--go", "--json")])
        system.quiet(15)
    assert len(system.sink.arrivals) == len(names)
    system.verify(names)


def test_a_replay_that_is_decided_while_another_is_being_stored_queues_nothing_twice(on_postgres: System) -> None:
    system = on_postgres
    system.web()
    stuck(system, ["B-1", "B-2"])
    ids = [row[0] for row in system.rows("SELECT id FROM messages ORDER BY id")]
    connections = system.store.read(load_config).connections
    decided, go_on = threading.Event(), threading.Event()

    def slowly(db: Db) -> list[Replay]:
        found = replay(db, ids, connections, who="one")
        decided.set()
        go_on.wait(20)
        return found

    found: list[list[Replay]] = []
    one = threading.Thread(target=lambda: found.append(system.store.write(slowly)))
    other = threading.Thread(
        target=lambda: found.append(system.store.write(lambda db: replay(db, ids, connections, who="other")))
    )
    # given somebody whose replay is not stored yet, and somebody else who asks for the same
    one.start()
    assert decided.wait(10)
    other.start()
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    until(lambda: system.rows(waits), 10, "the second one to wait for the first")
    go_on.set()
    one.join(20)
    other.join(20)
    # then one of them queued the messages
    assert sorted(sum(not each.refused for each in plan) for plan in found) == [0, 2]
    assert system.rows("SELECT count(*) FROM work") == [(2,)]
    system.worker()
    system.quiet(20)
    system.verify(["B-1", "B-2"])
