"""What tests of the shop share: samples, and how the connector is opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.shopify import Settings, Shopify
from hub.sdk import Kit, Secret

SAMPLES = Path(__file__).parents[3] / "mappings/shopify/samples"


def sample(name: str) -> dict[str, Any]:
    """Return a sample of the mappings."""
    found: dict[str, Any] = json.loads((SAMPLES / name).read_text())
    return found


def open_shop(address: str, kit: Kit, **settings: Any) -> Shopify:
    """Open the connector on an address."""
    given = {"access_token": Secret("sandbox-token"), "webhook_secret": Secret("sandbox-secret"), "location_id": "1"}
    return Shopify(Settings(shop_url=address, **{**given, **settings}), kit)
