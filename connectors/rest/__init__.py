"""REST: a generic JSON destination. POSTs documents with our key as Idempotency-Key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from hub.sdk import (
    Connector,
    HubError,
    InDoubt,
    Kit,
    Outgoing,
    Problem,
    Push,
    Receipt,
    Rejected,
    Reply,
    Secret,
    hookimpl,
)

DOCUMENTS = ("order", "shipment", "invoice", "stock", "purchase_order", "acknowledgement", "fulfillment_order")
MOST_LINES = 8


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
    status_field: Annotated[
        str, "Field of their answer that says what became of it, such as STATUS of an IDoc; empty: HTTP says it"
    ] = ""
    accepted: Annotated[tuple[str, ...], "Values of status_field that mean it was taken, such as 53"] = ()
    reason_field: Annotated[str, "Field of their answer that says why not, such as STATUS_TEXT"] = ""
    deadline: Annotated[int, "Seconds that one call may take in all"] = 20
    per_second: Annotated[int, "Calls per second that one worker may make; 0: no limit of ours"] = 0
    lines: Annotated[
        int, "Calls that one worker may have under way at a time, 1 to 8; 1: one after the other, for a small server"
    ] = 4


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
        path, headers = self._addressed(out)
        return self._receipt(self.http.request("POST", path, body=out.body, headers=headers))

    def push_many(self, outs: Sequence[Outgoing]) -> Sequence[Receipt | HubError]:
        """POST a list where they take one, else each alone, side by side. A list refused as a whole goes one by one."""
        if not self.settings.bulk_path:
            return self._side_by_side(outs)
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
        return self._receipt(reply)

    def _addressed(self, out: Outgoing) -> tuple[str, dict[str, str]]:
        """Return path and header fields of one document."""
        path = str(out.meta.get("path", self.settings.path)).replace("{kind}", out.kind)
        return path, {"Content-Type": out.content_type, "Idempotency-Key": out.key}

    def _side_by_side(self, outs: Sequence[Outgoing]) -> list[Receipt | HubError]:
        addressed = [(out.body, *self._addressed(out)) for out in outs]
        replies = self.http.request_many(
            [{"method": "POST", "path": path, "body": body, "headers": headers} for body, path, headers in addressed],
            lines=min(self.settings.lines, MOST_LINES),
        )
        return [reply if isinstance(reply, HubError) else self._tried(reply) for reply in replies]

    def _tried(self, reply: Reply) -> Receipt | HubError:
        try:
            return self._receipt(reply)
        except HubError as error:
            return error

    def _receipt(self, reply: Reply) -> Receipt:
        answer = self._answer(reply)
        self._check_status(answer)
        return Receipt(reference=self._reference(answer), body=reply.body)

    def _check_status(self, answer: Any) -> None:
        """Refuse what their answer says was not taken, whatever HTTP said: an IDoc may be received and never posted."""
        field = self.settings.status_field
        status = str(answer.get(field, "")) if isinstance(answer, dict) else ""
        if not field or status in self.settings.accepted:
            return
        if not status:
            raise InDoubt(f"{self.name} took it, but its answer has no {field}; look there before it is sent again")
        reason = str(answer.get(self.settings.reason_field, ""))[:500]
        text = f"{self.name} refused it: {field} {status} {reason}".strip()
        raise Rejected([Problem(code="refused", text=text, value=status)])

    def _alone(self, out: Outgoing) -> Receipt | HubError:
        """Send a list of one; what went wrong with it is its own."""
        try:
            return self._bulk([out])[0]
        except HubError as error:
            return error

    def _bulk(self, outs: Sequence[Outgoing]) -> list[Receipt | HubError]:
        """POST one list. An answer with one entry for each document is read entry by entry."""
        body = b"[" + b",".join(out.body for out in outs) + b"]"
        headers = {"Content-Type": "application/json", "Idempotency-Key": ",".join(out.key for out in outs)}
        answer = self._answer(self.http.request("POST", self.settings.bulk_path, body=body, headers=headers))
        entries = answer.get("results") if isinstance(answer, dict) else answer
        if isinstance(entries, list) and len(entries) == len(outs):
            return [self._entry(entry) for entry in entries]
        return [Receipt() for _ in outs]

    def _entry(self, entry: Any) -> Receipt | HubError:
        said = entry.get("error") if isinstance(entry, dict) else None
        if said:
            text = f"{self.name} refused it: {str(said)[:500]}"
            return Rejected([Problem(code="refused", text=text, value=str(said)[:500])])
        return Receipt(reference=self._reference(entry), body=json.dumps(entry, default=str).encode())

    def _answer(self, reply: Reply) -> Any:
        """Read an answer to a call that went well; what cannot be read leaves doubt, unless anything will do."""
        try:
            return reply.json()
        except HubError as error:
            try:
                return json.loads(reply.body, parse_float=str)  # marked with its byte order, or with NaN
            except (ValueError, RecursionError):
                if self.settings.answers == "anything":
                    return None
                text = f"{self.settings.base_url} took it but answered with something that is not JSON"
                raise InDoubt(text) from error

    def _reference(self, answer: Any) -> str:
        found = answer.get(self.settings.id_field) if isinstance(answer, dict) else None
        return str(found) if isinstance(found, (str, int, Decimal)) else ""


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the generic REST destination."""
    push, bulk = Push(on_doubt="find", window=32), Push(on_doubt="find", batch=100)
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
