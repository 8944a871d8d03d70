"""Somebody says how much they have: each place's level becomes their count, unless a newer count was heard.

An unknown SKU or place is one incident and holds nothing else up. `complete` puts what is not listed at zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from hub.domain.config import Config
from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.money import ZERO
from hub.domain.stock import StockLevel, StockMovement, StockReport, StockReportLine
from hub.operations.configured import place_named
from hub.operations.stock_moves import announce_stock
from hub.pipeline.services import Operation
from hub.ports.records import Unit

Counts = dict[tuple[str, str], Decimal]


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Apply reports in the order they came and announce once what changed."""
    said = [(e, report) for e in events if isinstance(report := unit.attached.get(e.id), StockReport)]
    known = _items(unit, said)
    counts = [_counts(unit, event, report, known[event.origin]) for event, report in said]
    whole = {place for _, places_ in counts for place in places_}
    listed = {item_id for counted, _ in counts for item_id, _ in counted}
    changed: set[str] = set()
    unit.stock(listed)
    # A first count has no row to lock: two of them at one moment would both be added to nothing.
    unit.stock_rows(key for counted, _ in counts for key in counted)
    for (event, report), (counted, emptied) in zip(said, counts, strict=True):
        levels = {(x.item_id, x.location_id): x for x in (*unit.stock(listed), *unit.stock_at(whole))}
        counted.update({key: ZERO for key in levels if key[1] in emptied and key not in counted})
        changed |= _apply(unit, event, counted, levels, report.at or unit.now)
    announce_stock(unit, changed, risen=True)


def _items(unit: Unit, said: Sequence[tuple[Event, StockReport]]) -> dict[str, dict[str, str]]:
    """Return item ids by SKU or GTIN for each connection: their listings first, then our own SKUs."""
    found: dict[str, dict[str, str]] = {}
    for origin in {event.origin for event, _ in said}:
        lines = [x for event, report in said if event.origin == origin for x in report.lines if not x.item_id]
        skus = {name for x in lines for name in (x.sku, x.buyer_sku) if name}
        connection = unit.config.connections.get(origin)
        by_listing = unit.listings((connection.partner if connection else "") or origin, skus)
        by_sku = unit.items_by_sku(skus - by_listing.keys())
        left = {x.gtin for x in lines if x.gtin and not {x.sku, x.buyer_sku} & (by_listing.keys() | by_sku.keys())}
        found[origin] = {**(unit.items_by_gtin(left) if left else {}), **by_sku, **by_listing}
    return found


def _counts(unit: Unit, event: Event, report: StockReport, known: dict[str, str]) -> tuple[Counts, set[str]]:
    """Return the counts by (item, place), lines of one item summed, and the places that are counted completely."""
    counted: Counts = {}
    unknown, nowhere, seen = [], set(), set()
    for line in report.lines:
        item_id, place = line.item_id or _item(line, known), _place(unit.config, event, report, line)
        if not item_id:
            unknown.append(line.sku)
        elif not place:
            nowhere.add(line.location or report.location)
        else:
            seen.add(place)
            counted[item_id, place] = counted.get((item_id, place), ZERO) + max(ZERO, line.quantity)
    if unknown:
        _tell(unit, event, "unknown_sku", f"{len(unknown)} SKUs are not known: {', '.join(sorted(unknown)[:20])}")
    if nowhere:
        _tell(unit, event, "unknown_place", f"no place is known for {', '.join(sorted(nowhere)) or 'the report'}")
    if not report.complete:
        return counted, set()
    return counted, seen or {place for place in [_place(unit.config, event, report, None)] if place}


def _item(line: StockReportLine, known: dict[str, str]) -> str:
    """Return the item: by what the sender calls it, by what we do, by GTIN."""
    return known.get(line.sku) or known.get(line.buyer_sku) or known.get(line.gtin) or ""


def _place(config: Config, event: Event, report: StockReport, line: StockReportLine | None) -> str:
    """Return the location of a line, or of the whole report."""
    return place_named(config, event.origin, (line.location if line else "") or report.location)


def _apply(
    unit: Unit, event: Event, counted: Counts, levels: dict[tuple[str, str], StockLevel], at: datetime
) -> set[str]:
    changed = set()
    for (item_id, place), quantity in counted.items():
        level = levels.get((item_id, place)) or StockLevel(item_id=item_id, location_id=place)
        if level.source_at is not None and level.source_at > at:
            continue
        unit.counted(item_id, place, at)
        if delta := quantity - level.on_hand:
            changed.add(item_id)
            unit.move(
                StockMovement(
                    id=unit.new_id(),
                    item_id=item_id,
                    location_id=place,
                    kind="count",
                    on_hand_delta=delta,
                    reason=f"reported by {event.origin}",
                    at=unit.now,
                )
            )
        if quantity < level.reserved:
            promised = f"{level.reserved} of {item_id} are promised at {place}, {quantity} are there"
            _tell(unit, event, f"oversold/{item_id}/{place}", promised)
    return changed


def _tell(unit: Unit, event: Event, what: str, text: str) -> None:
    unit.incident(
        Incident(
            fingerprint=f"stock/{event.origin}/{what}"[:300],
            kind="missing" if what.startswith("unknown") else "value",
            severity="warning",
            title=f"{event.origin}: {text}"[:300],
            detail=text,
            next_action="map the SKU or place, or correct the count; the other lines of the report were applied",
            connection=event.origin,
            subject_kind="message",
            subject_id=event.message_id,
        )
    )


OPERATION = Operation(name="count", on=("stock.received",), run=run)
