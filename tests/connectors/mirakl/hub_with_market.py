"""A hub with a marketplace, worked by hand, for tests of whole orders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.connectors.worked_hub import WorkedHub, hub_of

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


@contextmanager
def company_of(folder: Path, address: str, *, fulfils: bool = False) -> Iterator[WorkedHub]:
    """Run a hub with the marketplace."""
    with hub_of(folder, "market", CONFIG.format(url=address), ROUTES, fulfils=fulfils) as hub:
        yield WorkedHub(hub)
