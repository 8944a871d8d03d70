"""The web process as production runs it: the part of it that serves dies, and is replaced without being asked."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.driver import HubProcess, System, free_port, order_body, until

pytestmark = pytest.mark.faults


@pytest.fixture
def served(system: System) -> Iterator[HubProcess]:
    """`hub web` on a free port, ended in good order."""
    system.port = free_port()
    process = system.start("web", ["-m", "hub.cli", "web", "--port", str(system.port)])
    yield process
    left = children(process)
    process.signal(signal.SIGTERM)
    try:
        until(lambda: process.ended_by is not None, 20, "hub web to end")
    except AssertionError:
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        raise


def children(process: HubProcess) -> list[int]:
    """Return the ids of the processes that it started."""
    listed = Path(f"/proc/{process.pid}/task").glob("*/children")
    return [int(pid) for path in listed for pid in path.read_text().split()]


def test_the_serving_process_that_dies_is_replaced_and_nothing_accepted_is_lost(
    system: System, served: HubProcess
) -> None:
    names = [f"G-{at}" for at in range(6)]
    for name in names[:3]:
        system.send(order_body(name), f"event-{name}", seconds=30)
    before = children(served)
    assert before
    # when what serves is killed
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    # then another one answers soon, a repeat is known, and new orders are taken
    assert system.send(order_body(names[0]), f"event-{names[0]}", seconds=30) == 200
    for name in names[3:]:
        system.send(order_body(name), f"event-{name}", seconds=30)
    assert not set(children(served)) & set(before)
    system.worker()
    system.quiet(15)
    system.verify(names)
