"""The workloads, and the configuration folder of each: what an admin would write, applied as `hub apply` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hub.cli.benching import samples
from hub.cli.mapping_files import Kinds
from hub.store import mappings, seeds
from hub.store.db import Db
from hub.store.seed_files import read_folder
from hub.store.store import Store

Source = Literal["webhook", "x12", "edifact"]
SECRET_NAME = "HUB_BENCH_SECRET"
LARGEST_FILE = 100_000_000
EFFECTS = {"order": "/orders", "fulfillment_order": "/fulfillment"}
"""Where the sink takes each document."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One way in, one way through, one way out."""

    name: str
    title: str
    source: Source
    times: int = 1
    """How many times the usual number of orders."""
    rate: float = 0.0
    bulk: bool = False
    job: bool = False
    """The whole main job: items known, stock allocated, and the place asked as well."""
    workers: Sequence[int] = (1,)
    """Worker processes, on PostgreSQL."""

    @property
    def sends(self) -> tuple[str, ...]:
        """Return the documents that each order must cause, one delivery of each."""
        return ("order", "fulfillment_order") if self.job else ("order",)

    @property
    def connection(self) -> str:
        """Return the connection by which its orders come in."""
        return "shop" if self.source == "webhook" else "buyer"


WORKLOADS: tuple[Workload, ...] = (
    Workload(name="W1", title="webhooks in, one POST each out", source="webhook"),
    Workload(name="W1s", title="the same at a steady 200 orders/s", source="webhook", rate=200.0),
    Workload(name="W2", title="one X12 850 file in, one POST each out, 997", source="x12", workers=(1, 2)),
    Workload(name="W2b", title="one X12 850 file in, 100 orders per POST out, 997", source="x12", bulk=True),
    Workload(name="W2x10", title="W2 with ten times the orders in the file", source="x12", times=10),
    Workload(name="W3", title="one EDIFACT ORDERS file in, one POST each out, CONTRL", source="edifact"),
    Workload(name="W4", title="main job from webhooks: stock allocated, two POSTs each", source="webhook", job=True),
    Workload(name="W4x12", title="main job from an X12 file: the same", source="x12", job=True),
)

_HUB = '[seller]\nname = "Bench Goods"\n'
_SHOP = """[connection]
connector = "webhook"
settings  = { secret = "env:%(secret)s" }
%(handling)s

[[agreement]]
direction = "in"
document  = "order"
codec     = "json"
mapping   = "webhook/order.in"
"""
_BUYER = """[connection]
connector  = "folder"
settings   = { inbox = "inbox", outbox = "outbox", cap = %(largest)d }
pull_every = { order = 1 }
max_bytes  = %(largest)d
%(handling)s

[[agreement]]
direction = "in"
document  = "order"
match     = { set = "%(set)s" }
codec     = "%(source)s"
guide     = "%(guide)s"
mapping   = "%(mapping)s"
answer    = ["%(answer)s"]
"""
_ELSEWHERE = 'items = "any"\nfulfilled_by = "elsewhere"'
_SINK = """[connection]
connector = "%(connector)s"
settings  = { base_url = "http://127.0.0.1:%(port)d", path = "%(path)s"%(bulk)s }

[[agreement]]
direction = "out"
document  = "%(send)s"
codec     = "json"
mapping   = "rest/%(send)s.out"
"""
_EDI = {
    "x12": {"set": "850", "guide": "x12/850-004010", "mapping": "x12/850.in", "answer": "997"},
    "edifact": {
        "set": "ORDERS", "guide": "edifact/ORDERS-D96A", "mapping": "edifact/orders.in", "answer": "CONTRL",
    },
}  # fmt: skip
_ROUTE = '[[route]]\nname = "%s"\non = "%s"\nto = "%s"\nsend = "%s"\n\n'
_PLACE = """[[location]]
code       = "EAST"
name       = "Warehouse East"
connection = "warehouse"
address    = { line1 = "12 Canal Road", city = "Dayton", region = "OH", postal_code = "45402", country = "US" }
"""


def write_folder(folder: Path, workload: Workload, sink: int) -> None:
    """Write the configuration of a workload; `sink` is the port of the destination."""
    handling = "" if workload.job else _ELSEWHERE
    files = {"hub.toml": _HUB, "routes.toml": _ROUTE % ("orders", "order.accepted", "erp", "order")}
    if workload.source == "webhook":
        files["connections/shop.toml"] = _SHOP % {"secret": SECRET_NAME, "handling": handling}
    else:
        facts = {"largest": LARGEST_FILE, "handling": handling, "source": workload.source, **_EDI[workload.source]}
        files["connections/buyer.toml"] = _BUYER % facts
    files["connections/erp.toml"] = _destination("order", sink, bulk=workload.bulk)
    if workload.job:
        files["connections/warehouse.toml"] = _destination("fulfillment_order", sink)
        files["routes.toml"] += _ROUTE % ("place", "fulfillment_order.opened", "target", "fulfillment_order")
        files["locations.toml"] = _PLACE
        files["items.csv"] = "sku,name\n" + "".join(f"{sku},Thing\n" for sku in samples.skus())
        files["stock.csv"] = "location,sku,quantity\n" + "".join(f"EAST,{sku},1000000\n" for sku in samples.skus())
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _destination(send: str, port: int, *, bulk: bool = False) -> str:
    path = EFFECTS[send]
    connector, many = ("rest_bulk", f', bulk_path = "{path}"') if bulk else ("rest", "")
    return _SINK % {"connector": connector, "port": port, "path": path, "bulk": many, "send": send}


def apply(store: Store, known: Kinds, folder: Path) -> None:
    """Apply the folder to an empty database and publish the mappings that it names."""
    found = read_folder(folder)
    files = known.mappings(found.mappings)

    def run(db: Db) -> None:
        seeds.apply(db, found, who="bench")
        mappings.publish_offers(db, files, mappings.offers(db, files), who="bench")

    store.write(run)
