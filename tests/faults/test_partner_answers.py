"""What a partner says instead of yes: each answer has its own consequence, and none of them sends anything twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from hub.domain.connection import ConnectionConfig
from hub.domain.route import Route
from hub.pipeline.holds import SERIES
from hub.store.resolve import decide_incident, retry
from hub.testing.serve import Answer, Call, answer_json
from tests.faults.driver import System, order_body, outbound, until

pytestmark = pytest.mark.faults
LATER = 3
ANSWERS: dict[str, tuple[int, dict[str, str]]] = {
    "failing": (500, {}),
    "busy": (429, {"Retry-After": str(LATER)}),
    "locked": (401, {}),
    "forbidden": (403, {}),
    "unknown": (404, {}),
    "gone": (410, {}),
    "moved": (302, {"Location": "/elsewhere/orders"}),
    "moved_for_good": (308, {"Location": "/elsewhere/orders"}),
}
REFUSING = ("gone", "moved", "moved_for_good", "unknown")
CLOSED = ("forbidden", "locked")


class Partners:
    """Eight partners who say no at first, each in its way; `calls` holds when each was called."""

    def __init__(self, system: System) -> None:
        self.calls: dict[str, list[float]] = {name: [] for name in ANSWERS}
        self.open = False
        self._guard = threading.Lock()
        system.sink.before = self._answer
        for name in ANSWERS:
            settings = {"base_url": f"{system.sink_url}/{name}", "find_path": "/orders/{key}"}
            system.configure(
                ConnectionConfig(name=name, connector="rest", settings=settings),
                outbound(name),
                Route(name=name, on="order.accepted", to=name, send="order"),
            )

    def _answer(self, call: Call) -> Answer | None:
        name = call.path.split("/")[1]
        if name not in ANSWERS:
            return None
        with self._guard:
            self.calls[name].append(time.monotonic())
            first = len(self.calls[name]) == 1
        status, headers = ANSWERS[name]
        says_no = first if name in ("failing", "busy") else not self.open
        return answer_json({"error": "no"}, status, headers) if says_no else None


@pytest.fixture
def partners(system: System) -> Iterator[Partners]:
    """A hub whose orders go to all of them."""
    return Partners(system)


def states(system: System) -> dict[str, tuple[Any, ...]]:
    """Return (state, attempts) of the delivery to each connection."""
    return {name: tuple(rest) for name, *rest in system.rows("SELECT connection, state, attempts FROM deliveries")}


def resume(system: System, connection: str) -> None:
    """Resolve the incident that suspends a connection, as a person does who mended it."""
    [(incident,)] = system.rows(f"SELECT id FROM incidents WHERE state = 'open' AND connection = '{connection}'")
    assert system.store.write(lambda db: decide_incident(db, incident, "resolved", who="a person"))


def test_each_answer_has_its_own_consequence(system: System, partners: Partners) -> None:
    system.web()
    system.worker()
    system.send(order_body("A-1"), "event-1")
    ended = {"failing": ("delivered", 2), "busy": ("delivered", 2), "sink": ("delivered", 1)}
    refused = dict.fromkeys(REFUSING, ("refused", 1))
    closed = dict.fromkeys(CLOSED, ("planned", 1))
    until(lambda: states(system) == {**ended, **refused, **closed}, 20, "all to be said")
    # then whoever said when was not called before that
    first, second = partners.calls["busy"]
    assert second - first >= LATER
    # and a redirect was not followed
    assert {name for name, _, _ in system.sink.arrivals} == {"failing", "busy", "sink"}
    assert {name: len(partners.calls[name]) for name in (*REFUSING, *CLOSED)} == dict.fromkeys((*REFUSING, *CLOSED), 1)
    # and a person is told once of each that cannot go on by itself
    told = "SELECT connection, subject_kind, count FROM incidents WHERE state = 'open' ORDER BY connection"
    connections = [(name, "connection", 1) for name in (*CLOSED, "gone")]
    assert system.rows(told) == sorted(connections + [(name, "delivery", 1) for name in REFUSING if name != "gone"])
    # when they have mended it: what was refused is let go, what was locked out is tried again after a while
    partners.open = True
    resume(system, "gone")
    for (delivery,) in system.rows("SELECT id FROM deliveries WHERE state = 'refused'"):
        assert system.store.write(lambda db, each=delivery: retry(db, each, who="a person"))  # type: ignore[misc]
    system.store.write(lambda db: db.run("UPDATE work SET due_us = 0 WHERE status = 'queued'"))
    system.quiet(15)
    # then each has it once
    assert set(states(system).values()) <= {("delivered", 1), ("delivered", 2)}
    assert system.rows("SELECT connection FROM incidents WHERE state = 'open' AND subject_kind = 'connection'") == []
    for name in ANSWERS:
        system.verify(["A-1"], connection=name)


def test_who_asks_for_time_is_not_called_with_anything_else_meanwhile(system: System, partners: Partners) -> None:
    system.web()
    system.worker()
    system.send(order_body("B-1"), "event-1")
    until(lambda: partners.calls["busy"], 10, "the first call")
    for at in range(2, 6):
        system.send(order_body(f"B-{at}"), f"event-{at}")
    until(lambda: len(system.sink.orders("busy")) == 5, 20, "all five to arrive")
    first, *others = partners.calls["busy"]
    assert min(others) - first >= LATER


def test_who_is_gone_is_not_called_again_until_a_person_says_so(system: System, partners: Partners) -> None:
    system.web()
    first = system.worker()
    system.send(order_body("G-1"), "event-1")
    until(lambda: states(system).get("gone") == ("refused", 1), 15, "the answer to be noted")
    # when more is to go there, and when the worker is another one
    system.send(order_body("G-2"), "event-2")
    first.kill()
    system.worker()
    system.send(order_body("G-3"), "event-3")
    until(lambda: len(system.sink.orders("sink")) == 3, 20, "the others to arrive")
    assert len(partners.calls["gone"]) == 1
    told = "SELECT connection, subject_kind, title FROM incidents WHERE connection = 'gone'"
    title = "gone is suspended: nothing is sent there until a person resolves this"
    assert system.rows(told) == [("gone", "connection", title)]
    # when they are there again and a person says so
    partners.open = True
    resume(system, "gone")
    # then what waited goes out
    until(lambda: system.sink.orders("gone") == ["G-2", "G-3"], 20, "what waited to arrive")
    assert len(partners.calls["gone"]) == 3


def test_who_refuses_our_credentials_again_and_again_is_not_asked_any_more(system: System, partners: Partners) -> None:
    system.web()
    system.worker()
    system.send(order_body("L-1"), "event-1")
    for times in range(1, SERIES + 1):
        until(lambda at=times: len(partners.calls["locked"]) == at, 15, f"call {times}")  # type: ignore[misc]
        until(lambda: states(system)["locked"][0] == "planned", 15, "the answer to be noted")
        at_once = "UPDATE work SET due_us = 0 WHERE connection = 'locked' AND status = 'queued'"
        system.store.write(lambda db: db.run(at_once))  # noqa: B023
    open_ones = "SELECT title FROM incidents WHERE connection = 'locked' AND state = 'open'"
    title = "locked is suspended: nothing is sent there until a person resolves this"
    until(lambda: system.rows(open_ones) == [(title,)], 15, "the connection to be suspended")
    system.send(order_body("L-2"), "event-2")
    until(lambda: len(system.sink.orders("sink")) == 2, 20, "the other to arrive")
    assert len(partners.calls["locked"]) == SERIES
    partners.open = True
    resume(system, "locked")
    until(lambda: system.sink.orders("locked") == ["L-1", "L-2"], 25, "what waited to arrive")
