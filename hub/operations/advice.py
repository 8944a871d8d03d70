"""A supplier, a 3PL or an ERP says what left: it becomes our shipment, once per number of theirs.

It is found by our purchase order's or fulfillment order's number, or, where somebody else fulfils the order, by what
they call the order. Nobody can speak of an order that was not sent to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from hub.domain.config import Config
from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.link import Link
from hub.domain.money import ZERO
from hub.domain.order import Order, OrderLine, Skus
from hub.domain.purchase import PurchaseOrder
from hub.domain.shipment import FulfillmentLine, FulfillmentOrder, Shipment
from hub.operations.configured import is_fulfilled_here, places
from hub.operations.fulfil import fulfillment_line
from hub.operations.ship import placed_on
from hub.pipeline.services import Operation
from hub.ports.records import Unit


@dataclass(frozen=True, kw_only=True)
class _Said:
    """One advice: who said it, and what it names."""

    event: Event
    given: Shipment

    @property
    def numbers(self) -> list[str]:
        """Return what may be a number of ours, most telling first."""
        more = (self.given.extensions.get(name) for name in ("purchase_order_number", "fulfillment_order_number"))
        return [str(each) for each in (*more, self.given.order_number, self.given.order_external_id) if each]


@dataclass(frozen=True, kw_only=True)
class _About:
    """What an advice is about."""

    order_id: str
    purchase: PurchaseOrder | None = None
    asked: FulfillmentOrder | None = None


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Turn advices into shipments and announce them as `shipment.advised`."""
    said = [_Said(event=e, given=given) for e in events if isinstance(given := unit.attached.get(e.id), Shipment)]
    said = _first_time(unit, said)
    about = _about(unit, said)
    orders = unit.load(Order, {each.order_id for each in about if each is not None})
    known = [(each, what) for each, what in zip(said, about, strict=True) if what is not None]
    # A series of its own: drafts take theirs after stock is locked, advices before; one series would be a deadlock.
    first = unit.numbers("advised_shipment", len(known)) if known else 0
    for number, (each, what) in enumerate(known, first):
        _advised(unit, each, what, orders[what.order_id], f"SA-{number:06d}")
    for each, found in zip(said, about, strict=True):
        if found is None:
            _unknown(unit, each)


def _first_time(unit: Unit, said: Sequence[_Said]) -> list[_Said]:
    seen: set[tuple[str, str]] = set()
    for connection in {each.event.origin for each in said}:
        numbers = [each.given.number for each in said if each.event.origin == connection]
        seen.update((connection, number) for number in unit.linked(connection, "shipment_advice", numbers))
    fresh = []
    for each in said:
        key = (each.event.origin, each.given.number)
        if not each.given.number or key not in seen:
            seen.add(key)
            fresh.append(each)
    return fresh


def _about(unit: Unit, said: Sequence[_Said]) -> list[_About | None]:
    numbers = {number for each in said for number in each.numbers}
    if not numbers:
        return [None] * len(said)
    purchases = unit.numbered(PurchaseOrder, numbers)
    asked = unit.numbered(FulfillmentOrder, numbers)
    left = [x for x in said if not any(number in purchases or number in asked for number in x.numbers)]
    elsewhere = _elsewhere(unit, left) if left else {}
    return [_matched(unit.config, each, purchases, asked, elsewhere) for each in said]


def _matched(
    config: Config,
    said: _Said,
    purchases: dict[str, PurchaseOrder],
    asked: dict[str, FulfillmentOrder],
    elsewhere: dict[str, str],
) -> _About | None:
    known = places(config)
    for number in said.numbers:
        purchase, work = purchases.get(number), asked.get(number)
        if purchase is not None and is_same_side(config, said.event.origin, purchase.supplier):
            return _About(order_id=purchase.order_id, purchase=purchase)
        place = known.get(work.target) if work is not None else None
        if work is not None and place is not None and is_same_side(config, said.event.origin, place.connection):
            return _About(order_id=work.order_id, asked=work)
    order_id = elsewhere.get(said.event.id)
    return _About(order_id=order_id) if order_id else None


def is_same_side(config: Config, one: str, other: str) -> bool:
    """Say whether two connections are one, or belong to one partner."""
    first, second = config.connections.get(one), config.connections.get(other)
    if first is None or second is None:
        return False
    return one == other or bool(first.partner and first.partner == second.partner)


