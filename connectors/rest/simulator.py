"""A JSON destination that de-duplicates by key: one document, or a list of them. The connector never imports it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from hub.testing.serve import Answer, Call, Routes, answer_json

Judge = Callable[[Any], str]
"""A document -> why it is refused, or an empty text."""


class RestSink:
    """Keeps documents by key. `POST /<kind>`, `POST /bulk/<kind>`, `GET /by-key/<key>`."""

    def __init__(self, token: str = "", judge: Judge | None = None) -> None:
        self.token, self.judge = token, judge or (lambda _: "")
        self.kept: dict[str, dict[str, Any]] = {}
        """Key -> {id, kind, document}."""
        self.repeats = 0
        self._lock = threading.Lock()

    def app(self) -> Routes:
        """Return the app to serve."""
        routes = Routes()
        routes.add("GET", "/", lambda call: self._refusal(call) or answer_json({"name": "sink"}))
        routes.add("GET", "/by-key/<key>", self._find)
        routes.add("POST", "/bulk/<kind>", self._many)
        routes.add("POST", "/<kind>", self._one)
        return routes

    def documents(self, kind: str) -> list[Any]:
        """Return what was kept of a kind, in the order it came."""
        return [each["document"] for each in self.kept.values() if each["kind"] == kind]

    def _one(self, call: Call, kind: str) -> Answer:
        if refusal := self._refusal(call):
            return refusal
        result = self._keep(call.headers.get("idempotency-key", ""), kind, json.loads(call.body))
        return answer_json(result, 422 if "error" in result else 201)

    def _many(self, call: Call, kind: str) -> Answer:
        if refusal := self._refusal(call):
            return refusal
        keys, documents = call.headers.get("idempotency-key", "").split(","), json.loads(call.body)
        if len(keys) != len(documents):
            return answer_json({"error": f"{len(keys)} keys for {len(documents)} documents"}, 400)
        pairs = zip(keys, documents, strict=True)
        return answer_json({"results": [self._keep(key, kind, document) for key, document in pairs]})

    def _keep(self, key: str, kind: str, document: Any) -> dict[str, Any]:
        if reason := self.judge(document):
            return {"error": reason}
        with self._lock:
            self.repeats += key in self.kept
            entry = {"id": f"R-{len(self.kept) + 1}", "kind": kind, "document": document}
            return {"id": self.kept.setdefault(key, entry)["id"]}

    def _find(self, call: Call, key: str) -> Answer:
        if refusal := self._refusal(call):
            return refusal
        found = self.kept.get(key)
        return answer_json({"id": found["id"]}) if found else answer_json({"error": "unknown key"}, 404)

    def _refusal(self, call: Call) -> Answer | None:
        if self.token and call.headers.get("authorization") != f"Bearer {self.token}":
            return answer_json({"error": "bad token"}, 401)
        return None
