"""Say once that an item runs low: what is free and what is coming are below its reorder point."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.money import ZERO
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Open an incident per low item, and close it when there is enough again."""
    moved = {item_id for event in events for item_id in event.detail.get("items", ())}
    watched = {key: item for key, item in unit.items(moved).items() if item.reorder_point is not None}
    if not watched:
        return
    there: dict[str, Decimal] = {}
    for level in unit.stock_seen(watched):
        there[level.item_id] = there.get(level.item_id, ZERO) + level.available + level.incoming
    enough = []
    for item_id, item in sorted(watched.items()):
        have = there.get(item_id, ZERO)
        if item.reorder_point is None or have >= item.reorder_point:
            enough.append(_cause(item_id))
            continue
        unit.emit(
            "stock.low", subject_kind="item", subject_id=item_id, detail={"sku": item.sku, "available": str(have)}
        )
        unit.incident(
            Incident(
                fingerprint=_cause(item_id),
                kind="value",
                severity="warning",
                title=f"{item.sku} runs low: {have} left, reorder at {item.reorder_point}",
                next_action="order more, or lower the reorder point of the item",
                subject_kind="item",
                subject_id=item_id,
            )
        )
    unit.resolve(enough)


def _cause(item_id: str) -> str:
    return f"stock_low/{item_id}"


OPERATION = Operation(name="replenish", on=("stock.changed",), run=run)
