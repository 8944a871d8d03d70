"""A hub with a shop, worked by hand, for tests of whole orders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.shopify.simulator import Shop
from hub.bootstrap import Hub
from hub.domain.shipment import FulfillmentLine, Package, Shipment
from hub.pipeline.route import route
from hub.web.app import create_app
from tests.connectors.worked_hub import WorkedHub, hub_of

ONE = "5500000001001"
"""The order that the shop has."""
CONFIG = """
[connection]
connector    = "shopify"
items        = "any"
fulfilled_by = "elsewhere"
source_kind  = "web"
pull_every   = {{ order = 60 }}

[connection.settings]
shop_url       = "{url}"
access_token   = "env:SHOP_TOKEN"
webhook_secret = "env:SHOP_SECRET"
location_id    = "1"
since          = "2026-11-20T00:00:00Z"

[[agreement]]
direction = "in"
document  = "order"
codec     = "json"
mapping   = "shopify/order.in"
match     = {{ kind = "order" }}

[[agreement]]
direction = "in"
document  = "order"
codec     = "json"
mapping   = "shopify/order_poll.in"
match     = {{ kind = "order_poll" }}

[[agreement]]
direction = "in"
document  = "order_cancel"
codec     = "json"
mapping   = "shopify/order_cancel.in"
match     = {{ kind = "order_cancel" }}

[[agreement]]
direction = "out"
document  = "shipment"
codec     = "json"
mapping   = "shopify/shipment.out"

[[agreement]]
direction = "out"
document  = "stock"
codec     = "json"
mapping   = "shopify/stock.out"
"""
ROUTES = """
[[route]]
on   = "shipment.dispatched"
to   = "origin"
send = "shipment"

[[route]]
on   = "stock_report.published"
to   = "target"
send = "stock"
"""


class Company(WorkedHub):
    """A hub with a shop, worked by hand."""

    def __init__(self, hub: Hub, shop: Shop) -> None:
        super().__init__(hub)
        self.shop = shop
        self.client = create_app(hub.services, hub.store).test_client()

    def hear(self, topic: str, order_id: str, event: str = "") -> int:
        """The shop calls; return the hub's status."""
        headers, body = self.shop.webhook(topic, order_id, event)
        return self.client.post("/in/shop", data=body, headers=headers).status_code

    def dispatch(self, tracking: str, **lines: str) -> None:
        """Goods of the order leave: its lines by number, with quantities."""

        def left(unit: Any) -> None:
            ((order_id,),) = self.rows("SELECT id FROM orders")
            shipment = Shipment(
                id=unit.new_id(),
                order_id=order_id,
                number="SH-1",
                order_external_id=ONE,
                carrier="DHL",
                packages=(Package(tracking_number=tracking),),
                lines=tuple(
                    FulfillmentLine(
                        line_no=key.strip("_"), item_id="i", quantity=Decimal(value), external_id=key.strip("_")
                    )
                    for key, value in lines.items()
                ),
            )
            unit.put(shipment)
            unit.emit("shipment.dispatched", order_id=order_id, subject_kind="shipment", subject_id=shipment.id)
            route(self.hub.services, unit)

        self.hub.ledger.transact(left)
        self.work()

    def orders(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT account, external_id FROM orders ORDER BY external_id")

    def documents(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT state, count(*) FROM documents GROUP BY state ORDER BY state")


@contextmanager
def company_of(folder: Path, shop: Shop, address: str, *, fulfils: bool = False) -> Iterator[Company]:
    """Run a hub with the shop."""
    with hub_of(folder, "shop", CONFIG.format(url=address), ROUTES, fulfils=fulfils) as hub:
        yield Company(hub, shop)
