"""One marketplace's seller API: the shop, the errors in their words, and one order with its state."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hub.sdk import Http, Problem, Rejected

DONE = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})
"""Order and line states that come after shipping."""
ENDED = frozenset({"REFUSED", "CANCELED"})


class Marketplace:
    """The API as one shop sees it."""

    def __init__(self, http: Http, shop_id: str) -> None:
        self.http = http
        self.shop = {"shop_id": shop_id} if shop_id else {}

    def get(self, path: str, **query: Any) -> Any:
        """GET and return the JSON."""
        return self.http.request("GET", path, query={**query, **self.shop} or None).json()

    def read(self, path: str) -> bytes:
        """GET and return the bytes of a file."""
        return self.http.request("GET", path, query=self.shop or None).body

    def put(self, path: str, body: Any = None) -> None:
        """PUT; there is no answer but that it was taken."""
        try:
            self.http.request("PUT", path, json=body, query=self.shop or None)
        except Rejected as error:
            raise _said(error) from error

    def post(self, path: str, body: bytes, content_type: str) -> Any:
        """POST bytes and return the JSON."""
        headers = {"Content-Type": content_type}
        try:
            return self.http.request("POST", path, body=body, query=self.shop or None, headers=headers).json()
        except Rejected as error:
            raise _said(error) from error

    def order(self, order_id: str) -> dict[str, Any]:
        """Return one order; Rejected where the shop has none of that id."""
        found = self.get("/api/orders", order_ids=order_id)["orders"]
        if len(found) != 1:
            text = f"the marketplace has no order {order_id} for this shop"
            raise Rejected([Problem(code="no_order", path="order_external_id", value=order_id, text=text)])
        order: dict[str, Any] = found[0]
        return order


def path_of(order_id: str, verb: str) -> str:
    """Return the path of an action on an order."""
    return f"/api/orders/{quote(order_id, safe='')}/{verb}"


def _said(error: Rejected) -> Rejected:
    """Put what the marketplace said into problems of its own fields, where it said it by fields."""
    problems: list[Problem] = []
    for problem in error.problems:
        try:
            answer = json.loads(problem.value)
            given = answer.get("errors") or [answer]
            problems += [
                Problem(code=f"mirakl_{each.get('code') or problem.code}".lower(), path=str(each.get("field") or ""),
                        text=str(each["message"]))
                for each in given
            ]  # fmt: skip
        except (ValueError, TypeError, KeyError, AttributeError):
            problems.append(problem)
    return Rejected(problems)
