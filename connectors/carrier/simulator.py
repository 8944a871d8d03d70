"""A carrier that keeps its contract: one label per key, numbers in the order asked. The connector never imports it."""

from __future__ import annotations

import threading
from typing import Any

from hub.testing.serve import Answer, Call, Routes, answer_json

COSTS = {"express": "12.90", "standard": "4.90"}


class CarrierSimulator:
    """Their side in memory."""

    def __init__(self, token: str = "token") -> None:
        self.token = token
        self.labels: dict[str, dict[str, Any]] = {}
        """Key -> label."""
        self.voids: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def app(self) -> Routes:
        """Return the app to serve."""
        routes = Routes()
        routes.add("POST", "/shipments", self._label)
        routes.add("GET", "/shipments/by-key/<key>", lambda call, key: self._known(call, self.labels.get(key)))
        routes.add("POST", "/voids", self._void)
        routes.add("GET", "/voids/by-key/<key>", lambda call, key: self._known(call, self.voids.get(key)))
        routes.add("GET", "/tracking", self._tracking)
        return routes

    def scan(self, reference: str, status: str, at: str, place: str = "") -> None:
        """Scan the first parcel of a shipment."""
        label = next(each for each in self.labels.values() if each["reference"] == reference)
        self.events.append({
            "id": f"T-{len(self.events) + 1}", "reference": reference, "status": status, "at": at, "place": place,
            "tracking_number": label["parcels"][0]["tracking_number"], "code": status[:3].upper(),
        })  # fmt: skip

    def _label(self, call: Call) -> Answer:
        if refusal := self._refusal(call):
            return refusal
        asked, key = call.json(), call.headers["idempotency-key"]
        if not (asked.get("to") or {}).get("postal_code"):
            return answer_json({"error": "to.postal_code is missing"}, 422)
        with self._lock:
            if key not in self.labels:
                self.labels[key] = self._made(asked, len(self.labels) + 1)
        return answer_json(self.labels[key], 201)

    def _made(self, asked: dict[str, Any], number: int) -> dict[str, Any]:
        """Make a label: parcel 2 of the first shipment gets CX0000000102."""
        service = str(asked.get("service", ""))
        service = service if service in COSTS else "standard"
        parcels = []
        for at, parcel in enumerate(asked.get("parcels") or [{}], 1):
            tracking = f"CX{number:08d}{at:02d}"
            parcels.append({
                "reference": parcel.get("reference", ""), "tracking_number": tracking,
                "tracking_url": f"https://track.carrier.example/{tracking}", "label": f"LBL-{tracking}",
            })  # fmt: skip
        return {
            "id": f"CS-{number}", "reference": asked.get("reference", ""), "carrier": "CARRIERX", "service": service,
            "parcels": parcels, "cost": {"amount": COSTS[service], "currency": "EUR"}, "delivery_on": "2026-11-24",
        }  # fmt: skip

    def _void(self, call: Call) -> Answer:
        if refusal := self._refusal(call):
            return refusal
        asked, key = call.json(), call.headers["idempotency-key"]
        if not any(label["reference"] == asked.get("reference") for label in self.labels.values()):
            return answer_json({"error": f"no label for {asked.get('reference')}"}, 404)
        with self._lock:
            self.voids.setdefault(key, {"id": f"CV-{len(self.voids) + 1}", "reference": asked["reference"]})
        return answer_json(self.voids[key], 201)

    def _tracking(self, call: Call) -> Answer:
        if refusal := self._refusal(call):
            return refusal
        start = int(call.query.get("after", "0"))
        found = self.events[start : start + int(call.query.get("limit", "100"))]
        return answer_json({"events": found, "next": str(start + len(found))})

    def _known(self, call: Call, found: dict[str, Any] | None) -> Answer:
        if refusal := self._refusal(call):
            return refusal
        return answer_json(found) if found is not None else answer_json({"error": "unknown key"}, 404)

    def _refusal(self, call: Call) -> Answer | None:
        if call.headers.get("authorization") != f"Bearer {self.token}":
            return answer_json({"error": "bad token"}, 401)
        if call.method == "POST" and not call.headers.get("idempotency-key"):
            return answer_json({"error": "Idempotency-Key is missing"}, 400)
        return None
