"""How many orders a second the mapping engine turns into canonical documents and back, on one core. Prints a table.

Run: python tests/bench/map_speed.py
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub.domain.tree import Node
from hub.translate import mapfile
from hub.translate.compile import compile_mapping

JSON_IN = """
document = "order"
[order]
number = { from = "name", required = true }
external_id = { from = "id", required = true }
placed_at = "created_at"
currency = "currency"
buyer.name = "customer.name"
buyer.email = "customer.email"
ship_to.name = "shipping_address.name"
ship_to.line1 = "shipping_address.address1"
ship_to.line2 = "shipping_address.address2"
ship_to.city = "shipping_address.city"
ship_to.region = "shipping_address.province_code"
ship_to.postal_code = "shipping_address.zip"
ship_to.country = "shipping_address.country_code"
ship_to.phone = "shipping_address.phone"
totals.lines = "subtotal_price"
totals.tax = "total_tax"
totals.grand = { from = "total_price", required = true }
[order.lines]
each = "line_items"
line_no = "@seq"
external_id = "id"
ordered = { from = "quantity", required = true }
unit_price = { from = "price", as = ["decimal"] }
sku.seller = { from = "sku", required = true }
sku.gtin = { from = "barcode", as = ["gtin"] }
description = "title"
"""
JSON_OUT = """
document = "order"
[body]
orderNumber = { from = "number", required = true }
currency = "currency"
[body.shipTo]
name = "ship_to.name"
street = "ship_to.line1"
city = "ship_to.city"
zip = "ship_to.postal_code"
country = "ship_to.country"
[body.lines]
each = "lines"
lineNo = "line_no"
sku = "sku.seller"
quantity = "ordered"
unitPrice = "unit_price"
"""
X12_OUT = """
document = "order"
set = "855"
[[segment]]
tag = "BAK"
01 = { value = "00" }
03 = { from = "number", required = true }
04 = { from = "placed_at", as = ["date:%Y%m%d"] }
[[segment]]
tag = "N1"
01 = { value = "ST" }
02 = { from = "ship_to.name", as = ["cut:60"] }
[[segment]]
tag = "PO1"
id = "line"
each = "lines"
01 = "line_no"
02 = { from = "ordered", required = true }
04 = "unit_price"
06 = { from = "sku.seller", as = ["then:VN"] }
07 = "sku.seller"
[[segment]]
tag = "PID"
under = "line"
01 = { value = "F" }
05 = { from = "description", as = ["cut:80"] }
[[segment]]
tag = "CTT"
01 = "@count:PO1"
"""
X12_IN = """
document = "order"
set = "850"
[order]
number = { from = "BEG.03", required = true }
placed_on = { from = "BEG.05", as = ["date:%Y%m%d"] }
currency = { from = ["CUR[01=BY].02", "CUR[01=SE].02"], default = "USD" }
department = "REF[01=DP].02"
buyer.name = "N1[01=BY].02"
ship_to.name = "N1[01=ST].02"
ship_to.line1 = "N1[01=ST]/N3.01"
ship_to.city = "N1[01=ST]/N4.01"
ship_to.region = "N1[01=ST]/N4.02"
ship_to.postal_code = "N1[01=ST]/N4.03"
ship_to.country = "N1[01=ST]/N4.04"
requested.ship_by = { from = "DTM[01=010].02", as = ["date:%Y%m%d"] }
totals.grand = "AMT[01=TT].02"
[order.lines]
each = "PO1"
line_no = "01"
ordered = { from = "02", as = ["decimal"], required = true }
unit = { from = "03", table = "units" }
unit_price = { from = "04", as = ["decimal"] }
sku.seller = { from = ["{VN}", "{VP}", "{SK}"] }
sku.buyer = { from = ["{BP}", "{IN}"] }
sku.gtin = { from = ["{UP}", "{UK}", "{EN}"], as = ["gtin"] }
description = "PID[01=F].05"
[tables.units.codes]
EA = "EA"
CA = "CS"
"""


def json_order(number: int) -> dict[str, Any]:
    """Return one decoded web order with five lines; prices differ from order to order."""
    lines = [
        {"id": number * 10 + place, "quantity": place + 1, "price": f"{number % 90 + place}.{number % 100:02d}",
         "sku": f"SKU-{place}", "barcode": "4006381333931", "title": f"Article {place}", "grams": 250, "taxable": True}
        for place in range(5)
    ]  # fmt: skip
    return {
        "id": number, "name": f"#{number}", "created_at": "2026-11-22T10:15:00+01:00", "currency": "EUR",
        "customer": {"name": "Ada Example", "email": "ada@example.org"},
        "shipping_address": {"name": "Ada Example", "address1": "1 Sample Street", "address2": None, "city": "Town",
                             "province_code": "NY", "zip": "10001", "country_code": "US", "phone": "+1 555 0100"},
        "subtotal_price": f"{number % 1000}.50", "total_tax": Decimal("3.10"), "total_price": f"{number % 1000 + 3}.60",
        "line_items": lines,
    }  # fmt: skip


def x12_order(number: int) -> Node:
    """Return the tree of one 850 with five lines."""
    lines = [
        Node("PO1", ["PO1", str(place + 1), str(place + 1), "EA", f"{number % 90 + place}.{number % 100:02d}", "", "UP",
                     "036000291452", "VN", f"SKU-{place}"],
             {"PID": [Node("PID", ["PID", "F", "", "", "", f"Article {place}"])]})
        for place in range(5)
    ]  # fmt: skip
    ship_to = {
        "N3": [Node("N3", ["N3", "1 Sample Street"])],
        "N4": [Node("N4", ["N4", "Sampleton", "NY", "10001", "US"])],
    }
    heading = {
        "BEG": [Node("BEG", ["BEG", "00", "SA", f"PO{number}", "", "20261122"])],
        "REF": [Node("REF", ["REF", "DP", "42"])],
        "DTM": [Node("DTM", ["DTM", "010", "20261201"])],
        "N1": [Node("N1", ["N1", "BY", "Sample Stores"]), Node("N1", ["N1", "ST", "Store 7", "92", "0007"], ship_to)],
        "AMT": [Node("AMT", ["AMT", "TT", f"{number % 1000}.50"])],
        "PO1": lines,
    }
    return Node("", [""], heading)


def compiled(text: str, direction: str) -> Any:
    """Compile a mapping that is given as text."""
    return compile_mapping(mapfile.load([], f"bench.{direction}", lambda file: {f"bench.{direction}.toml": text}[file]))


def cost(call: Callable[[Any], Any], inputs: list[Any], rounds: int = 20) -> float:
    """Return processor seconds a call, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for one in inputs:
            call(one)
        best = min(best, (time.process_time() - start) / len(inputs))
    return best


def main() -> None:
    """Measure and print: the function that a mapping runs as, and the same rule by rule."""
    trees = [json_order(number) for number in range(500)]
    json_in, x12_in = compiled(JSON_IN, "in").inwards, compiled(X12_IN, "in").inwards
    json_out, x12_out = compiled(JSON_OUT, "out").outwards, compiled(X12_OUT, "out").outwards
    orders = [json_in.one(tree) for tree in trees]
    rows = (
        ("JSON order in", json_in, trees),
        ("X12 850 tree in", x12_in, [x12_order(number) for number in range(500)]),
        ("JSON order out", json_out, orders),
        ("X12 855 segments out", x12_out, orders),
    )
    gc.freeze()  # Walking the inputs is no work of the mappings.
    print(f"{'mapping, 5 lines':22}{'per second':>12}{'us each':>10}{'by rules':>10}{'times':>8}")
    for name, mapping, inputs in rows:
        straight, rules = cost(mapping.one, inputs), cost(mapping.by_rules, inputs)
        print(f"{name:22}{1 / straight:>12,.0f}{straight * 1e6:>10.1f}{rules * 1e6:>10.1f}{rules / straight:>8.1f}")


if __name__ == "__main__":
    main()
