"""How each record lies in its table: which columns it is searched by; the whole record is JSON in `doc`.

A new kind of document is one more line in `_PAPERS`: they share a table, so it needs no migration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Table

from hub.domain.application_advice import ApplicationAdvice
from hub.domain.catalogue import Catalogue
from hub.domain.invoice import Invoice
from hub.domain.money import to_micros
from hub.domain.order import Order
from hub.domain.order_change import OrderChange
from hub.domain.phase import phase
from hub.domain.purchase import Acknowledgement, PurchaseOrder
from hub.domain.receiving import ReceiptAdvice, StockTransfer
from hub.domain.remittance import Remittance
from hub.domain.return_order import ReturnOrder
from hub.domain.sales_report import SalesReport
from hub.domain.shipment import FulfillmentOrder, Shipment
from hub.domain.stock import Reservation, StockReport
from hub.domain.supplier_invoice import SupplierInvoice
from hub.domain.text_message import TextMessage
from hub.store import tables_trade as trade
from hub.store.types import to_us

encoder = msgspec.json.Encoder(decimal_format="string")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One kind of record: its table, its searchable columns, and how to read it back."""

    table: Table
    columns: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    decode: Callable[[str], Any]
    kind: str = ""
    """Its name in `subject_kind`, where its table holds other kinds too."""

    @property
    def only(self) -> str:
        """Return the SQL condition that leaves out the other kinds of its table."""
        return f" AND kind = '{self.kind}'" if self.kind else ""


RECORD_COLUMNS = ("order_id", "number", "state", "target", "parent_id", "partner")


def _order_values(order: Order) -> tuple[Any, ...]:
    grand = order.totals.grand
    return (
        order.account,
        order.external_id,
        order.number,
        order.source.connection,
        order.partner,
        phase(order),
        order.acceptance,
        order.payment,
        order.fulfillment,
        order.cancellation,
        order.currency,
        None if grand is None else to_micros(grand, "totals.grand"),
        None if order.placed_at is None else to_us(order.placed_at),
        0 if order.received_at is None else to_us(order.received_at),
    )


ORDER_COLUMNS = (
    "account", "external_id", "number", "connection", "partner", "phase", "acceptance", "payment", "fulfillment",
    "cancellation", "currency", "grand_micros", "placed_us", "received_us",
)  # fmt: skip


def _record(kind: type, table: Table, state: str, target: str = "", parent: str = "") -> Spec:
    def values(record: Any) -> tuple[Any, ...]:
        return (
            getattr(record, "order_id", ""),
            getattr(record, "number", ""),
            str(getattr(record, state, "") if state else ""),
            getattr(record, target) if target else "",
            getattr(record, parent) if parent else "",
            getattr(record, "partner", ""),
        )

    return Spec(table=table, columns=RECORD_COLUMNS, values=values, decode=msgspec.json.Decoder(kind).decode)


def _paper(kind: type, name: str) -> Spec:
    columns = (*RECORD_COLUMNS, "kind")

    def values(record: Any) -> tuple[Any, ...]:
        target = getattr(record, "connection", "")
        return (record.order_id, record.number, record.state, target, "", record.partner, name)

    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
    return Spec(table=trade.trade_documents, columns=columns, values=values, decode=decoder.decode, kind=name)


_PAPERS: Mapping[str, type] = {
    "order_change": OrderChange,
    "stock_transfer": StockTransfer,
    "receipt_advice": ReceiptAdvice,
    "remittance": Remittance,
    "application_advice": ApplicationAdvice,
    "catalogue": Catalogue,
    "sales_report": SalesReport,
    "return_order": ReturnOrder,
    "text_message": TextMessage,
    "supplier_invoice": SupplierInvoice,
}
"""Documents that are kept as they were said, by the name that events and deliveries give their kind."""
SPECS: Mapping[type, Spec] = {
    Order: Spec(
        table=trade.orders,
        columns=ORDER_COLUMNS,
        values=_order_values,
        decode=msgspec.json.Decoder(Order).decode,
    ),
    FulfillmentOrder: _record(FulfillmentOrder, trade.fulfillment_orders, "status", "target"),
    Shipment: _record(Shipment, trade.shipments, "state", "carrier", "fulfillment_order_id"),
    PurchaseOrder: _record(PurchaseOrder, trade.purchase_orders, "state", "supplier", "fulfillment_order_id"),
    Invoice: _record(Invoice, trade.invoices, "state", "", "shipment_id"),
    Acknowledgement: _record(Acknowledgement, trade.acknowledgements, "code"),
    StockReport: _record(StockReport, trade.stock_reports, "", "connection"),
    Reservation: _record(Reservation, trade.reservations, "state", "location_id", "item_id"),
    **{kind: _paper(kind, name) for name, kind in _PAPERS.items()},
}


def kind_name(kind: type) -> str:
    """Return the name of a kind as `subject_kind` in events and deliveries spells it: its own, or its table's."""
    return SPECS[kind].kind or SPECS[kind].table.name.removesuffix("s")


KINDS: Mapping[str, type] = {kind_name(kind): kind for kind in SPECS}
