"""Documents that are kept as a partner said them: stored once, so that operations hear them and routes send them on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.domain.incident import Incident
from hub.domain.invoice import Invoice
from hub.domain.link import Link
from hub.domain.order import Order
from hub.domain.order_change import OrderChange
from hub.domain.receiving import ReceiptAdvice, StockTransfer
from hub.domain.remittance import Remittance
from hub.domain.stock import StockReport
from hub.domain.supplier_invoice import SupplierInvoice
from hub.domain.trade_document import TradeDocument
from hub.pipeline.map_in import Mapped
from hub.ports.records import Unit

ONCE = (Remittance, ReceiptAdvice, StockTransfer)
"""They move money or stock: what comes again under the same number has no effect."""
KNOWN = (*ONCE, SupplierInvoice)
"""What is known by its number. An invoice that comes again as it was is a repeat; an ERP's with news in it is kept."""
_FILED_BY_US = ("id", "version", "partner", "connection", "message_id", "order_id", "state", "stored_at")


def file_documents(unit: Unit, mapped: Sequence[Mapped]) -> None:
    """Store documents in place (`document` gets its id); a repeat of what counts once is marked as repeated."""
    for each in mapped:
        if type(each.document) is Invoice:
            each.document = SupplierInvoice(**_fields(each.document))
    before = _known(unit, [each for each in mapped if isinstance(each.document, KNOWN)])
    for each in mapped:
        key = _key(unit, each)
        if each.document.number and key in before and _is_repeat(each.document, before[key]):
            _repeated(unit, each, before[key])
            continue
        each.document = _filed(unit, each)
        if isinstance(each.document, KNOWN) and each.document.number:
            before[key] = each.document
            connection, kind, number = key
            unit.links([Link(connection=connection, kind=kind, external_id=number, our_id=each.document.id)])


def _is_repeat(document: Any, before: Any) -> bool:
    return isinstance(document, ONCE) or _said(document) == _said(before)


def is_filed(unit: Unit, each: Mapped) -> bool:
    """Say whether a document is kept; a stock report is in its movements, and whole only for a route that wants it."""
    if isinstance(each.document, StockReport):
        return "stock.received" in unit.config.listeners
    return isinstance(each.document, (TradeDocument, Invoice))


def _key(unit: Unit, each: Mapped) -> tuple[str, str, str]:
    """Return who says it, what, and their number of it."""
    connection = unit.config.connections[each.message.connection]
    return each.partner or connection.partner or connection.name, each.kind, each.document.number


def _known(unit: Unit, mapped: Sequence[Mapped]) -> dict[tuple[str, str, str], Any]:
    """Return what was stored before, by (partner, kind, number)."""
    asked: dict[tuple[str, str, type], set[str]] = {}
    for each in mapped:
        who, kind, number = _key(unit, each)
        asked.setdefault((who, kind, type(each.document)), set()).add(number)
    found: dict[tuple[str, str, str], Any] = {}
    for (who, kind, struct), numbers in asked.items():
        ids = unit.linked(who, kind, numbers - {""})
        records: Mapping[str, Any] = unit.load(struct, ids.values()) if ids else {}
        found.update({(who, kind, number): records[ours] for number, ours in ids.items() if ours in records})
    return found


def _filed(unit: Unit, each: Mapped) -> Any:
    connection = unit.config.connections[each.message.connection]
    ours: dict[str, Any] = {
        "id": unit.new_id(),
        "partner": each.partner or connection.partner,
        "connection": connection.name,
    }
    if not isinstance(each.document, StockReport):
        ours |= {"message_id": each.message.id, "stored_at": unit.now}
    stored = replace(each.document, **ours)
    unit.put(stored)
    each.subject_id, each.reference = stored.id, stored.number
    return stored


def _repeated(unit: Unit, each: Mapped, before: Any) -> None:
    """Mark a repeat; where it says something else than the first one did, a person is told."""
    each.state, each.subject_id, each.reference = "repeated", before.id, before.number
    if _said(each.document) == _said(before):
        return
    what = each.kind.replace("_", " ")
    unit.incident(
        Incident(
            fingerprint=f"said_otherwise/{before.id}",
            kind="duplicate",
            severity="warning",
            title=f"{each.message.connection}: {what} {before.number} came again and says something else"[:300],
            detail=f"message {each.message.id}; the first one, message {before.message_id}, stands",
            next_action="ask the sender which of the two counts; a correction needs a number of its own",
            connection=each.message.connection,
            partner=each.partner,
            subject_kind=filed_as(each)[0],
            subject_id=before.id,
        )
    )


def _said(document: Any) -> dict[str, Any]:
    return {name: value for name, value in _fields(document).items() if name not in _FILED_BY_US}


def file_change(unit: Unit, each: Mapped, order_id: str) -> OrderChange:
    """Store a change of an order and return it as stored."""
    stored: OrderChange = replace(
        each.document, id=unit.new_id(), order_id=order_id, received_at=unit.now, partner=each.partner
    )
    unit.put(stored)
    return stored


def filed_as(each: Mapped) -> tuple[str, str]:
    """Return subject kind and id of a document: its record, or its kind and nothing where none is kept."""
    if isinstance(each.document, (TradeDocument, OrderChange, SupplierInvoice, StockReport)) and each.document.id:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(each.document).__name__).lower(), each.document.id
    return each.kind, ""


def as_order(document: Order) -> Order:
    """Return a change as the order that it is, where the order it speaks of is not known."""
    if type(document) is Order:
        return document
    names = {field.name for field in msgspec.structs.fields(Order)}
    return Order(**{name: value for name, value in _fields(document).items() if name in names})


def _fields(document: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(document)
