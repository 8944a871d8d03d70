"""Files far larger than usual: memory stays flat, every order is there once, and a lone order is not kept waiting."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hub.domain.route import Route
from tests.faults.driver import HubProcess, System, order_body, until
from tests.faults.edi import answered, door, purchase, x12

pytestmark = pytest.mark.faults
MOST_MB = 300


def peak_mb(process: HubProcess) -> float:
    """Return the most memory that a process ever had."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def take_in(system: System, body: bytes, seconds: float) -> None:
    """Send a file, and orders of somebody else meanwhile; all is done, and nobody grew beyond bounds."""
    system.configure(
        *door(system.sink_url, priority_lane="bulk"),
        Route(name="orders", on="order.accepted", to="sink", send="order", origin="shop"),
        Route(name="large", on="order.accepted", to="sink", send="order", origin="door", lane="bulk"),
    )
    web, worker = system.web(), system.worker()
    assert system.post(body, "large", "door") == 202
    until(lambda: system.rows("SELECT 1 FROM work WHERE status = 'running'"), 20, "the file to be begun")
    names = [f"LONE-{at}" for at in range(5)]
    for name in names:
        system.send(order_body(name), f"event-{name}")
        until(lambda name=name: name in system.sink.orders(), 10, f"{name} to arrive")  # type: ignore[misc]
        threading.Event().wait(0.1)
    system.quiet(seconds)
    assert peak_mb(worker) < MOST_MB
    assert peak_mb(web) < MOST_MB


def test_five_thousand_orders_in_one_file(system: System) -> None:
    sets = [purchase(f"P-{at}", at % 9999 + 1) for at in range(5_000)]
    take_in(system, x12(*sets), 120)
    assert system.rows("SELECT count(*), count(DISTINCT external_id) FROM orders") == [(5_005, 5_005)]
    assert system.rows("SELECT max(count) FROM frames") == [(500,)]
    assert system.rows("SELECT count(*) FROM deliveries WHERE state <> 'delivered'") == [(0,)]
    said = answered(body for name, _, body in system.sink.arrivals if name == "acks")
    assert said.count("AK5*A") == 5_000


LARGE = pytest.mark.xfail(strict=True, reason="a frame is cut by its number of sets, whatever their size")


@pytest.mark.parametrize(
    ("count", "lines"), [(1, 10_000), (10, 5_000), pytest.param(60, 5_000, marks=LARGE)], ids=["one", "ten", "sixty"]
)
def test_orders_of_thousands_of_lines(on_postgres: System, count: int, lines: int) -> None:
    system = on_postgres
    take_in(system, x12(*(purchase(f"L-{at}", at + 1, lines) for at in range(count))), 120)
    assert system.rows("SELECT count(*) FROM orders") == [(count + 5,)]
    assert system.rows("SELECT count(*) FROM deliveries WHERE state <> 'delivered'") == [(0,)]
