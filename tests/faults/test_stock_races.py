"""Channels, a cancellation and counts of stock at one moment: none is promised twice, and the newest count wins."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import psycopg
import pytest

from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.order import Order
from hub.domain.stock import Item, Location, StockMovement
from hub.store.config import bump_version
from hub.store.db import Db
from hub.store.unit import Ledger, Unit
from hub.testing.invariants import check
from tests.faults.driver import System, inbound, shop, until

pytestmark = pytest.mark.faults
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CHANNELS = ("web", "market", "store", "phone")
_text = msgspec.json.Encoder(decimal_format="string").encode


def goods(db: Db, skus: Sequence[str]) -> None:
    """Know some items and one place, with nothing in it."""
    for sku in skus:
        item = Item(id=sku.lower(), sku=sku)
        db.run(
            "INSERT INTO items (id, sku, doc) VALUES (:id, :sku, :doc)", id=item.id, sku=sku, doc=_text(item).decode()
        )
    place = Location(id="hamburg", code="HH")
    db.run("INSERT INTO locations (id, code, doc) VALUES ('hamburg', 'HH', :doc)", doc=_text(place).decode())
    bump_version(db)


def feed() -> tuple[ConnectionConfig, Agreement]:
    """Return a warehouse that says what it has."""
    settings = {"secret": "env:SHOP_SECRET", "kind": "stock"}
    return (
        ConnectionConfig(name="feed", connector="webhook", settings=settings),
        Agreement(connection="feed", direction="in", document="stock", codec="json", mapping="webhook/stock.in"),
    )


def count(sku: str, quantity: int, at: datetime) -> bytes:
    """Return what the warehouse says it has of an item, and when it counted."""
    items = [{"sku": sku, "quantity": quantity}]
    return msgspec.json.encode({"counted_at": at.isoformat(), "location": "HH", "items": items})


def order(name: str, **more: str) -> bytes:
    """Return an order of one widget."""
    line = {"sku": "WIDGET", "quantity": 1, "price": "10.00"}
    return msgspec.json.encode({"id": name, "total": "10.00", "lines": [line], **more})


def at_once(calls: Sequence[Callable[[], int]]) -> list[int]:
    """Make all calls at the same moment; return what they return."""
    gate = threading.Barrier(len(calls))
    found: list[int] = []

    def run(call: Callable[[], int]) -> None:
        gate.wait(10)
        found.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    return found


def levels(system: System) -> dict[str, tuple[int, int]]:
    """Return (on hand, reserved) in millionths by item."""
    return {row[0]: (row[1], row[2]) for row in system.rows("SELECT item_id, on_hand, reserved FROM stock_levels")}


def stock(system: System) -> None:
    """Know four shops, a warehouse that counts, and one widget."""
    system.configure(*feed())
    for name in CHANNELS:
        system.configure(shop(name, account=name, items="known", fulfilled_by="hub"), inbound(name))
    system.store.write(lambda db: goods(db, ["WIDGET"]))

    def receive(unit: Unit) -> None:
        move = StockMovement(
            id="first", item_id="widget", location_id="hamburg", kind="receipt", on_hand_delta=Decimal(1), at=AT
        )
        unit.move(move)

    Ledger(system.store, lambda: None).transact(receive)  # type: ignore[arg-type,return-value]


def test_four_channels_a_cancellation_and_counts_at_once_promise_no_more_than_there_is(system: System) -> None:
    stock(system)
    system.web()
    system.worker()
    system.worker()
    # given the last unit, promised to the first order
    assert system.post(order("FIRST"), "event-first", "web") == 202
    system.quiet(15)
    assert levels(system) == {"widget": (1_000_000, 1_000_000)}
    # when twelve more want it on four channels, the first one is cancelled, and the warehouse finds another two
    wanted = [(f"{name}-{at}", name) for name in CHANNELS for at in range(3)]
    calls: list[Callable[[], int]] = [
        lambda name=name, channel=channel: system.post(order(name), f"event-{name}", channel)  # type: ignore[misc]
        for name, channel in wanted
    ]
    calls.append(lambda: system.post(order("FIRST", purpose="cancel"), "event-cancel", "web"))
    for quantity in (1, 2, 3):
        report = count("WIDGET", quantity, AT + timedelta(hours=quantity))
        calls.append(lambda report=report, at=quantity: system.post(report, f"count-{at}", "feed"))  # type: ignore[misc]
    assert at_once(calls) == [202] * len(calls)
    system.quiet(30)
    # then three orders have one each, the cancelled one has none, and the others wait
    orders = [msgspec.json.decode(row[0], type=Order) for row in system.rows("SELECT doc FROM orders")]
    assert levels(system) == {"widget": (3_000_000, 3_000_000)}
    assert {each.number: int(each.lines[0].allocated) for each in orders}["FIRST"] == 0
    assert sum(each.lines[0].allocated for each in orders) == 3
    assert sum(each.lines[0].backordered for each in orders) == len(wanted) - 3
    assert system.rows("SELECT count(*) FROM reservations WHERE state = 'held'") == [(3,)]
    expected = [("web", "FIRST"), *((channel, name) for name, channel in wanted)]
    assert check(system.store, accepted=system.accepted, expected=expected) == []


def test_two_workers_that_look_at_the_last_unit_at_the_same_moment_promise_it_once(
    on_postgres: System,
) -> None:
    system = on_postgres
    stock(system)
    system.web()
    system.worker()
    system.worker()
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    # given somebody who holds the stock while one worker, and then the other, comes for it
    with psycopg.connect(system.database_url) as holder:
        holder.execute("SELECT 1 FROM stock_levels FOR UPDATE")
        for at, channel in enumerate(CHANNELS[:2], 1):
            assert system.post(order(f"T-{at}"), f"event-{at}", channel) == 202
            until(lambda at=at: system.rows(blocked) == [(at,)], 15, f"worker {at} to wait")  # type: ignore[misc]
    # when it is let go
    system.quiet(20)
    # then one of them got it
    orders = [msgspec.json.decode(row[0], type=Order) for row in system.rows("SELECT doc FROM orders")]
    assert levels(system) == {"widget": (1_000_000, 1_000_000)}
    assert sorted(int(each.lines[0].allocated) for each in orders) == [0, 1]
    assert check(system.store, accepted=system.accepted) == []


def test_two_first_counts_at_the_same_moment_are_not_added_up(on_postgres: System) -> None:
    system = on_postgres
    system.configure(*feed())
    system.store.write(lambda db: goods(db, ["THING"]))
    system.web()
    system.worker()
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    # given somebody whose first count of this thing is written and not yet there for others
    with psycopg.connect(system.database_url) as other:
        other.execute("INSERT INTO stock_levels (item_id, location_id, on_hand) VALUES ('thing', 'hamburg', 100000000)")
        assert system.post(count("THING", 60, AT), "event", "feed") == 202
        until(lambda: system.rows(blocked) == [(1,)], 15, "the worker to wait")  # type: ignore[misc]
    # when it is there, then the later count replaces it
    system.quiet(20)
    assert levels(system) == {"thing": (60_000_000, 0)}


def test_counts_that_come_in_any_order_leave_what_was_counted_last(system: System) -> None:
    skus = [f"THING-{at}" for at in range(8)]
    system.configure(*feed())
    system.store.write(lambda db: goods(db, skus))
    system.web()
    system.worker()
    system.worker()
    # when every item is counted six times, and the counts come in any order, in part at the same moment
    reports = [(sku, hour) for sku in skus for hour in range(1, 7)]
    random.Random(20261122).shuffle(reports)
    for start in range(0, len(reports), 16):
        part = reports[start : start + 16]
        calls: list[Callable[[], int]] = [
            lambda sku=sku, hour=hour: system.post(  # type: ignore[misc]
                count(sku, hour * 10, AT + timedelta(hours=hour)), f"{sku}-{hour}", "feed"
            )
            for sku, hour in part
        ]
        assert at_once(calls) == [202] * len(part)
    system.quiet(30)
    # then each has what was counted last, whenever that came
    assert levels(system) == {sku.lower(): (60_000_000, 0) for sku in skus}
    assert check(system.store, accepted=system.accepted) == []
