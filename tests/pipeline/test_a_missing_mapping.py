"""A mapping that is missing is our fault, not the sender's: what came waits and goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.bootstrap import Hub, build
from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.message import Incoming
from hub.pipeline.receive import receive
from hub.settings import HubSettings
from hub.store.config import save_record
from hub.store.migrate import upgrade

BODY = b'{"id": "W-1", "currency": "EUR", "line_items": [{"sku": "A", "quantity": 1, "price": "2.00"}]}'


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    upgrade(url)
    made = build(HubSettings(database_url=url, var=tmp_path, config=tmp_path))
    yield made
    made.close()


def configure(hub: Hub, mapping: str) -> None:
    shop = ConnectionConfig(name="shop", connector="webhook", items="any", fulfilled_by="elsewhere")
    agreed = Agreement(connection="shop", direction="in", document="order", codec="json", mapping=mapping)
    hub.store.write(lambda db: save_record(db, "connection", "shop", shop, "tests"))
    hub.store.write(lambda db: save_record(db, "agreement", "shop in order", agreed, "tests"))


def test_an_order_without_its_mapping_waits_with_one_incident_and_is_not_refused(hub: Hub) -> None:
    configure(hub, "nobody/wrote_this.in")
    receive(hub.services, hub.config().connections["shop"], [Incoming(body=BODY, event_id="1")])

    hub.worker.run_dry()

    [state] = hub.store.read(lambda db: db.one("SELECT state FROM messages"))
    [status, reason] = hub.store.read(lambda db: db.one("SELECT status, reason FROM work"))
    [title] = hub.store.read(lambda db: db.one("SELECT title FROM incidents"))
    assert (state, status) == ("received", "queued")
    assert "nobody/wrote_this.in" in reason
    assert "nobody/wrote_this.in" in title
