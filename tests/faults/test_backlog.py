"""Fifty thousand documents wait: a lone order passes them, the console answers, and retries are spread over time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uuid_utils
from argon2 import PasswordHasher

from hub.bootstrap import build
from hub.domain.route import Route
from hub.settings import HubSettings
from hub.store import people, tables
from hub.store.db import Db
from hub.store.people import Passwords
from hub.store.queue import FIRST_BACKOFF
from hub.testing.serve import answer_json
from hub.web.console_app import create_console_app
from tests.faults.driver import System, inbound, order_body, shop, until
from tests.web.conftest import PASSWORD, Browser

pytestmark = pytest.mark.faults
WAITING = 50_000
PAGES = ("", "/orders", "/messages", "/deliveries", "/incidents", "/connections", "/queue", "/overdue")
LONGEST = 0.5
"""Seconds that a page of the console may take, the best of three looks at it on a machine with other work."""
_MESSAGE = (
    "id", "connection", "partner", "direction", "kind", "order_key", "content_type", "name", "size", "sha256",
    "received_us", "state", "chunks", "frames_left", "body", "envelope", "problems",
)  # fmt: skip
_WORK = ("lane", "task", "subject_id", "part", "order_key", "status", "due_us", "connection", "partner", "reason")
_DELIVERY = (
    "id", "event_id", "connection", "send", "subject_kind", "subject_id", "order_key", "lane", "state", "created_us",
)  # fmt: skip


def pile_up(db: Db) -> None:
    """Store so many orders that wait to be taken in, and so many deliveries that wait for a partner to come back."""
    now, later = db.now_us(), db.now_us() + 3_600_000_000
    messages, deliveries, work = [], [], []
    for at in range(WAITING):
        message, delivery, body = str(uuid_utils.uuid7()), str(uuid_utils.uuid7()), order_body(f"BULK-{at}")
        messages.append((
            message, "bulk", "", "in", "order", "", "application/json", "", len(body), "", now, "received", 0, 0, body,
            "", "",
        ))  # fmt: skip
        deliveries.append((
            delivery, f"event-{at}", "sink", "order", "order", f"order-{at}", "", "bulk", "planned", now,
        ))  # fmt: skip
        work.append(("bulk", "ingest", message, 0, None, "queued", now, "bulk", "", ""))
        work.append(("bulk", "send", delivery, 0, f"out/sink/{at}", "queued", later, "sink", "", "answered 503"))
    db.insert(tables.messages, _MESSAGE, messages)
    db.insert(tables.deliveries, _DELIVERY, deliveries)
    db.insert(tables.work, _WORK, work)


@pytest.fixture
def backlog(system: System) -> System:
    """A hub in which all of that waits."""
    system.configure(
        shop("bulk", priority_lane="bulk"),
        inbound("bulk"),
        Route(name="orders", on="order.accepted", to="sink", send="order", origin="shop"),
        Route(name="bulk orders", on="order.accepted", to="sink", send="order", origin="bulk", lane="bulk"),
    )
    system.store.write(pile_up)
    return system


def left(system: System) -> int:
    """Return how many orders are not taken in yet."""
    sql = "SELECT count(*) FROM work WHERE task = 'ingest' AND lane = 'bulk'"
    return int(system.rows(sql)[0][0])


def test_a_lone_order_passes_fifty_thousand_that_wait(backlog: System) -> None:
    system = backlog
    system.web()
    system.worker()
    until(lambda: left(system) < WAITING, 20, "the worker to begin")
    for at in range(5):
        system.send(order_body(f"LONE-{at}"), f"event-{at}")
        until(lambda at=at: f"LONE-{at}" in system.sink.orders(), 10, f"order {at} to arrive")  # type: ignore[misc]
    # then most of the others still wait, and they get their turn too
    waiting = left(system)
    assert waiting > 0
    until(lambda: left(system) < waiting, 20, "the others to go on")


@pytest.fixture
def person(backlog: System, tmp_path: Path) -> Iterator[Browser]:
    """Somebody who looks at it."""
    hub = build(HubSettings(database_url=backlog.database_url, var=tmp_path / "console"))
    passwords = Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    app = create_console_app(hub, passwords=passwords)
    app.testing = True
    hashed = passwords.hash(PASSWORD)
    hub.store.write(lambda db: people.add_user(db, "ann@company.example", "owner", password_hash=hashed, who="tests"))
    browser = Browser(app.test_client())
    browser.sign_in("ann@company.example")
    yield browser
    app.extensions["live"].close()
    hub.close()


def test_the_console_answers_at_once_while_fifty_thousand_wait(person: Browser) -> None:
    slow = {}
    for page in PAGES:
        took = []
        for _ in range(3):
            begun = time.monotonic()
            assert person.get(f"/console{page}").status_code == 200, page
            took.append(time.monotonic() - begun)
        if min(took) > LONGEST:
            slow[page] = min(took)
    assert slow == {}


def test_what_a_partner_could_not_take_comes_back_spread_over_time(on_sqlite: System) -> None:
    system = on_sqlite
    system.sink.before = lambda _: answer_json({"error": "down"}, 500)
    system.web()
    names = [f"J-{at}" for at in range(40)]
    for name in names:
        system.send(order_body(name), f"event-{name}")
    worker = system.worker()
    tried = "SELECT count(*) FROM work WHERE task = 'send' AND attempts = 1 AND status = 'queued'"
    until(lambda: system.rows(tried) == [(len(names),)], 20, "each to be tried once")
    worker.kill()
    due = sorted(row[0] for row in system.rows("SELECT due_us FROM work"))
    # then they are not due at one moment, but over half of the time that they wait at most
    assert len(set(due)) == len(names)
    assert due[-1] - due[0] > FIRST_BACKOFF * 1e6 / 4
    system.sink.before = lambda _: None
    system.worker()
    system.quiet(20)
    system.verify(names)
