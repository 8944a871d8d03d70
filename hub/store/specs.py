"""How each record lies in its table: which columns it is searched by; the whole record is JSON in `doc`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Table

from hub.domain.invoice import Invoice
from hub.domain.money import to_micros
from hub.domain.order import Order
from hub.domain.phase import phase
from hub.domain.purchase import Acknowledgement, PurchaseOrder
from hub.domain.shipment import FulfillmentOrder, Shipment
from hub.domain.stock import Reservation, StockReport
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
}


def kind_name(kind: type) -> str:
    """Return the table's name of a kind, as `subject_kind` in events and deliveries spells it (singular)."""
    return SPECS[kind].table.name.removesuffix("s")


KINDS: Mapping[str, type] = {kind_name(kind): kind for kind in SPECS}
