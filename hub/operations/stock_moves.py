"""Movements as the operations make them, and the one event that says stock is no longer what it was."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hub.domain.money import ZERO
from hub.domain.stock import MovementKind, Reservation, StockMovement
from hub.ports.records import Unit


def move(
    unit: Unit,
    reservation: Reservation,
    kind: MovementKind,
    *,
    on_hand: Decimal = ZERO,
    reserved: Decimal = ZERO,
    reason: str = "",
) -> None:
    """Append a movement for a reservation's item, place and order."""
    unit.move(
        StockMovement(
            id=unit.new_id(),
            item_id=reservation.item_id,
            location_id=reservation.location_id,
            kind=kind,
            on_hand_delta=on_hand,
            reserved_delta=reserved,
            order_id=reservation.order_id,
            reason=reason,
            at=unit.now,
        )
    )


def announce_stock(unit: Unit, item_ids: Iterable[str], *, risen: bool = False) -> None:
    """Emit one `stock.changed` for all items that moved; `detail.risen` says that orders which wait may go on."""
    if changed := sorted(set(item_ids)):
        unit.emit(
            "stock.changed", subject_kind="stock", detail={"items": changed, **({"risen": True} if risen else {})}
        )
