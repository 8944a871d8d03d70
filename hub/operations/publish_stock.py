"""Tell each channel what may be sold: one report per connection and batch, with the listings whose item moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from hub.domain.connection import ConnectionConfig
from hub.domain.event import Event
from hub.domain.money import ZERO
from hub.domain.stock import Listing, StockReport, StockReportLine
from hub.operations.configured import places, setting
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Make reports, or bring those of this batch up to date: the last word of a batch is the only one."""
    items = {item_id for event in events for item_id in event.detail.get("items", ())}
    if not items or not setting(unit.config, "stock.publish", True):
        return
    known = places(unit.config)
    available: dict[str, Decimal] = {}
    for level in unit.stock_seen(items):
        if level.location_id in known:
            available[level.item_id] = available.get(level.item_id, ZERO) + max(ZERO, level.available)
    lines: dict[str, list[StockReportLine]] = {}
    for listing in sorted(unit.channels(items), key=lambda each: (each.connection, each.sku)):
        for name in _listeners(unit, listing.connection):
            lines.setdefault(name, []).append(_line(listing, available.get(listing.item_id, ZERO)))
    _publish(unit, lines)


def _listeners(unit: Unit, name: str) -> Iterable[str]:
    """Return the connections that a listing's name stands for: a connection, or those of a partner that take stock."""
    connections = unit.config.connections
    if name in connections:
        return [name] if _wants(connections[name]) else []
    takes_stock = {connection for connection, document in unit.config.outbound if document == "stock"}
    return [x.name for x in connections.values() if x.partner == name and x.name in takes_stock and _wants(x)]


def _wants(connection: ConnectionConfig) -> bool:
    return bool(connection.options.get("publish_stock", True))


def _line(listing: Listing, available: Decimal) -> StockReportLine:
    quantity = max(ZERO, available - listing.buffer)
    if listing.cap is not None:
        quantity = min(quantity, listing.cap)
    return StockReportLine(sku=listing.sku, quantity=quantity, item_id=listing.item_id, external_id=listing.external_id)


def _publish(unit: Unit, lines: dict[str, list[StockReportLine]]) -> None:
    """Emit one report per connection; where this batch has one already, its lines are replaced and joined."""
    published = {e.detail["target"]: e.subject_id for e in unit.events if e.name == "stock_report.published"}
    reports = unit.load(StockReport, [published[name] for name in lines if name in published])
    for name, fresh in lines.items():
        before = reports.get(published.get(name, ""))
        if before is not None:
            merged = {line.sku: line for line in (*before.lines, *fresh)}
            unit.put(replace(before, lines=tuple(merged.values())))
            continue
        report = StockReport(
            id=unit.new_id(),
            connection=name,
            partner=unit.config.connections[name].partner,
            at=unit.now,
            lines=tuple(fresh),
        )
        unit.put(report)
        unit.emit(
            "stock_report.published",
            subject_kind="stock_report",
            subject_id=report.id,
            partner=report.partner,
            detail={"target": name},
        )


OPERATION = Operation(name="publish_stock", on=("stock.changed",), run=run)
