"""Machines whose clocks are an hour off: the database's time governs leases, so nothing is taken from anybody."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hub.domain.connection import ConnectionConfig
from hub.testing.serve import Answer, Call, answer_json
from tests.faults.driver import LEASE, System, order_body, until

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def shifted() -> str:
    """The library that shifts a process's clock."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.skip("there is no libfaketime on this machine; install the package faketime")
    return str(found[0])


def off(library: str, by: str) -> dict[str, str]:
    """Return what makes a process believe another time; waiting and timing out stay as they are."""
    return {"LD_PRELOAD": library, "FAKETIME": by, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def test_a_worker_whose_clock_is_an_hour_ahead_takes_nothing_from_one_that_is_at_work(
    on_postgres: System, shifted: str
) -> None:
    system = on_postgres
    # given a worker in the middle of a delivery that takes longer than a lease
    reached, release = threading.Event(), threading.Event()

    def hold(_: Call) -> Answer | None:
        if not reached.is_set():
            reached.set()
            release.wait(60)
        return None

    system.sink.after = hold
    settings = {"base_url": f"{system.sink_url}/sink", "find_path": "/orders/{key}", "deadline": 60}
    system.configure(ConnectionConfig(name="sink", connector="rest", settings=settings))
    system.web()
    system.worker()
    system.send(order_body("C-1"), "event-1")
    assert reached.wait(10)
    # when others come whose clocks say that its lease ran out an hour ago, or will never run out
    ahead, behind = system.worker(**off(shifted, "+1h")), system.worker(**off(shifted, "-1h"))
    system.send(order_body("C-2"), "event-2")
    until(lambda: "C-2" in system.sink.orders(), 10, "the second order to be done by somebody")
    threading.Event().wait(2 * LEASE)
    # then they leave it alone
    release.set()
    system.quiet(15)
    assert system.rows("SELECT attempts FROM deliveries") == [(1,), (1,)]
    assert (ahead.ended_by, behind.ended_by) == (None, None)
    system.verify(["C-1", "C-2"])


@pytest.mark.parametrize("by", ["+1h", "-1h"])
def test_a_hub_whose_clock_is_off_accepts_retries_and_recovers_as_any_other(
    on_postgres: System, shifted: str, by: str
) -> None:
    system = on_postgres
    refusals = iter(range(2))

    def fail_twice(_: Call) -> Answer | None:
        return None if next(refusals, None) is None else answer_json({"error": "later"}, 503, {"Retry-After": "1"})

    system.sink.before = fail_twice
    system.web(**off(shifted, by))
    dying = system.worker(crash_at="work.decoded", **off(shifted, by))
    system.send(order_body("C-3"), "event-3")
    until(lambda: dying.ended_by is not None, 10, "the worker to die")
    # when the lease of the dead one must run out, and two tries must wait, for a worker whose clock is right
    system.worker()
    system.quiet(LEASE + 15)
    assert system.rows("SELECT state, attempts FROM deliveries") == [("delivered", 3)]
    system.verify(["C-3"])