def _elsewhere(unit: Unit, said: Sequence[_Said]) -> dict[str, str]:
    """Return event id -> order for orders that others fulfil and that were routed to who speaks."""
    found: dict[str, str] = {}
    numbers = {number for each in said for number in each.numbers}
    by_number = unit.numbered(Order, numbers)
    linked = {name: unit.linked(name, "order", numbers) for name in {each.event.origin for each in said}}
    orders = unit.load(Order, {order_id for links in linked.values() for order_id in links.values()})
    for each in said:
        for number in each.numbers:
            order = orders.get(linked[each.event.origin].get(number, "")) or by_number.get(number)
            if order is not None and _may_speak(unit.config, each.event.origin, order):
                found.setdefault(each.event.id, order.id)
    return found


def _may_speak(config: Config, origin: str, order: Order) -> bool:
    if is_fulfilled_here(config, order):
        return False
    return any(
        route.active
        and route.on.startswith("order.")
        and route.origin in ("", order.source.connection)
        and is_same_side(config, origin, route.to)
        for route in config.routes
    )


def _advised(unit: Unit, said: _Said, about: _About, order: Order, number: str) -> None:
    given = said.given
    lines = _lines(unit, said, about, order)
    shipment = replace(
        given,
        id=unit.new_id(),
        version=0,
        order_id=order.id,
        number=number,
        partner=order.partner,
        fulfillment_order_id=about.asked.id if about.asked else "",
        purchase_order_id=about.purchase.id if about.purchase else "",
        order_number=order.number,
        order_external_id=order.external_id,
        order_placed_on=placed_on(order),
        ship_to=given.ship_to or order.ship_to,
        buyer_name=given.buyer_name or (order.buyer.name if order.buyer else ""),
        lines=lines,
        packages=tuple(replace(x, id=x.id or unit.new_id()) for x in given.packages),
        state="draft",
        extensions={**given.extensions, "their_number": given.number, "told_by": said.event.origin},
    )
    unit.put(shipment)
    if given.number:
        link = Link(connection=said.event.origin, kind="shipment_advice", external_id=given.number, our_id=shipment.id)
        unit.links([link])
    unit.emit(
        "shipment.advised",
        order_id=order.id,
        subject_kind="shipment",
        subject_id=shipment.id,
        origin=said.event.origin,
        message_id=said.event.message_id,
        partner=order.partner,
        detail={"number": number, "their_number": given.number},
    )


def _lines(unit: Unit, said: _Said, about: _About, order: Order) -> tuple[FulfillmentLine, ...]:
    """Return what left in terms of the order's lines; an advice without lines means all that was still due."""
    given = said.given.lines or tuple(line for package in said.given.packages for line in package.contents)
    if not given:
        return tuple(fulfillment_line((line, due)) for line, due in _due(about, order) if due > 0)
    found = []
    for line in given:
        known = _line(order, line)
        if known is None:
            _unknown(unit, said, f"line {line.line_no} ({line.sku or line.buyer_sku or line.gtin})")
        else:
            found.append(fulfillment_line((known, line.quantity)))
    return tuple(found)


def _due(about: _About, order: Order) -> list[tuple[OrderLine, Decimal]]:
    due: dict[str, Decimal] = {line.line_no: line.ordered - line.cancelled - line.shipped for line in order.lines}
    if about.purchase is not None:
        due = {x.line_no: x.quantity - x.rejected - x.shipped for x in about.purchase.lines}
    if about.asked is not None:
        due = {x.line_no: x.quantity - x.shipped for x in about.asked.lines}
    return [(line, due.get(line.line_no, ZERO)) for line in order.lines]


def _line(order: Order, given: FulfillmentLine) -> OrderLine | None:
    """Return the line that is meant: by SKU and number, by SKU, or by number (their own SKU says nothing to us)."""
    same = [line for line in order.lines if _is_sku(line.sku, given)]
    numbered = [line for line in order.lines if line.line_no == given.line_no]
    both = [line for line in same if line in numbered]
    return next(iter((*both, *same, *numbered)), None)


def _is_sku(sku: Skus, given: FulfillmentLine) -> bool:
    ours = {sku.seller, sku.buyer, sku.gtin, sku.manufacturer} - {""}
    return not ours.isdisjoint({given.sku, given.buyer_sku, given.gtin})


def _unknown(unit: Unit, said: _Said, part: str = "") -> None:
    origin, given = said.event.origin, said.given
    what = f"shipment {given.number} for {given.order_number or 'no order number'}"
    unit.incident(
        Incident(
            fingerprint=f"shipment/{origin}/{given.number}/{part}"[:300],
            kind="missing",
            title=f"{origin}: {what} matches nothing that was asked of them{': ' + part if part else ''}"[:300],
            next_action="ask the sender which purchase order it belongs to, then have it sent again",
            connection=origin,
            subject_kind="message",
            subject_id=said.event.message_id,
        )
    )


OPERATION = Operation(name="advice", on=("shipment.received",), run=run)
