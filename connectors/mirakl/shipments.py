"""A shipment: tracking (OR23), then shipped (OR24). Both may be repeated; the order's state says what is done.

A marketplace with multiple shipments takes parts of an order instead (ST01), known by tracking number (ST11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.mirakl.client import DONE, ENDED, Marketplace, path_of
from hub.sdk import InDoubt, Problem, Receipt, Rejected, RetryLater

NOT_YET = 900.0
"""Seconds after which an order that the customer has not paid yet is looked at again."""


def send(market: Marketplace, body: Mapping[str, Any]) -> Receipt:
    """Ship an order as a whole."""
    order_id = str(body["order_id"])
    order = market.order(order_id)
    if receipt := _shipped(order, body):
        return receipt
    _refuse_state(order)
    _refuse_part(order, body)
    tracking = {name: value for name, value in (body.get("tracking") or {}).items() if value}
    if tracking:
        market.put(path_of(order_id, "tracking"), tracking)
    market.put(path_of(order_id, "ship"))
    return Receipt(reference=order_id)


def send_part(market: Marketplace, body: Mapping[str, Any]) -> Receipt:
    """Ship what is in the parcel, whatever else the order holds."""
    if receipt := find_part(market, body, sure=False):
        return receipt
    _refuse_state(market.order(str(body["order_id"])))
    given = {**(body.get("tracking") or {})}
    tracking = {("tracking_url" if name == "carrier_url" else name): value for name, value in given.items() if value}
    lines = [{"order_line_id": str(line["id"]), "quantity": int(line["quantity"])} for line in body["lines"]]
    shipment = {"order_id": str(body["order_id"]), "shipped": True, "shipment_lines": lines}
    sent = {"shipments": [shipment | ({"tracking": tracking} if tracking else {})]}
    answer = market.post("/api/shipments", json.dumps(sent).encode(), "application/json")
    if errors := answer.get("shipment_errors"):
        texts = [json.dumps(each, default=str)[:500] for each in errors]
        raise Rejected([Problem(code="mirakl_shipment", path="lines", text=text) for text in texts])
    return Receipt(reference=str(answer["shipment_success"][0]["id"]))


def find_part(market: Marketplace, body: Mapping[str, Any], *, sure: bool = True) -> Receipt | None:
    """Return the receipt of the shipment with our tracking number; without one, `sure` makes others a doubt."""
    number = (body.get("tracking") or {}).get("tracking_number")
    found = market.get("/api/shipments", order_id=str(body["order_id"]), limit=100)["data"]
    ours = [each for each in found if number and (each.get("tracking") or {}).get("tracking_number") == number]
    if not number and found and sure:
        text = f"order {body['order_id']} has shipments and ours has no tracking number to tell it by"
        raise InDoubt(f"{text}; compare them in the back office")
    return Receipt(reference=str(ours[0]["id"])) if ours else None


def _refuse_state(order: Mapping[str, Any]) -> None:
    order_id = str(order["order_id"])
    if order["order_state"] in ENDED:
        text = f"order {order_id} is {order['order_state']}; stop the parcel or agree with the marketplace"
        raise Rejected([Problem(code="order_ended", path="order_external_id", value=order_id, text=text)])
    if order["order_state"] != "SHIPPING":
        raise RetryLater(f"order {order_id} is {order['order_state']} and cannot be shipped yet", after=NOT_YET)


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
            "an order ships whole here: cancel the rest in the back office, or turn multiple_shipments on",
        )
        for key, rest in left.items()
        if rest
    ]
    if problems:
        raise Rejected(problems)
