"""kill -9 at every named point: what was accepted is there once, what was sent is known, nothing stays behind."""

from __future__ import annotations

import signal

import pytest

from tests.faults.driver import System, order_body, until

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("point", ["received", "stored", "committed", "answered"])
def test_a_web_process_that_dies_loses_nothing_it_answered_for(system: System, point: str) -> None:
    # given a web process that dies at a point of the first request
    dying = system.web(crash_at=f"web.{point}")
    assert system.post(order_body("A-1"), "event-1") == 0
    until(lambda: dying.ended_by == -signal.SIGKILL, 5, "the web process to die")
    # when it is started again, and the sender repeats the same event until it is answered
    system.web()
    system.worker()
    status = system.send(order_body("A-1"), "event-1")
    again = system.send(order_body("A-1"), "event-1")
    other = system.send(order_body("A-2"), "event-2")
    # then the order is there once, and every repeat of a stored event says so
    assert (status, again, other) == ({"committed": 200, "answered": 200}.get(point, 202), 200, 202)
    system.quiet()
    system.verify(["A-1", "A-2"])


@pytest.mark.parametrize("point", ["claimed", "decoded", "written", "committed", "begun", "sent", "recorded"])
def test_a_worker_that_dies_is_replaced_without_loss_or_repeat(system: System, point: str) -> None:
    # given orders that wait, and a worker that dies at a point of its first batch
    system.web()
    names = [f"B-{at}" for at in range(6)]
    for name in names:
        system.send(order_body(name, 3), f"event-{name}")
    dying = system.worker(crash_at=f"work.{point}")
    until(lambda: dying.ended_by == -signal.SIGKILL, 10, "the worker to die")
    # when another worker takes its place
    system.worker()
    system.quiet()
    # then every order is at the sink once, also where the first worker had sent it already
    system.verify(names)
    if point == "sent":
        assert len(system.sink.looked_up) > 0
        assert len(system.sink.arrivals) == len(names)
