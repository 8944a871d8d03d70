"""The doorbell: rings are heard, and one that cannot be rung stops nobody."""

from __future__ import annotations

import logging
import threading

import dramatiq
import pytest

from hub.work.doorbell import Bell, open_broker


def test_a_ring_wakes_who_answers_with_the_lane() -> None:
    heard: list[str] = []
    woken = threading.Event()
    broker = open_broker()

    def answer(lane: str) -> None:
        heard.append(lane)
        woken.set()

    bell = Bell(broker, answer)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=20)
    worker.start()
    try:
        bell.ring("document")
        assert woken.wait(5)
    finally:
        worker.stop()
        bell.close()
        broker.close()
    assert heard == ["document"]


def test_a_bell_without_its_redis_says_so_once_and_returns_at_once(caplog: pytest.LogCaptureFixture) -> None:
    broker = open_broker("redis://127.0.0.1:1/0")
    said = threading.Event()

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.set()

    listener = Heard()
    logging.getLogger("hub.work.doorbell").addHandler(listener)
    bell = Bell(broker, lambda _: None)
    try:
        bell.ring("document")
        assert said.wait(5)
    finally:
        logging.getLogger("hub.work.doorbell").removeHandler(listener)
        bell.close()
        broker.close()
    assert "the doorbell does not answer" in caplog.text
