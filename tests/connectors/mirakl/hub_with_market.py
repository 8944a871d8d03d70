"""A hub with a marketplace, worked by hand, for tests of whole orders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.bootstrap import Hub, build
from hub.settings import HubSettings
from hub.store import seeds
from hub.store.migrate import upgrade
from hub.store.seed_files import read_folder

CONFIG = """
[connection]
connector    = "mirakl"
items        = "any"
fulfilled_by = "elsewhere"
source_kind  = "marketplace"
pull_every   = {{ order = 60 }}

[connection.settings]
base_url = "{url}"
api_key  = "env:MARKET_KEY"
since    = "2026-11-20T00:00:00Z"

[[agreement]]
direction = "in"
document  = "order"
codec     = "json"
mapping   = "mirakl/order.in"

[[agreement]]
direction = "out"
document  = "acknowledgement"
codec     = "json"
mapping   = "mirakl/acknowledgement.out"

[[agreement]]
direction = "out"
document  = "stock"
codec     = "csv"
mapping   = "mirakl/stock.out"
envelope  = {{ delimiter = ";", raw = true }}
"""
ROUTES = """
[[route]]
on   = "acknowledgement.issued"
to   = "origin"
send = "acknowledgement"

[[route]]
on   = "stock_report.published"
to   = "target"
send = "stock"
"""
GOODS = {
    "items.csv": "sku,name\nWIDGET-001,Widget\nPANEL-A3,Panel\n",
    "stock.csv": "location,sku,quantity\nHH,WIDGET-001,50\nHH,PANEL-A3,50\n",
    "locations.toml": '[[location]]\ncode = "HH"\nname = "Hamburg"\naddress = { city = "Hamburg", country = "DE" }\n',
}


class Company:
    """A hub with a marketplace, worked by hand."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def poll(self) -> None:
        """The pull is due; do all that follows."""
        self.hub.store.write(lambda db: db.run("UPDATE cursors SET next_us = 0"))
        self.hub.tick()
        self.hub.worker.run_dry()

    def again(self) -> None:
        """What was put back for later is due."""
        self.hub.store.write(lambda db: db.run("UPDATE work SET due_us = 0 WHERE status = 'queued'"))
        self.hub.worker.run_dry()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.hub.store.read(lambda db: [tuple(row) for row in db.all(sql)])

    def count(self, name: str) -> int:
        """Return how often an event happened."""
        ((found,),) = self.rows(f"SELECT count(*) FROM events WHERE name = '{name}'")
        return int(found)


@contextmanager
def company_of(folder: Path, address: str, *, fulfils: bool = False) -> Iterator[Company]:
    """Run a hub on a database of its own, which only translates orders, or `fulfils` them from a place of its own."""
    config = folder / "config"
    (config / "connections").mkdir(parents=True)
    connection = CONFIG.format(url=address)
    if fulfils:
        connection = connection.replace('"any"', '"known"').replace('"elsewhere"', '"hub"')
        for name, text in GOODS.items():
            (config / name).write_text(text)
    (config / "connections/market.toml").write_text(connection)
    (config / "routes.toml").write_text(ROUTES)
    database = f"sqlite:///{folder / 'hub.db'}"
    upgrade(database)
    hub = build(HubSettings(database_url=database, var=folder / "var", allow_networks=("127.0.0.0/8",)))
    found = read_folder(config)
    hub.store.write(lambda db: seeds.apply(db, found, who="test"))
    try:
        yield Company(hub)
    finally:
        hub.close()
