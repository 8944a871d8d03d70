"""Which event goes out, as what, to whom."""

from __future__ import annotations

from collections.abc import Iterator

from hub.domain.event import Event
from hub.domain.order import Order
from hub.domain.route import Leg, Route
from hub.pipeline.services import Services
from hub.ports.records import Unit


def route(services: Services, unit: Unit) -> None:
    """Plan a delivery for every route that listens to an event of this unit, and for what plug-ins add."""
    listeners = unit.config.listeners
    heard = [event for event in unit.events if event.name in listeners]
    orders = unit.load(Order, {event.order_id for event in heard if event.order_id}) if heard else {}
    for event in heard:
        order = orders.get(event.order_id)
        unit.plan(leg for each in listeners[event.name] for leg in _legs(unit, event, order, each))
    if services.hooks.legged:
        for event in unit.events:
            unit.plan(services.hooks.legs(event, orders.get(event.order_id)))


def _legs(unit: Unit, event: Event, order: Order | None, each: Route) -> Iterator[Leg]:
    source = order.source.connection if order else event.origin
    if each.origin and each.origin != source:
        return
    target = _target(each, event, source)
    connection = unit.config.connections.get(target)
    if connection is None:
        return
    yield Leg(
        connection=target,
        send=each.send,
        subject_kind=event.subject_kind or "order",
        subject_id=event.subject_id or event.order_id,
        event_id=event.id,
        order_id=event.order_id,
        order_key=event.order_id or event.subject_id,
        route=each.name,
        lane=each.lane,
        partner=connection.partner,
    )


def _target(each: Route, event: Event, source: str) -> str:
    """Return the connection: by name, `origin` (where the order came from) or `target` (what the event names)."""
    if each.to == "origin":
        return source
    return str(event.detail.get("target", "")) if each.to == "target" else each.to
