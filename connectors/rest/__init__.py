"""REST: a generic JSON destination. POSTs documents with our key as Idempotency-Key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from hub.sdk import Connector, HubError, Kit, Outgoing, Push, Receipt, Rejected, RetryLater, Secret, hookimpl


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one destination needs."""

    base_url: Annotated[str, "Address that paths are added to, such as https://erp.example/api"]
    path: Annotated[str, "Where documents are posted"] = "/orders"
    bulk_path: Annotated[str, "Where a list of documents is posted; empty: one call per document"] = ""
    find_path: Annotated[str, "Where a document is looked up by our key, `{key}` stands for it; empty: no look-up"] = ""
    token: Annotated[Secret | None, "Bearer token, if they ask for one"] = None
    id_field: Annotated[str, "Field of their answer that holds their id"] = "id"
    deadline: Annotated[int, "Seconds that one call may take in all"] = 20


class Rest:
    """One open destination."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings = settings
        self.http = kit.http(settings.base_url, bearer=settings.token, deadline=settings.deadline)

    def check(self) -> None:
        """Ask the base address for anything: a refusal of the token shows, a missing page does not matter."""
        try:
            self.http.request("GET", "/")
        except Rejected:
            return

    def push(self, out: Outgoing) -> Receipt:
        """POST one document; the key makes a second time harmless on their side."""
        path = str(out.meta.get("path", self.settings.path))
        headers = {"Content-Type": out.content_type, "Idempotency-Key": out.key}
        reply = self.http.request("POST", path, body=out.body, headers=headers)
        return Receipt(reference=self._reference(reply.body), body=reply.body)

    def push_many(self, outs: Sequence[Outgoing]) -> Sequence[Receipt | HubError]:
        """POST a list where they take one, else one by one."""
        if not self.settings.bulk_path:
            return [self._tried(out) for out in outs]
        body = b"[" + b",".join(out.body for out in outs) + b"]"
        headers = {"Content-Type": "application/json", "Idempotency-Key": ",".join(out.key for out in outs)}
        self.http.request("POST", self.settings.bulk_path, body=body, headers=headers)
        return [Receipt(reference="") for _ in outs]

    def find(self, out: Outgoing) -> Receipt | None:
        """Look a document up by our key; without a look-up the key itself makes a resend safe."""
        if not self.settings.find_path:
            return None
        try:
            reply = self.http.request("GET", self.settings.find_path.replace("{key}", out.key))
        except Rejected as error:
            if any(problem.code in ("http_404", "not_found") or "404" in problem.text for problem in error.problems):
                return None
            raise
        return Receipt(reference=self._reference(reply.body), body=reply.body)

    def _tried(self, out: Outgoing) -> Receipt | HubError:
        try:
            return self.push(out)
        except HubError as error:
            return error

    def _reference(self, body: bytes) -> str:
        if not body:
            return ""
        try:
            answer = json.loads(body, parse_float=str)
        except ValueError as error:
            raise RetryLater(f"{self.settings.base_url} answered with something that is not JSON") from error
        return str(answer.get(self.settings.id_field, "")) if isinstance(answer, dict) else ""


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the generic REST destination."""
    push = Push(on_doubt="find")
    bulk = Push(on_doubt="find", batch=100)
    yield Connector(
        name="rest",
        title="REST (generic JSON out)",
        settings=Settings,
        open=Rest,
        pushes={"order": push, "shipment": push, "invoice": push, "stock": push, "purchase_order": push, "acknowledgement": push, "fulfillment_order": push},  # noqa: E501
        roles=("order sink", "fulfilment target", "invoice sink", "stock sink"),
    )
    yield Connector(
        name="rest_bulk",
        title="REST (generic JSON out, many documents per call)",
        settings=Settings,
        open=Rest,
        pushes={"order": bulk, "stock": bulk, "shipment": bulk},
        roles=("order sink", "stock sink"),
    )
