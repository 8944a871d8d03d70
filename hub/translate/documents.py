"""Which canonical type a mapping's `document` stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub.domain.invoice import Invoice
from hub.domain.order import Order
from hub.domain.purchase import Acknowledgement, PurchaseOrder
from hub.domain.shipment import FulfillmentOrder, Shipment
from hub.domain.stock import StockReport

DOCUMENTS: Mapping[str, type[msgspec.Struct]] = {
    "order": Order,
    "order_change": Order,
    "order_cancel": Order,
    "stock": StockReport,
    "shipment": Shipment,
    "invoice": Invoice,
    "acknowledgement": Acknowledgement,
    "purchase_order": PurchaseOrder,
    "fulfillment_order": FulfillmentOrder,
}

IMPLIED: Mapping[str, Mapping[str, Any]] = {
    "order_change": {"purpose": "change"},
    "order_cancel": {"purpose": "cancel"},
}
"""Values that a document kind brings along where no rule gives them."""
