"""What tests of the marketplace share: samples, and how the connector is opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.mirakl import Mirakl, Settings
from hub.sdk import Kit, Secret

SAMPLES = Path(__file__).parents[3] / "mappings/mirakl/samples"
ONE = "M1001-A"


def sample(name: str) -> dict[str, Any]:
    """Return a sample of the mappings."""
    found: dict[str, Any] = json.loads((SAMPLES / name).read_text())
    return found


def open_market(address: str, kit: Kit, **settings: Any) -> Mirakl:
    """Open the connector on an address."""
    return Mirakl(Settings(base_url=address, **{"api_key": Secret("sandbox-key"), **settings}), kit)
