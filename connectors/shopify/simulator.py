"""A shop that answers the Admin API documents we send, signs its webhooks, and loses or repeats some of them.

Orders are held as webhook bodies; the GraphQL answers are made from them, so that both shapes tell one story.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import urllib.request
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.shopify.shapes import node_of
from hub.testing.serve import Answer, Call, Routes, answer_json

_SINCE = re.compile(r"updated_at:>='([^']+)'")
_SKU = re.compile(r'sku:"([^"]*)"')
_COST = {"throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 1900, "restoreRate": 100.0}}
THROTTLED = {
    "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
    "extensions": {
        "cost": {
            "requestedQueryCost": 202,
            "throttleStatus": {"maximumAvailable": 1000.0, "currentlyAvailable": 118, "restoreRate": 50.0},
        }
    },
}


class Shop:
    """A shop's state. `faults` are answers that the next calls get instead of theirs."""

    def __init__(
        self,
        *,
        token: str = "sandbox-token",
        secret: str = "sandbox-secret",
        domain: str = "sandbox.myshopify.com",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.token, self.secret, self.domain, self.now = token, secret, domain, now
        self.orders: dict[str, dict[str, Any]] = {}
        self.work: dict[str, dict[str, Any]] = {}
        """Fulfilment order id -> order id, status, location, remaining per line."""
        self.fulfillments: dict[str, dict[str, Any]] = {}
        self.items: dict[str, str] = {}
        """Inventory item id -> SKU."""
        self.levels: dict[tuple[str, str], int] = {}
        self.locations = {"gid://shopify/Location/1"}
        self.faults: deque[Answer] = deque()
        self.calls: list[str] = []
        self.drop_every = 0
        self.repeat_every = 0
        self._keys: dict[str, tuple[str, dict[str, Any]]] = {}
        self._sent = 0
        self._lock = threading.Lock()
        self.app = Routes()
        self.app.add("POST", "/admin/api/<version>/graphql.json", self._graphql)

    def place(self, body: dict[str, Any], locations: Sequence[str] = ("gid://shopify/Location/1",)) -> str:
        """Take an order; its lines are to be fulfilled from the given locations, one after the other."""
        order_id = str(body["id"])
        self.orders[order_id] = {**body, "updated_at": body.get("updated_at") or self._stamp()}
        for at, location in enumerate(locations):
            lines = {
                f"gid://shopify/LineItem/{x['id']}": x["current_quantity"]
                for x in body["line_items"][at :: len(locations)]
            }
            self.work[f"gid://shopify/FulfillmentOrder/{order_id}{at}"] = {
                "order": order_id, "status": "OPEN", "location": location, "left": lines,
            }  # fmt: skip
        return order_id

    def change(self, order_id: str, **fields: Any) -> None:
        """Change an order, as its merchant would."""
        self.orders[order_id] = {**self.orders[order_id], "updated_at": self._stamp(), **fields}

    def webhook(self, topic: str, order_id: str, event: str = "") -> tuple[dict[str, str], bytes]:
        """Return the headers and the signed body of a webhook."""
        body = json.dumps(self.orders[order_id]).encode()
        self._sent += 1
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": self.sign(body),
            "X-Shopify-Shop-Domain": self.domain,
            "X-Shopify-Webhook-Id": f"webhook-{self._sent}",
            "X-Shopify-Event-Id": event or f"event-{self._sent}",
        }
        return headers, body

    def sign(self, body: bytes) -> str:
        """Return the signature that the shop puts into X-Shopify-Hmac-Sha256."""
        return base64.b64encode(hmac.new(self.secret.encode(), body, hashlib.sha256).digest()).decode()

    def send(self, address: str, topic: str, order_id: str) -> int:
        """POST a webhook; every `drop_every`-th is lost (returns 0), every `repeat_every`-th goes out twice."""
        headers, body = self.webhook(topic, order_id)
        if self.drop_every and self._sent % self.drop_every == 0:
            return 0
        status = 0
        for _ in range(2 if self.repeat_every and self._sent % self.repeat_every == 0 else 1):
            request = urllib.request.Request(address, data=body, headers=headers, method="POST")
            with urllib.request.urlopen(request, timeout=10) as answer:
                status = answer.status
        return status

    def _stamp(self) -> str:
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _graphql(self, call: Call, version: str) -> Answer:
        if call.headers.get("x-shopify-access-token") != self.token:
            return answer_json({"errors": "[API] Invalid API key or access token"}, 401)
        with self._lock:
            given = call.json()
            self.calls.append(given["operationName"])
            if self.faults:
                return self.faults.popleft()
            return answer_json({"data": self.data(given), "extensions": {"cost": _COST}})

    def data(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the data of one operation."""
        answers: dict[str, Callable[..., dict[str, Any]]] = {
            "Shop": self._shop, "ChangedOrders": self._changed, "Order": self._order, "FulfillmentState": self._state,
            "WorkLines": self._work_lines, "SentLines": self._sent_lines, "Fulfill": self._fulfill,
            "ItemsBySku": self._items, "SetStock": self._set_stock,
        }  # fmt: skip
        return answers[given["operationName"]](**given["variables"])

    def _shop(self) -> dict[str, Any]:
        return {"shop": {"name": "Sandbox", "myshopifyDomain": self.domain, "currencyCode": "EUR"}}

    def _changed(self, filter: str, first: int, after: str | None) -> dict[str, Any]:
        found = _SINCE.search(filter)
        assert found is not None
        since = datetime.fromisoformat(found[1])
        nodes = [node_of(order) for order in self.orders.values()]
        nodes = [
            {key: node[key] for key in ("id", "legacyResourceId", "updatedAt")}
            for node in sorted(nodes, key=lambda node: str(node["updatedAt"]))
            if datetime.fromisoformat(node["updatedAt"]) >= since
        ]
        return {"orders": _page(nodes, first, after)}

    def _order(self, id: str, first: int, after: str | None) -> dict[str, Any]:
        order = self.orders.get(_number(id))
        if order is None:
            return {"order": None}
        node = node_of(order)
        return {"order": {**node, "lineItems": _page(node["lineItems"]["nodes"], first, after)}}

    def _state(self, id: str) -> dict[str, Any]:
        order_id = _number(id)
        if order_id not in self.orders:
            return {"order": None}
        work = [
            {"id": key, "status": each["status"], "assignedLocation": {"location": {"id": each["location"]}}}
            for key, each in self.work.items()
            if each["order"] == order_id
        ]
        sent = [
            {"id": key, "status": each["status"], "trackingInfo": [{"number": number} for number in each["numbers"]]}
            for key, each in self.fulfillments.items()
            if each["order"] == order_id
        ]
        return {"order": {"id": id, "fulfillmentOrders": {"nodes": work}, "fulfillments": sent}}

    def _work_lines(self, id: str, first: int, after: str | None) -> dict[str, Any]:
        nodes = [
            {"id": f"{id}/{_number(line)}", "remainingQuantity": left, "lineItem": {"id": line}}
            for line, left in self.work[id]["left"].items()
        ]
        return {"fulfillmentOrder": {"lineItems": _page(nodes, first, after)}}

    def _sent_lines(self, id: str, first: int, after: str | None) -> dict[str, Any]:
        nodes = [{"quantity": n, "lineItem": {"id": line}} for line, n in self.fulfillments[id]["lines"].items()]
        return {"fulfillment": {"fulfillmentLineItems": _page(nodes, first, after)}}

    def _fulfill(self, fulfillment: dict[str, Any]) -> dict[str, Any]:
        lines: dict[str, int] = {}
        entries = fulfillment["lineItemsByFulfillmentOrder"]
        if len({self.work[entry["fulfillmentOrderId"]]["location"] for entry in entries}) != 1:
            return _refused("fulfillmentCreate", "All fulfillment orders must have the same location.")
        for entry in entries:
            left = self.work[entry["fulfillmentOrderId"]]["left"]
            for item in entry["fulfillmentOrderLineItems"]:
                line = f"gid://shopify/LineItem/{_number(item['id'])}"
                if item["quantity"] > left.get(line, 0):
                    return _refused("fulfillmentCreate", "Invalid fulfillment order line item quantity requested.")
                lines[line] = lines.get(line, 0) + item["quantity"]
        self._take(entries)
        key = f"gid://shopify/Fulfillment/{len(self.fulfillments) + 1}"
        order_id = self.work[entries[0]["fulfillmentOrderId"]]["order"]
        numbers = (fulfillment.get("trackingInfo") or {}).get("numbers") or []
        self.fulfillments[key] = {"order": order_id, "status": "SUCCESS", "numbers": numbers, "lines": lines}
        self.change(order_id, fulfillment_status="partial")
        return {"fulfillmentCreate": {"fulfillment": {"id": key, "status": "SUCCESS"}, "userErrors": []}}

    def _take(self, entries: Sequence[dict[str, Any]]) -> None:
        for entry in entries:
            work = self.work[entry["fulfillmentOrderId"]]
            for item in entry["fulfillmentOrderLineItems"]:
                work["left"][f"gid://shopify/LineItem/{_number(item['id'])}"] -= item["quantity"]
            work["status"] = "IN_PROGRESS" if any(work["left"].values()) else "CLOSED"

    def _items(self, filter: str, first: int, after: str | None) -> dict[str, Any]:
        wanted = set(_SKU.findall(filter))
        nodes = [{"id": key, "sku": sku} for key, sku in self.items.items() if sku in wanted]
        return {"inventoryItems": _page(nodes, first, after)}

    def _set_stock(self, input: dict[str, Any], key: str) -> dict[str, Any]:
        said = json.dumps(input, sort_keys=True)
        if key in self._keys:
            before, answer = self._keys[key]
            same = before == said
            text = "The idempotency key was used with other parameters."
            return answer if same else _refused("inventorySetQuantities", text, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
        answer = self._stock_answer(input)
        self._keys[key] = (said, answer)
        return answer

    def _stock_answer(self, input: dict[str, Any]) -> dict[str, Any]:
        errors = [error for at, each in enumerate(input["quantities"]) for error in self._stock_errors(at, each)]
        if errors:
            return {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": errors}}
        for each in input["quantities"]:
            self.levels[each["inventoryItemId"], each["locationId"]] = each["quantity"]
        group = {"id": f"gid://shopify/InventoryAdjustmentGroup/{len(self._keys) + 1}"}
        return {"inventorySetQuantities": {"inventoryAdjustmentGroup": group, "userErrors": []}}

    def _stock_errors(self, at: int, each: dict[str, Any]) -> Sequence[dict[str, Any]]:
        rules = (
            (each["inventoryItemId"] not in self.items, "INVALID_INVENTORY_ITEM", "inventoryItemId"),
            (each["locationId"] not in self.locations, "INVALID_LOCATION", "locationId"),
            (each["quantity"] > 1_000_000_000, "INVALID_QUANTITY_TOO_HIGH", "quantity"),
        )
        return [
            {
                "code": code,
                "field": ["input", "quantities", str(at), field],
                "message": f"{field} is not possible here.",
            }
            for broken, code, field in rules
            if broken
        ][:1]


def _number(gid: str) -> str:
    return gid.rpartition("/")[2]


def _page(nodes: Sequence[Any], first: int, after: str | None) -> dict[str, Any]:
    start = int(after or 0)
    end = start + first
    return {"nodes": nodes[start:end], "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end)}}


def _refused(mutation: str, text: str, code: str = "") -> dict[str, Any]:
    error = {"field": ["fulfillment"], "message": text} | ({"code": code} if code else {})
    empty = "fulfillment" if mutation == "fulfillmentCreate" else "inventoryAdjustmentGroup"
    return {mutation: {empty: None, "userErrors": [error]}}
