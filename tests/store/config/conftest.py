"""A store with every table, on both databases in turn, and a small configuration folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import tables_config, tables_trade
from hub.store.store import Store
from hub.store.tables import metadata

assert tables_config.metadata is tables_trade.metadata

HUB = """
[seller]
name = "Harbour Goods"
identifiers = [{ scheme = "ISA", qualifier = "ZZ", value = "HARBOUR" }]

[settings]
reservation_minutes = 30
"""
ROUTES = """
[[route]]
name = "suppliers"
on = "fulfillment_order.created"
to = "target"
send = "purchase_order"

[[route]]
on = "shipment.dispatched"
to = "origin"
send = "shipment"
"""
SHOP = """
[connection]
connector = "webshop"
pull_every = { order = 60 }
settings = { url = "https://shop.example", token = "env:SHOP_TOKEN" }

[[agreement]]
direction = "in"
document = "order"
codec = "json"
mapping = "webshop/order.in"
"""
NORTH = """
[partner]
name = "north_supply"
identifiers = [{ scheme = "ISA", qualifier = "ZZ", value = "NORTHSUPPLY" }]

[connection]
connector = "folder"
settings = { inbox = "north/in", outbox = "north/out" }

[[agreement]]
direction = "in"
document = "order"
match = { sender = "ZZ:NORTHSUPPLY", set = "850", version = "004010" }
codec = "x12"
guide = "x12/850-004010"
mapping = "partners/north_supply/850.in"
answer = ["997"]

[[agreement]]
direction = "out"
document = "shipment"
codec = "x12"
mapping = "x12/856.out"
envelope = { version = "00401", group = "004010", separators = ["*", "~", ">"] }
expect = { "997" = "PT4H" }
"""
FILES = {
    "hub.toml": HUB,
    "routes.toml": ROUTES,
    "connections/shop.toml": SHOP,
    "partners/north_supply.toml": NORTH,
    "locations.toml": '[[location]]\ncode = "MAIN"\nname = "Main"\naddress = { city = "Hamburg", country = "DE" }\n',
    "items.csv": "sku,name,gtin,cost\nMUG-1,Mug,4006381333931,2.50\nCUP-1,Cup,,\n",
    "listings.csv": "connection,sku,item,buffer\nshop,mug-blue,MUG-1,2\n",
    "stock.csv": "location,sku,quantity\nMAIN,MUG-1,40\nMAIN,CUP-1,2.5\n",
}


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store(database_url)
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration folder with one of everything."""
    for name, text in FILES.items():
        file = tmp_path / "config" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "config"
