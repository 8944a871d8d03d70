"""A person's wish about an order, heard as an event by the same operations that hear everything else."""

from __future__ import annotations

from typing import Any

from hub.domain.order import Order
from hub.pipeline.operate import operate
from hub.pipeline.route import route
from hub.pipeline.services import Services
from hub.ports.records import Unit


def ask(services: Services, name: str, order_id: str, **detail: Any) -> list[str]:
    """Emit `order.release_requested` and the like for one order; return the names of what happened because of it."""
    lanes: set[str] = set()

    def work(unit: Unit) -> list[str]:
        order = unit.load(Order, [order_id]).get(order_id)
        if order is None:
            return []
        unit.emit(
            name, order_id=order_id, subject_kind="order", subject_id=order_id, partner=order.partner, detail=detail
        )
        operate(services, unit)
        route(services, unit)
        lanes.clear()
        lanes.update(unit.planned_lanes())
        if services.hooks.observed:
            services.hooks.observe(tuple(unit.events))
        return [event.name for event in unit.events]

    happened = services.store.transact(work)
    for lane in sorted(lanes):
        services.doorbell.ring(lane)
    return happened
