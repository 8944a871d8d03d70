"""Ask for the goods: one fulfillment order per place, one purchase order per supplier. The undo is `withdraw`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.order import Order
from hub.domain.purchase import PurchaseLine, PurchaseOrder
from hub.domain.shipment import FulfillmentLine, FulfillmentOrder, Shipment, TargetKind
from hub.domain.stock import Location
from hub.operations.configured import places
from hub.operations.plan import Part, Plan
from hub.pipeline.services import Operation
from hub.ports.records import Unit

R = TypeVar("R")
_TARGETS: dict[str, TargetKind] = {"3pl": "3pl", "production": "production"}


@dataclass(frozen=True, kw_only=True)
class _Ask:
    """What one order asks of one place (`location`) or one supplier."""

    order: Order
    plan: Plan
    parts: list[Part]
    location: Location | None = None
    supplier: str = ""


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Turn the plans of allocated orders into fulfillment orders and purchase orders."""
    orders = unit.load(Order, [event.order_id for event in events])
    known = places(unit.config)
    asks = [
        ask
        for event in events
        if isinstance(plan := unit.attached.get(event.id), Plan)
        for ask in _asks(orders[event.order_id], plan, known)
    ]
    here = [ask for ask in asks if ask.location is not None]
    bought = [ask for ask in asks if ask.location is None]
    first = unit.numbers("fulfillment_order", len(here)) if here else 0
    for number, ask in enumerate(here, first):
        _open(unit, ask, f"FO-{number:06d}")
    first = unit.numbers("purchase_order", len(bought)) if bought else 0
    for number, ask in enumerate(bought, first):
        _buy(unit, ask, f"PO-{number:06d}")


def _asks(order: Order, plan: Plan, known: dict[str, Location]) -> Iterable[_Ask]:
    bought = {supplier: list(parts) for supplier, parts in plan.suppliers.items()}
    for place_id, parts in plan.places.items():
        place = known[place_id]
        if place.kind == "supplier":
            bought.setdefault(place.connection, []).extend(parts)
        else:
            yield _Ask(order=order, plan=plan, parts=parts, location=place)
    for supplier, parts in bought.items():
        yield _Ask(order=order, plan=plan, parts=parts, supplier=supplier)


def _open(unit: Unit, ask: _Ask, number: str) -> None:
    place, order = ask.location, ask.order
    assert place is not None
    opened = FulfillmentOrder(
        id=unit.new_id(),
        order_id=order.id,
        number=number,
        target_kind=_TARGETS.get(place.kind, "location"),
        target=place.id,
        lines=tuple(fulfillment_line(part) for part in ask.parts),
        partner=order.partner,
        order_number=order.number,
        owner=order.seller or unit.config.seller,
        buyer=order.buyer,
        ship_to=order.ship_to,
        ship_by=order.requested.ship_by,
        deliver_by=order.requested.deliver_by,
        carrier=order.carrier,
        service_level=order.service_level,
        decision=ask.plan.decision,
        extensions={"order_number": order.number},
    )
    unit.put(opened)
    unit.emit(
        "fulfillment_order.opened",
        order_id=order.id,
        subject_kind="fulfillment_order",
        subject_id=opened.id,
        partner=order.partner,
        detail={"target": place.connection, "number": number} if place.connection else {"number": number},
    )


def fulfillment_line(part: Part) -> FulfillmentLine:
    """Return a part of an order line as the place that picks it needs to read it."""
    line, quantity = part
    return FulfillmentLine(
        line_no=line.line_no,
        item_id=line.item_id,
        quantity=quantity,
        sku=line.sku.seller,
        gtin=line.sku.gtin,
        buyer_sku=line.sku.buyer,
        description=line.description,
        external_id=line.external_id,
        unit=line.unit,
        unit_price=line.unit_price,
    )


def _buy(unit: Unit, ask: _Ask, number: str) -> None:
    order = ask.order
    supplier = unit.config.connections.get(ask.supplier)
    items = unit.items(line.item_id for line, _ in ask.parts)
    costs = {item_id: item.cost for item_id, item in items.items()}
    bought = PurchaseOrder(
        number=number,
        supplier=ask.supplier,
        id=unit.new_id(),
        order_id=order.id,
        partner=supplier.partner if supplier is not None else "",
        customer_order_number=order.number,
        ordered_on=unit.now.date(),
        currency=order.currency,
        ship_to=order.ship_to,
        buyer=unit.config.seller,
        lines=tuple(_purchase_line(part, costs.get(part[0].item_id)) for part in _merged(ask.parts)),
    )
    unit.put(bought)
    unit.emit(
        "purchase_order.approved",
        order_id=order.id,
        subject_kind="purchase_order",
        subject_id=bought.id,
        partner=bought.partner,
        detail={"target": ask.supplier, "number": number},
    )


def _merged(parts: Sequence[Part]) -> list[Part]:
    """Sum the parts of one line: a supplier's place may hold some of it, and the supplier the rest."""
    merged: dict[str, Part] = {}
    for line, quantity in parts:
        before = merged.get(line.line_no)
        merged[line.line_no] = (line, quantity + (before[1] if before else 0))
    return list(merged.values())


def _purchase_line(part: Part, cost: object) -> PurchaseLine:
    line, quantity = part
    return PurchaseLine(
        line_no=line.line_no,
        item_id=line.item_id,
        quantity=quantity,
        sku=line.sku,
        description=line.description,
        unit=line.unit,
        cost=cost,  # type: ignore[arg-type]
    )


def withdraw(unit: Unit, order_ids: Sequence[str]) -> None:
    """Undo: cancel what was asked of places and suppliers and void shipments that did not leave; each is told."""
    known = places(unit.config)
    for each in _below(unit, FulfillmentOrder, order_ids):
        if each.status in ("scheduled", "open", "in_progress", "on_hold"):
            unit.put(replace(each, status="cancelled", request_status="cancellation_requested"))
            _withdrawn(unit, "fulfillment_order", each, known[each.target].connection if each.target in known else "")
    for purchase in _below(unit, PurchaseOrder, order_ids):
        if purchase.state in ("draft", "approved", "sent", "receipt_confirmed", "acknowledged"):
            unit.put(replace(purchase, state="cancelled"))
            _withdrawn(unit, "purchase_order", purchase, purchase.supplier)
    for shipment in _below(unit, Shipment, order_ids):
        if shipment.dispatched_at is None and shipment.state in ("draft", "rated", "label_purchased"):
            unit.put(replace(shipment, state="voided"))
            _withdrawn(unit, "shipment", shipment, shipment.extensions.get("carrier_connection", ""), "voided")


def _below(unit: Unit, kind: type[R], order_ids: Sequence[str]) -> list[R]:
    return [each for records in unit.below(kind, order_ids).values() for each in records]


def _withdrawn(
    unit: Unit,
    kind: str,
    record: FulfillmentOrder | PurchaseOrder | Shipment,
    target: str,
    how: str = "cancelled",
) -> None:
    unit.emit(
        f"{kind}.{how}",
        order_id=record.order_id,
        subject_kind=kind,
        subject_id=record.id,
        partner=record.partner,
        detail={"target": target, "number": record.number} if target else {"number": record.number},
    )


OPERATION = Operation(name="fulfil", on=("order.allocated", "order.backordered"), run=run)
