"""A shipment as fulfilments: which of the shop's fulfilment orders its lines belong to, and what was reported before.

The shop knows no key of ours. What carries our tracking number is ours: only what it does not cover yet is created, so
that a second push, or a push after one of several locations failed, adds nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.shopify import documents
from connectors.shopify.client import Admin
from hub.sdk import InDoubt, Problem, Receipt, Rejected

OPEN = ("OPEN", "IN_PROGRESS")
Lines = dict[str, int]
"""Line item id -> quantity."""


def send(admin: Admin, body: Mapping[str, Any], *, notify: bool) -> Receipt:
    """Create one fulfilment per location for what no fulfilment with our tracking numbers covers."""
    state = _state(admin, body)
    covered, ids = _covered(admin, state, body)
    missing = _less(_wanted(body), covered)
    if missing:
        for entries in _planned(admin, state, missing).values():
            ids.append(_create(admin, body, entries, notify=notify))
    return _receipt(ids)


def find(admin: Admin, body: Mapping[str, Any]) -> Receipt | None:
    """Return the receipt where all of it is there, None where a push may add what is missing."""
    state = _state(admin, body)
    if not _numbers(body):
        if any(_counts(each) for each in state["fulfillments"]):
            raise InDoubt(
                f"order {body['order_id']} has fulfilments and this shipment has no tracking number to tell it by; "
                "compare them in the shop's admin, then mark the delivery as sent or send it again"
            )
        return None
    covered, ids = _covered(admin, state, body)
    return None if _less(_wanted(body), covered) else _receipt(ids)


def _state(admin: Admin, body: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] | None = admin.query(documents.FULFILLMENT_STATE, id=_gid("Order", body["order_id"]))["order"]
    if state is None:
        text = f"the shop has no order {body['order_id']}"
        raise Rejected([Problem(code="no_order", path="order_external_id", value=str(body["order_id"]), text=text)])
    return state


def _covered(admin: Admin, state: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Lines, list[str]]:
    """Return what fulfilments with one of our tracking numbers hold, and their ids."""
    numbers, found, ids = _numbers(body), Lines(), list[str]()
    for each in state["fulfillments"]:
        if _counts(each) and numbers & {info["number"] for info in each["trackingInfo"]}:
            ids.append(each["id"])
            for line in admin.nodes(documents.SENT_LINES, "fulfillment", "fulfillmentLineItems", id=each["id"]):
                key = line["lineItem"]["id"]
                found[key] = found.get(key, 0) + int(line["quantity"] or 0)
    return found, ids


def _planned(admin: Admin, state: Mapping[str, Any], missing: Lines) -> dict[str, list[dict[str, Any]]]:
    """Spread quantities over open fulfilment orders; return location -> entries for fulfillmentCreate."""
    left = dict(missing)
    planned: dict[str, list[dict[str, Any]]] = {}
    for work in state["fulfillmentOrders"]["nodes"]:
        if work["status"] not in OPEN or not any(left.values()):
            continue
        taken = []
        for line in admin.nodes(documents.WORK_LINES, "fulfillmentOrder", "lineItems", id=work["id"]):
            quantity = min(left.get(line["lineItem"]["id"], 0), int(line["remainingQuantity"]))
            if quantity > 0:
                left[line["lineItem"]["id"]] -= quantity
                taken.append({"id": line["id"], "quantity": quantity})
        if taken:
            place = (work["assignedLocation"]["location"] or {}).get("id", "")
            planned.setdefault(place, []).append({"fulfillmentOrderId": work["id"], "fulfillmentOrderLineItems": taken})
    _refuse_rest(left, missing)
    return planned


def _refuse_rest(left: Lines, missing: Lines) -> None:
    problems = [
        Problem(
            code="nothing_open",
            path=f"lines[{at}].quantity",
            value=str(missing[line]),
            text=f"{rest} of {missing[line]} of {line} are in no open fulfilment order; "
            "were they cancelled, put on hold or fulfilled by somebody else?",
        )
        for at, (line, rest) in enumerate(left.items())
        if rest
    ]
    if problems:
        raise Rejected(problems)


def _create(admin: Admin, body: Mapping[str, Any], entries: Sequence[Any], *, notify: bool) -> str:
    tracking = {key: value for key, value in (body.get("tracking") or {}).items() if value}
    given: dict[str, Any] = {"lineItemsByFulfillmentOrder": entries, "notifyCustomer": notify}
    if tracking:
        given["trackingInfo"] = tracking
    payload = admin.mutate(documents.FULFILL, fulfillment=given)
    if payload["userErrors"]:
        raise Rejected(
            [
                Problem(code="shopify_refused", path=".".join(each["field"] or ()), text=each["message"])
                for each in payload["userErrors"]
            ]
        )
    made: str = payload["fulfillment"]["id"]
    return made


def _wanted(body: Mapping[str, Any]) -> Lines:
    wanted = Lines()
    for line in body["lines"]:
        key = _gid("LineItem", line["id"])
        wanted[key] = wanted.get(key, 0) + int(line["quantity"])
    return wanted


def _less(wanted: Lines, covered: Lines) -> Lines:
    return {key: rest for key, value in wanted.items() if (rest := value - covered.get(key, 0)) > 0}


def _numbers(body: Mapping[str, Any]) -> set[str]:
    return {number for number in (body.get("tracking") or {}).get("numbers") or () if number}


def _counts(fulfillment: Mapping[str, Any]) -> bool:
    return fulfillment["status"] not in ("CANCELLED", "ERROR", "FAILURE")


def _receipt(ids: Sequence[str]) -> Receipt:
    return Receipt(reference=",".join(ids), body=json.dumps({"fulfillments": ids}).encode())


def _gid(kind: str, number: object) -> str:
    return str(number) if str(number).startswith("gid://") else f"gid://shopify/{kind}/{number}"
