"""A sandbox shop on the loopback interface, and the connection to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.shopify import Shopify
from connectors.shopify.simulator import Shop
from hub.sdk import Kit, Outgoing
from hub.testing.serve import serve
from tests.connectors.shopify.sandbox import open_shop, sample


@pytest.fixture
def shop() -> Shop:
    """A shop with one order (3 widgets, 1 panel left) and two items."""
    shop = Shop(now=lambda: datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
    shop.place(sample("order-presentment.json"))
    shop.items = {
        "gid://shopify/InventoryItem/49148385": "WIDGET-001",
        "gid://shopify/InventoryItem/49148386": "PANEL-A3",
    }
    return shop


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the shop answers."""
    with serve(shop.app) as url:
        yield url


@pytest.fixture
def opened(address: str, hub_kit: Kit) -> Shopify:
    """The connection to it."""
    return open_shop(address, hub_kit)


@pytest.fixture
def outgoing() -> Callable[..., Outgoing]:
    """Makes a delivery of a kind."""

    def make(kind: str, body: dict[str, Any], key: str = "delivery-1") -> Outgoing:
        return Outgoing(key=key, kind=kind, body=json.dumps(body).encode(), content_type="application/json")

    return make
