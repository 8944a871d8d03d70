"""A warehouse order that reaches us: what its owner asks of us is an order like any other."""

from __future__ import annotations

from hub.domain.money import ZERO
from hub.domain.order import Order, OrderLine, Requested, Skus, Source
from hub.domain.shipment import FulfillmentLine, FulfillmentOrder


def order_asked(asked: FulfillmentOrder) -> Order:
    """Return the order that a partner places with us as their warehouse: to be allocated, shipped and answered.

    A cancelled one cancels it. What the buyer calls the order stands in `extensions.warehouse.order_number`.
    """
    return Order(
        number=asked.number,
        external_id=asked.number,
        purpose="cancel" if asked.status == "cancelled" else "original",
        source=Source(kind="edi", external_id=asked.number, external_number=asked.number),
        payment_terms="on_account",
        buyer=asked.buyer,
        ship_to=asked.ship_to,
        requested=Requested(ship_by=asked.ship_by, deliver_by=asked.deliver_by),
        carrier=asked.carrier,
        service_level=asked.service_level,
        notes=asked.notes,
        lines=tuple(map(_line, asked.lines)),
        extensions={**asked.extensions, "warehouse": {"order_number": asked.order_number}},
    )


def _line(line: FulfillmentLine) -> OrderLine:
    return OrderLine(
        line_no=line.line_no,
        external_id=line.external_id or line.line_no,
        ordered=line.quantity,
        item_id=line.item_id,
        sku=Skus(seller=line.sku, buyer=line.buyer_sku, gtin=line.gtin),
        description=line.description,
        unit=line.unit,
        unit_price=line.unit_price or ZERO,
    )
