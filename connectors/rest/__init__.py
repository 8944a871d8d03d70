"""REST: a generic JSON destination. POSTs documents with our key as Idempotency-Key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from hub.sdk import Connector, HubError, InDoubt, Kit, Outgoing, Problem, Push, Receipt, Rejected, Secret, hookimpl

DOCUMENTS = ("order", "shipment", "invoice", "stock", "purchase_order", "acknowledgement", "fulfillment_order")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one destination needs."""

    base_url: Annotated[str, "Address that paths are added to, such as https://erp.example/api"]
    path: Annotated[
        str, "Where documents are posted; {kind} stands for the document. An agreement may name its own"
    ] = "/orders"
    bulk_path: Annotated[str, "Where a list of documents is posted; empty: one call per document"] = ""
    find_path: Annotated[str, "Where a document is looked up by our key, `{key}` stands for it; empty: no look-up"] = ""
    token: Annotated[Secret | None, "Bearer token, if they ask for one"] = None
    id_field: Annotated[str, "Field of their answer that holds their id"] = "id"
    answers: Annotated[
        Literal["json", "anything"], "json: an answer that is not JSON is doubted; anything: any 2xx will do"
    ] = "json"
    deadline: Annotated[int, "Seconds that one call may take in all"] = 20
    per_second: Annotated[int, "Calls per second that one worker may make; 0: no limit of ours"] = 0


class Rest:
    """One open destination."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings, self.name = settings, kit.connection
        self.http = kit.http(
            settings.base_url,
            bearer=settings.token,
            deadline=settings.deadline,
            per_second=settings.per_second or None,
        )

    def check(self) -> None:
        """Ask the base address for anything: a refusal of the token shows, a missing page does not matter."""
        try:
            self.http.request("GET", "/")
        except Rejected:
            return

    def push(self, out: Outgoing) -> Receipt:
        """POST one document; the key makes a second time harmless on their side."""
        path = str(out.meta.get("path", self.settings.path)).replace("{kind}", out.kind)
        headers = {"Content-Type": out.content_type, "Idempotency-Key": out.key}
        reply = self.http.request("POST", path, body=out.body, headers=headers)
        return Receipt(reference=self._reference(self._answer(reply.body)), body=reply.body)

    def push_many(self, outs: Sequence[Outgoing]) -> Sequence[Receipt | HubError]:
        """POST a list where they take one, else one by one. A list that is refused as a whole goes one by one."""
        if not self.settings.bulk_path:
            return [self._tried(out) for out in outs]
        try:
            return self._bulk(outs)
        except Rejected as error:
            return [error] if len(outs) == 1 else [self._alone(out) for out in outs]

    def find(self, out: Outgoing) -> Receipt | None:
        """Look a document up by our key; without a look-up the key itself makes a resend safe."""
        if not self.settings.find_path:
            return None
        try:
            reply = self.http.request("GET", self.settings.find_path.replace("{key}", out.key))
        except Rejected as error:
            if any(problem.code == "http_404" for problem in error.problems):
                return None
            raise
        return Receipt(reference=self._reference(self._answer(reply.body)), body=reply.body)

    def _alone(self, out: Outgoing) -> Receipt | HubError:
        """Send a list of one; what went wrong with it is its own."""
        try:
            return self._bulk([out])[0]
        except HubError as error:
            return error

    def _tried(self, out: Outgoing) -> Receipt | HubError:
        try:
            return self.push(out)
        except HubError as error:
            return error

    def _bulk(self, outs: Sequence[Outgoing]) -> list[Receipt | HubError]:
        """POST one list. An answer with one entry for each document is read entry by entry."""
        body = b"[" + b",".join(out.body for out in outs) + b"]"
        headers = {"Content-Type": "application/json", "Idempotency-Key": ",".join(out.key for out in outs)}
        answer = self._answer(self.http.request("POST", self.settings.bulk_path, body=body, headers=headers).body)
        entries = answer.get("results") if isinstance(answer, dict) else answer
        if isinstance(entries, list) and len(entries) == len(outs):
            return [self._entry(entry) for entry in entries]
        return [Receipt() for _ in outs]

    def _entry(self, entry: Any) -> Receipt | HubError:
        said = entry.get("error") if isinstance(entry, dict) else None
        if said:
            text = f"{self.name} refused it: {str(said)[:500]}"
            return Rejected([Problem(code="refused", text=text, value=str(said)[:500])])
        return Receipt(reference=self._reference(entry), body=json.dumps(entry).encode())

    def _answer(self, body: bytes) -> Any:
        """Read an answer to a call that went well; what cannot be read leaves doubt, unless anything will do."""
        if not body:
            return None
        try:
            return json.loads(body, parse_float=str)
        except (ValueError, RecursionError) as error:
            if self.settings.answers == "anything":
                return None
            raise InDoubt(f"{self.settings.base_url} took it but answered with something that is not JSON") from error

    def _reference(self, answer: Any) -> str:
        found = answer.get(self.settings.id_field) if isinstance(answer, Mapping) else None
        return str(found) if isinstance(found, (str, int)) else ""


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the generic REST destination."""
    push, bulk = Push(on_doubt="find"), Push(on_doubt="find", batch=100)
    roles = ("order sink", "fulfilment target", "invoice sink", "stock sink")
    yield Connector(
        name="rest",
        title="REST (generic JSON out)",
        settings=Settings,
        open=Rest,
        pushes=dict.fromkeys((*DOCUMENTS, "*"), push),
        roles=roles,
    )
    yield Connector(
        name="rest_bulk",
        title="REST (generic JSON out, many documents per call)",
        settings=Settings,
        open=Rest,
        pushes=dict.fromkeys((*DOCUMENTS, "*"), bulk),
        roles=roles,
    )
