"""A shipment: tracking (OR23), then shipped (OR24). Both may be repeated; the order's state says what is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.mirakl.client import DONE, ENDED, Marketplace, path_of
from hub.sdk import Problem, Receipt, Rejected, RetryLater

NOT_YET = 900.0
"""Seconds after which an order that the customer has not paid yet is looked at again."""


def send(market: Marketplace, body: Mapping[str, Any]) -> Receipt:
    """Ship an order as a whole."""
    order_id = str(body["order_id"])
    order = market.order(order_id)
    if receipt := _shipped(order, body):
        return receipt
    if order["order_state"] in ENDED:
        text = f"order {order_id} is {order['order_state']}; stop the parcel or agree with the marketplace"
        raise Rejected([Problem(code="order_ended", path="order_external_id", value=order_id, text=text)])
    if order["order_state"] != "SHIPPING":
        raise RetryLater(f"order {order_id} is {order['order_state']} and cannot be shipped yet", after=NOT_YET)
    _refuse_part(order, body)
    tracking = {name: value for name, value in (body.get("tracking") or {}).items() if value}
    if tracking:
        market.put(path_of(order_id, "tracking"), tracking)
    market.put(path_of(order_id, "ship"))
    return Receipt(reference=order_id)


def find(market: Marketplace, body: Mapping[str, Any]) -> Receipt | None:
    """Return the receipt where the order is shipped under our tracking number."""
    return _shipped(market.order(str(body["order_id"])), body)


def _shipped(order: Mapping[str, Any], body: Mapping[str, Any]) -> Receipt | None:
    if order["order_state"] not in DONE:
        return None
    ours, theirs = (body.get("tracking") or {}).get("tracking_number"), order.get("shipping_tracking")
    if ours and theirs and ours != theirs:
        text = f"order {order['order_id']} was shipped under {theirs}, not {ours}; put it right in the back office"
        raise Rejected([Problem(code="shipped_otherwise", path="packages[0].tracking_number", value=ours, text=text)])
    return Receipt(reference=str(order["order_id"]))


def _refuse_part(order: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """OR24 ships the whole order: a part would tell the customer of goods that are not in the parcel."""
    left = {
        str(line["order_line_id"]): int(line["quantity"])
        for line in order["order_lines"]
        if line["order_line_state"] == "SHIPPING"
    }
    for line in body["lines"]:
        key = str(line["id"])
        left[key] = left.get(key, 0) - int(line["quantity"])
    problems = [
        Problem(
            code="not_whole",
            path="lines",
            value=key,
            text=f"line {key}: {abs(rest)} {'are missing' if rest > 0 else 'too many'}; "
            "an order ships whole here: cancel what is not sent in the back office, then send this again",
        )
        for key, rest in left.items()
        if rest
    ]
    if problems:
        raise Rejected(problems)
