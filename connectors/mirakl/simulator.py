"""A marketplace with its state machine: an order waits for an answer, then for money, is shipped, and refuses all else.

WAITING_ACCEPTANCE -> WAITING_DEBIT_PAYMENT -> SHIPPING -> SHIPPED; REFUSED where no line is accepted or nobody answers
in time; CANCELED by the customer. The address is shown from SHIPPING on, as a marketplace does.
"""

from __future__ import annotations

import csv
import io
import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.testing.serve import Answer, Call, Routes, answer_json

_BOUNDARY = re.compile(r"boundary=([\w.-]+)")
COLUMNS = ("offer-sku", "quantity", "warehouse-code", "update-delete")


class Market:
    """One shop's part of a marketplace. `faults` are answers that the next calls get instead of theirs."""

    def __init__(
        self,
        *,
        key: str = "sandbox-key",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        answer_within: timedelta = timedelta(hours=24),
    ) -> None:
        self.key, self.now, self.answer_within = key, now, answer_within
        self.orders: dict[str, dict[str, Any]] = {}
        self.addresses: dict[str, dict[str, Any]] = {}
        self.deadlines: dict[str, datetime] = {}
        self.offers: dict[tuple[str, str], int] = {}
        """(offer SKU, warehouse) -> quantity."""
        self.shipments: list[dict[str, Any]] = []
        self.imports: list[str] = []
        self.listed: set[str] | None = None
        """SKUs that the shop has offers for; None: whatever is sent."""
        self.import_looks = 0
        """So often an import is still running when its state is asked for."""
        self._reports: dict[str, tuple[list[str], int]] = {}
        """Import -> the rows of its report of errors, and how many lines were taken."""
        self._looks: dict[str, int] = {}
        self.faults: deque[Answer] = deque()
        self.calls: list[str] = []
        self._lock = threading.Lock()
        self.app = Routes()
        self._add("GET", "/api/account", lambda _: answer_json({"shop_id": 1, "shop_name": "Sandbox"}))
        self._add("GET", "/api/orders", self._list)
        self._add("PUT", "/api/orders/<order_id>/accept", self._accept)
        self._add("PUT", "/api/orders/<order_id>/tracking", self._track)
        self._add("PUT", "/api/orders/<order_id>/ship", self._ship)
        self._add("GET", "/api/shipments", self._shipments)
        self._add("POST", "/api/shipments", self._ship_part)
        self._add("POST", "/api/offers/stock/imports", self._stock)
        self._add("GET", "/api/offers/stock/imports/<number>/status", self._import_state)
        self._add("GET", "/api/offers/stock/imports/<number>/error_report", self._import_report)

    def place(self, order: dict[str, Any], address: dict[str, Any] | None = None) -> str:
        """A customer orders; `address` is shown once they have paid."""
        order_id = str(order["order_id"])
        self.orders[order_id] = order
        self.addresses[order_id] = address or {}
        self.deadlines[order_id] = self.now() + self.answer_within
        return order_id

    def pay(self, order_id: str) -> None:
        """The customer's money arrives: the shop may ship, and sees where to."""
        order = self.orders[order_id]
        if order["order_state"] == "WAITING_DEBIT_PAYMENT":
            address = self.addresses[order_id]
            customer = {**order["customer"], "shipping_address": address, "billing_address": address}
            self._put(order_id, "SHIPPING", customer=customer, customer_debited_date=self._stamp())

    def cancel(self, order_id: str) -> None:
        """The customer cancels what is not shipped."""
        if self.orders[order_id]["order_state"] in ("WAITING_ACCEPTANCE", "WAITING_DEBIT_PAYMENT", "SHIPPING"):
            self._put(order_id, "CANCELED")

    def _add(self, method: str, path: str, answer: Callable[..., Answer]) -> None:
        def guarded(call: Call, **names: str) -> Answer:
            if call.headers.get("authorization") != self.key:
                return answer_json({"status": 401, "message": "Unauthorized"}, 401)
            with self._lock:
                self.calls.append(f"{method} {call.path}")
                if self.faults:
                    return self.faults.popleft()
                self._expire()
                return answer(call, **names)

        self.app.add(method, path, guarded)

    def _expire(self) -> None:
        for order_id, order in list(self.orders.items()):
            if order["order_state"] == "WAITING_ACCEPTANCE" and self.now() > self.deadlines[order_id]:
                self._put(order_id, "REFUSED")

    def _put(self, order_id: str, state: str, only: Sequence[str] = (), **fields: Any) -> None:
        """Move an order and its open lines (or `only` some) to a state."""
        order = self.orders[order_id]
        lines = [
            line
            if line["order_line_state"] in ("REFUSED", "CANCELED") or (only and line["order_line_id"] not in only)
            else {**line, "order_line_state": state}
            for line in order["order_lines"]
        ]
        self.orders[order_id] = {
            **order, "order_lines": lines, "order_state": state, "last_updated_date": self._stamp(), **fields,
        }  # fmt: skip

    def _stamp(self) -> str:
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _list(self, call: Call) -> Answer:
        found = sorted(self.orders.values(), key=lambda order: str(order["created_date"]))
        if ids := call.query.get("order_ids"):
            found = [order for order in found if order["order_id"] in ids.split(",")]
        if states := call.query.get("order_state_codes"):
            found = [order for order in found if order["order_state"] in states.split(",")]
        if since := call.query.get("start_update_date"):
            start = datetime.fromisoformat(since)
            found = [order for order in found if datetime.fromisoformat(order["last_updated_date"]) >= start]
        offset, most = int(call.query.get("offset", 0)), min(100, int(call.query.get("max", 10)))
        return answer_json({"orders": found[offset : offset + most], "total_count": len(found)})

    def _accept(self, call: Call, order_id: str) -> Answer:
        order = self.orders.get(order_id)
        if order is None:
            return _no(404, f"Order {order_id} does not exist")
        if order["order_state"] != "WAITING_ACCEPTANCE":
            return _no(400, f"Order {order_id} is not in the state WAITING_ACCEPTANCE")
        answers = {line["id"]: line["accepted"] for line in call.json()["order_lines"]}
        lines = {line["order_line_id"] for line in order["order_lines"]}
        if set(answers) != lines:
            return _no(400, f"All lines of the order must be answered: {', '.join(sorted(lines ^ set(answers)))}")
        refused = [line for line, accepted in answers.items() if not accepted]
        if refused:
            self._put(order_id, "REFUSED", only=refused)
        if len(refused) < len(lines):
            self._put(order_id, "WAITING_DEBIT_PAYMENT")
        return Answer(status=204)

    def _track(self, call: Call, order_id: str) -> Answer:
        if order_id not in self.orders:
            return _no(404, f"Order {order_id} does not exist")
        given = call.json()
        if not given.get("carrier_code") and not given.get("carrier_name"):
            return answer_json({"errors": [{"code": "MISSING", "field": "carrier_name", "message": "is missing"}]}, 400)
        self.orders[order_id] = {
            **self.orders[order_id],
            "shipping_company": given.get("carrier_name"),
            "shipping_tracking": given.get("tracking_number"),
        }
        return Answer(status=204)

    def _ship(self, call: Call, order_id: str) -> Answer:
        order = self.orders.get(order_id)
        if order is None:
            return _no(404, f"Order {order_id} does not exist")
        if order["order_state"] != "SHIPPING":
            return _no(400, f"Order {order_id} is not in the state SHIPPING")
        self._put(order_id, "SHIPPED")
        return Answer(status=204)

    def _shipments(self, call: Call) -> Answer:
        found = [each for each in self.shipments if each["order_id"] == call.query.get("order_id")]
        return answer_json({"data": found, "next_page_token": None})

    def _ship_part(self, call: Call) -> Answer:
        made, errors = [], []
        for given in call.json()["shipments"]:
            if wrong := self._wrong_part(given):
                errors.append({"order_id": given["order_id"], "errors": [{"message": wrong}]})
                continue
            shipment = {**given, "id": f"shipment-{len(self.shipments) + 1}", "status": "SHIPPED"}
            self.shipments.append(shipment)
            made.append({"id": shipment["id"], "order_id": given["order_id"]})
            if not any(self._left(given["order_id"]).values()):
                self._put(given["order_id"], "SHIPPED")
        return answer_json({"shipment_errors": errors, "shipment_success": made})

    def _wrong_part(self, given: dict[str, Any]) -> str:
        order = self.orders.get(given["order_id"])
        if order is None or order["order_state"] != "SHIPPING":
            return f"Order {given['order_id']} is not in the state SHIPPING"
        left = self._left(given["order_id"])
        over = [x["order_line_id"] for x in given["shipment_lines"] if x["quantity"] > left.get(x["order_line_id"], 0)]
        return f"Too many of the lines {', '.join(over)}" if over else ""

    def _left(self, order_id: str) -> dict[str, int]:
        lines = self.orders[order_id]["order_lines"]
        left = {x["order_line_id"]: int(x["quantity"]) for x in lines if x["order_line_state"] == "SHIPPING"}
        for shipment in self.shipments:
            for line in shipment["shipment_lines"] if shipment["order_id"] == order_id else ():
                left[line["order_line_id"]] -= line["quantity"]
        return left

    def _stock(self, call: Call) -> Answer:
        boundary = _BOUNDARY.search(call.headers.get("content-type", ""))
        if boundary is None:
            return _no(400, "multipart/form-data is expected")
        part = call.body.split(f"--{boundary[1]}".encode())[1]
        head, _, text = part.partition(b"\r\n\r\n")
        if b'name="file"' not in head:
            return _no(400, "the part file is missing")
        rows = csv.DictReader(io.StringIO(text.strip().decode()), delimiter=";")
        if not set(rows.fieldnames or ()) <= set(COLUMNS):
            return _no(400, f"unknown columns; known are {', '.join(COLUMNS)}")
        self.imports.append(text.decode())
        number = str(2000 + len(self.imports))
        self._reports[number], self._looks[number] = self._import(list(rows)), 0
        return answer_json({"import_id": number}, 201)

    def _import(self, rows: list[dict[str, str]]) -> tuple[list[str], int]:
        """Set what can be set; return the lines that cannot, with their reasons."""
        refused = []
        for at, row in enumerate(rows, 1):
            sku, quantity = row["offer-sku"], row["quantity"]
            if self.listed is not None and sku not in self.listed:
                refused.append(_quoted(at, f"No offer exists for the SKU {sku}", *row.values()))
            elif not quantity.isdecimal():
                refused.append(_quoted(at, "The quantity must be a whole number", *row.values()))
            else:
                self.offers[sku, row.get("warehouse-code") or ""] = int(quantity)
        head = [_quoted("error-line", "error-message", *rows[0])] if refused else []
        return [*head, *refused], len(rows) - len(refused)

    def _import_state(self, call: Call, number: str) -> Answer:
        if number not in self._reports:
            return _no(404, f"Import {number} does not exist")
        self._looks[number] += 1
        if self._looks[number] <= self.import_looks:
            return answer_json({"import_id": number, "shop_id": 1, "status": "RUNNING", "has_error_report": False,
                                "date_created": self._stamp()})  # fmt: skip
        report, taken = self._reports[number]
        return answer_json({
            "import_id": number, "shop_id": 1, "status": "COMPLETE", "has_error_report": bool(report),
            "date_created": self._stamp(), "lines_in_error": max(0, len(report) - 1), "lines_in_success": taken,
        })  # fmt: skip

    def _import_report(self, call: Call, number: str) -> Answer:
        report, _ = self._reports.get(number, ([], 0))
        if not report:
            return _no(404, f"Import {number} has no error report")
        return Answer(body="".join(f"{line}\n" for line in report).encode(), content_type="text/csv;charset=UTF-8")


def _quoted(*values: object) -> str:
    return ";".join('"{}"'.format(str(value or "").replace('"', '""')) for value in values)


def _no(status: int, text: str) -> Answer:
    return answer_json({"status": status, "message": text}, status)
