"""Goods are announced to a place, or arrive there: what is on its way becomes what is on hand, less what is damaged."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.money import ZERO
from hub.domain.receiving import ReceiptAdvice, ReceivedLine, StockTransfer, TransferLine
from hub.domain.stock import MovementKind, StockMovement
from hub.operations.configured import place_named
from hub.operations.stock_moves import announce_stock
from hub.pipeline.services import Operation
from hub.pipeline.validate import find_items, item_of
from hub.ports.records import Unit

Document = StockTransfer | ReceiptAdvice


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Move stock by transfers and receipts in the order they came; each counts once, see `file_documents`."""
    changed: set[str] = set()
    for event in events:
        given = unit.attached.get(event.id)
        if isinstance(given, (StockTransfer, ReceiptAdvice)):
            changed |= _move(unit, event, given)
    announce_stock(unit, changed, risen=True)


def _move(unit: Unit, event: Event, given: Document) -> set[str]:
    if isinstance(given, ReceiptAdvice) and given.purpose != "original":
        _tell(unit, event, given, f"{given.purpose}s an earlier receipt, which a program cannot undo")
        return set()
    place = place_named(unit.config, event.origin, given.location) or place_named(unit.config, event.origin)
    if not place:
        _tell(unit, event, given, f"no place is known for {given.location or 'it'}")
        return set()
    connection = unit.config.connections[event.origin]
    lines: Sequence[TransferLine | ReceivedLine] = given.lines
    known = find_items(unit, connection, lines)
    found = [(line, line.item_id or item_of(line, known)) for line in lines]
    unknown = [line.sku.seller or line.sku.buyer or line.sku.gtin or line.line_no for line, item in found if not item]
    if unknown:
        _tell(unit, event, given, f"{len(unknown)} SKUs are not known: {', '.join(unknown[:20])}")
    coming = {(x.item_id, x.location_id): x.incoming for x in unit.stock({item for _, item in found if item})}
    for line, item in found:
        if item:
            _line(unit, event, line, (item, place), coming)
    return {item for line, item in found if item and isinstance(line, ReceivedLine) and line.usable}


def _line(
    unit: Unit,
    event: Event,
    line: TransferLine | ReceivedLine,
    key: tuple[str, str],
    coming: dict[tuple[str, str], Decimal],
) -> None:
    kind: MovementKind = "transfer"
    on_hand, incoming = ZERO, ZERO
    if isinstance(line, TransferLine):
        incoming = line.quantity
    else:
        kind, on_hand = "receipt", line.usable
        announced = line.advised if line.advised is not None else line.received - line.surplus + line.missing
        incoming = -min(coming.get(key, ZERO), max(ZERO, announced))
    coming[key] = coming.get(key, ZERO) + incoming
    unit.move(
        StockMovement(
            id=unit.new_id(),
            item_id=key[0],
            location_id=key[1],
            kind=kind,
            on_hand_delta=on_hand,
            incoming_delta=incoming,
            reason=f"told by {event.origin}",
            at=unit.now,
        )
    )


def _tell(unit: Unit, event: Event, given: Document, text: str) -> None:
    what = "stock transfer" if isinstance(given, StockTransfer) else "goods receipt"
    unit.incident(
        Incident(
            fingerprint=f"put_away/{given.id}",
            kind="missing",
            severity="warning",
            title=f"{event.origin}: {what} {given.number}: {text}"[:300],
            detail=text,
            next_action="map the SKU or place, then book these lines by a count; the other lines were booked",
            connection=event.origin,
            partner=given.partner,
            subject_kind=event.subject_kind,
            subject_id=given.id,
        )
    )


OPERATION = Operation(name="put_away", on=("stock_transfer.received", "goods_receipt.received"), run=run)
