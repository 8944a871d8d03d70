"""A batch that is rolled back runs again, each message alone, with the same end as if nothing had happened."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.bootstrap import Hub, build
from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.message import Incoming
from hub.domain.order import Order
from hub.pipeline.inbound import take_in
from hub.settings import HubSettings
from hub.store import migrate
from hub.store.config import save_record
from hub.testing.invariants import check


class RollsBackOnce:
    """The hub's record, whose first transaction fails at its very end."""

    def __init__(self, record: Any) -> None:
        self._record = record
        self._left = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record, name)

    def transact(self, work: Callable[[Any], Any]) -> Any:
        def failing(unit: Any) -> Any:
            work(unit)
            if self._left:
                self._left -= 1
                raise ConnectionError("cut off before the commit")

        return self._record.transact(failing)


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    """A hub with a shop whose items are not known."""
    migrate.upgrade(database_url)
    made = build(HubSettings(database_url=database_url, var=tmp_path))
    settings = {"secret": "env:NOT_ASKED_FOR"}
    records = (
        ("connection", "shop", ConnectionConfig(name="shop", connector="webhook", settings=settings)),
        (
            "agreement",
            "shop/in/order",
            Agreement(connection="shop", direction="in", document="order", codec="json", mapping="webhook/order.in"),
        ),
    )
    for kind, name, record in records:
        made.store.write(lambda db, k=kind, n=name, r=record: save_record(db, k, n, r, "test"))  # type: ignore[misc]
    yield made
    made.close()


def order(name: str) -> Incoming:
    line = {"sku": "NOBODY-KNOWS-IT", "quantity": 1, "price": "5.00"}
    body = msgspec.json.encode({"id": name, "currency": "EUR", "line_items": [line], "total_price": "5.00"})
    return Incoming(body=body, event_id=f"event-{name}", order_key=name)


def test_orders_that_are_held_are_stored_with_one_hold_each_when_their_batch_runs_again(hub: Hub) -> None:
    hub.ledger.take_in("shop", "", "document", [order("1"), order("2"), order("1")])
    claims = hub.ledger.claim("document", "ingest", 10, "w", 60)
    take_in(dataclasses.replace(hub.services, store=RollsBackOnce(hub.ledger)), claims)
    hub.worker.run_dry()
    docs = hub.store.read(lambda db: db.all("SELECT doc FROM orders ORDER BY external_id"))
    orders = [msgspec.json.decode(row[0], type=Order) for row in docs]
    assert [(each.external_id, [hold.code for hold in each.holds]) for each in orders] == [
        ("1", ["unmapped_sku"]),
        ("2", ["unmapped_sku"]),
    ]
    states = hub.store.read(lambda db: db.all("SELECT state FROM documents ORDER BY state"))
    assert [row[0] for row in states] == ["held", "held"]
    assert check(hub.store, accepted=[("shop", "event-1"), ("shop", "event-2")]) == []
