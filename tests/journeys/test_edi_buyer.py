"""The hub as buyer: a web order for what a supplier sends becomes an 850; their 997, 855, 856 and 810 come back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from .conftest import Company, MockEdi

Found = Callable[[Mapping[str, str]], Company]

HUB = """
[seller]
name = "Acme Distribution Inc"
"""
ROUTES = """
[[route]]
on = "purchase_order.approved"
to = "target"
send = "purchase_order"
"""
ITEMS = """sku,name,gtin,supplier,cost
WIDGET-001,Blue widget,00076123400003,maker,12.50
"""
SHOP = """
[connection]
name = "shop"
connector = "webhook"
source_kind = "web"
totals_rule = "none"
settings = { secret = "env:SHOP_SECRET" }
[[agreement]]
direction = "in"
document = "order"
codec = "json"
mapping = "webhook/order.in"
"""
MAKER = """
[partner]
name = "maker"
[connection]
name = "maker"
connector = "folder"
source_kind = "edi"
test = true
settings = { inbox = "from-them", outbox = "to-them", pattern = "*.edi" }
[[agreement]]
direction = "out"
document = "purchase_order"
codec = "x12"
mapping = "x12/850.out"
expect = { 997 = "PT4H", 855 = "P1D" }
[agreement.envelope]
sender = "ZZ:ACME"
receiver = "ZZ:MOCKEDI"
version = "00401"
group = "004010"
newline = true
"""
IN = """
[[agreement]]
direction = "in"
document = "{document}"
codec = "x12"
guide = "x12/{set}-004010"
mapping = "x12/{set}.in"
match = {{ set = "{set}", sender = "ZZ:MOCKEDI", receiver = "ZZ:ACME" }}
answer = ["997"]
"""
ANSWERS = (("acknowledgement", "855"), ("shipment", "856"), ("invoice", "810"))
BUYER = {
    "hub.toml": HUB,
    "routes.toml": ROUTES,
    "items.csv": ITEMS,
    "connections/shop.toml": SHOP,
    "partners/maker.toml": MAKER + "".join(IN.format(document=document, set=name) for document, name in ANSWERS),
}
ORDER = {
    "id": "W-1", "number": "W-1", "currency": "USD",
    "customer": {"name": "Jo Sample", "email": "jo@shop.example"},
    "shipping_address": {
        "name": "Jo Sample", "address1": "1 Sample Street", "city": "Boston", "zip": "02210",
        "country_code": "US",
    },
    "line_items": [{"sku": "WIDGET-001", "quantity": 3, "price": "19.90", "title": "Blue widget"}],
}  # fmt: skip


@pytest.mark.peers
def test_a_supplier_nobody_here_wrote_takes_our_order_and_ships_it(mock_edi: MockEdi, company: Found) -> None:
    buyer = company(BUYER)
    buyer.take("shop", json.dumps(ORDER).encode())
    buyer.work()
    mock_edi.scan()
    mock_edi.ask("/_mock/advance?all", {})

    buyer.fetch("maker")
    mock_edi.scan()

    assert buyer.rows("SELECT title FROM incidents") == []
    assert mock_edi.ask("/_mock/unacknowledged") == []
    assert buyer.rows("SELECT send, state FROM deliveries ORDER BY send") == [
        ("purchase_order", "acknowledged"),
        ("receipt", "delivered"),
        ("receipt", "delivered"),
        ("receipt", "delivered"),
    ]
    assert buyer.rows("SELECT kind, state FROM expected_receipts ORDER BY kind") == [
        ("855", "received"), ("997", "received"),
    ]  # fmt: skip
    (order,) = buyer.orders()
    assert order.fulfillment == "fulfilled"
