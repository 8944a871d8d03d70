"""Which canonical type a mapping's `document` stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub.domain.application_advice import ApplicationAdvice
from hub.domain.catalogue import Catalogue
from hub.domain.invoice import Invoice
from hub.domain.order import Order
from hub.domain.order_change import OrderChange
from hub.domain.purchase import Acknowledgement, PurchaseOrder
from hub.domain.receiving import ReceiptAdvice, StockTransfer
from hub.domain.remittance import Remittance
from hub.domain.return_order import ReturnOrder
from hub.domain.sales_report import SalesReport
from hub.domain.shipment import FulfillmentOrder, Shipment
from hub.domain.stock import StockReport
from hub.domain.text_message import TextMessage

DOCUMENTS: Mapping[str, type[msgspec.Struct]] = {
    "order": Order,
    "order_change": OrderChange,
    "order_cancel": OrderChange,
    "stock": StockReport,
    "shipment": Shipment,
    "invoice": Invoice,
    "acknowledgement": Acknowledgement,
    "change_acknowledgement": Acknowledgement,
    "purchase_order": PurchaseOrder,
    "purchase_order_cancel": PurchaseOrder,
    "fulfillment_order": FulfillmentOrder,
    "stock_transfer": StockTransfer,
    "goods_receipt": ReceiptAdvice,
    "receipt_advice": ReceiptAdvice,
    "remittance": Remittance,
    "application_advice": ApplicationAdvice,
    "catalogue": Catalogue,
    "sales_report": SalesReport,
    "return_order": ReturnOrder,
    "text_message": TextMessage,
}

IMPLIED: Mapping[str, Mapping[str, Any]] = {
    "order_change": {"purpose": "change"},
    "order_cancel": {"purpose": "cancel"},
    "change_acknowledgement": {"answers": "order_change"},
}
"""Values that a document kind brings along where no rule gives them."""
