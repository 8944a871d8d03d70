"""A cancellation or a change that overtakes its order waits for it, visibly, and is applied when it comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub.bootstrap import Hub, build
from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.message import Incoming
from hub.settings import HubSettings
from hub.store import migrate
from hub.store.config import save_record
from hub.testing.invariants import check


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    """A shop with one connection for orders and one for cancellations of the same account."""
    migrate.upgrade(database_url)
    made = build(HubSettings(database_url=database_url, var=tmp_path))
    for name, kind in (("shop", "order"), ("cancels", "order_cancel")):
        settings = {"secret": "env:NOT_ASKED_FOR"}
        connection = ConnectionConfig(
            name=name, connector="webhook", account="shop", items="any", fulfilled_by="elsewhere", settings=settings
        )
        mapping = f"webhook/{kind}.in"
        agreement = Agreement(connection=name, direction="in", document="order", codec="json", mapping=mapping)
        made.store.write(lambda db, n=name, c=connection: save_record(db, "connection", n, c, "test"))  # type: ignore[misc]
        made.store.write(lambda db, n=name, a=agreement: save_record(db, "agreement", f"{n}/in", a, "test"))  # type: ignore[misc]
    yield made
    made.close()


def body(name: str) -> bytes:
    line = {"sku": "A", "quantity": 1, "price": "5.00"}
    return msgspec.json.encode({"id": name, "currency": "EUR", "line_items": [line], "total_price": "5.00"})


def arrives(hub: Hub, connection: str, name: str) -> None:
    given = Incoming(body=body(name), event_id=f"{connection}-{name}", order_key=name)
    hub.ledger.take_in(connection, "", "document", [given])


def seen(hub: Hub, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in hub.store.read(lambda db: db.all(sql))]


def test_a_cancellation_that_comes_first_waits_and_is_applied_when_the_order_comes(hub: Hub) -> None:
    arrives(hub, "cancels", "1")
    hub.worker.run_dry()
    assert seen(hub, "SELECT state FROM documents") == [("waiting",)]
    assert seen(hub, "SELECT severity, state, title FROM incidents") == [
        ("warning", "open", "cancels: a cancellation of order 1 came before the order")
    ]
    assert check(hub.store, accepted=[("cancels", "cancels-1")], expected=[]) == []
    # when other orders come, it still waits; when its own comes, it is applied
    arrives(hub, "shop", "2")
    hub.worker.run_dry()
    assert seen(hub, "SELECT state FROM documents WHERE connection = 'cancels'") == [("waiting",)]
    arrives(hub, "shop", "1")
    hub.worker.run_dry()
    assert seen(hub, "SELECT external_id, cancellation FROM orders ORDER BY external_id") == [
        ("1", "confirmed"),
        ("2", "none"),
    ]
    assert seen(hub, "SELECT state FROM incidents") == [("auto_resolved",)]
    assert check(hub.store, accepted=[("cancels", "cancels-1"), ("shop", "shop-1")]) == []


def test_a_cancellation_before_its_order_in_one_batch_is_applied_at_once(hub: Hub) -> None:
    arrives(hub, "cancels", "1")
    arrives(hub, "shop", "1")
    hub.worker.run_dry()
    assert seen(hub, "SELECT cancellation FROM orders") == [("confirmed",)]
    assert seen(hub, "SELECT state FROM documents ORDER BY connection") == [("applied",), ("applied",)]
    assert seen(hub, "SELECT id FROM incidents") == []
