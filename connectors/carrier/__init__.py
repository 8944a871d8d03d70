"""Carrier: labels, voids and tracking over a generic JSON interface, such as shipping platforms and gateways offer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from hub.sdk import (
    Connector,
    Incoming,
    InDoubt,
    Kit,
    Outgoing,
    Page,
    Push,
    Rate,
    Receipt,
    Rejected,
    RetryLater,
    Secret,
    hookimpl,
)

PATHS: Mapping[str, str] = {"label_request": "/shipments", "void_request": "/voids"}
MOST_PAGES = 500


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one account with the carrier needs."""

    base_url: Annotated[str, "Address of their interface, such as https://api.carrier.example/v1"]
    token: Annotated[Secret, "API token of the account"]
    page: Annotated[int, "Tracking events per page, at most 500"] = 100
    deadline: Annotated[int, "Seconds that one call may take in all; labels can be slow"] = 30


class Carrier:
    """One open account."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings, self.name = settings, kit.connection
        self.http = kit.http(settings.base_url, bearer=settings.token, deadline=settings.deadline)

    def check(self) -> None:
        """Ask for a page of tracking; a refused token shows as Paused."""
        self.http.get("/tracking", limit=1)

    def push(self, out: Outgoing) -> Receipt:
        """Ask for a label, or to void one; their answer to a label request comes back in as a document."""
        headers = {"Content-Type": out.content_type, "Idempotency-Key": out.key}
        reply = self.http.request("POST", self._path(out), body=out.body, headers=headers)
        return self._receipt(out, reply.body)

    def find(self, out: Outgoing) -> Receipt | None:
        """Return what they made for our key, None where they know nothing of it."""
        try:
            reply = self.http.request("GET", f"{self._path(out)}/by-key/{out.key}")
        except Rejected as error:
            if any(problem.code == "http_404" for problem in error.problems):
                return None
            raise
        return self._receipt(out, reply.body)

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield tracking events after the cursor, oldest first, one message for each."""
        for _ in range(MOST_PAGES):
            answer = self.http.get("/tracking", after=cursor or None, limit=self.settings.page)
            if not isinstance(answer, dict) or not isinstance(answer.get("events"), list):
                raise RetryLater(f"{self.name}: the tracking answer has no list of events")
            if not answer["events"] or answer.get("next") in (None, cursor):
                return
            cursor = str(answer["next"])
            yield Page(messages=tuple(_incoming(kind, event) for event in answer["events"]), cursor=cursor)

    def _path(self, out: Outgoing) -> str:
        try:
            return PATHS[out.kind]
        except KeyError as error:
            raise Rejected(f"{self.name} takes {', '.join(PATHS)}, not {out.kind}; route it elsewhere") from error

    def _receipt(self, out: Outgoing, body: bytes) -> Receipt:
        """Read their id; what cannot be read may be a label all the same, so it is looked up by our key."""
        try:
            answer = json.loads(body, parse_float=str)
            reference = str(answer["id"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InDoubt(f"{self.name}: the answer to {out.kind} is not a JSON object with an id") from error
        if out.kind != "label_request":
            return Receipt(reference=reference, body=body)
        return Receipt(reference=reference, body=body, kind="label", content_type="application/json")


def _incoming(kind: str, event: Mapping[str, Any]) -> Incoming:
    return Incoming(
        body=json.dumps(event, default=str).encode(),
        kind=kind,
        event_id=str(event.get("id", "")),
        order_key=str(event.get("reference") or event.get("tracking_number") or ""),
        content_type="application/json",
    )


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the generic carrier."""
    push = Push(on_doubt="find")
    yield Connector(
        name="carrier",
        title="Carrier (generic JSON: label, void, track)",
        settings=Settings,
        open=Carrier,
        pulls=("tracking",),
        pushes={"label_request": push, "void_request": push},
        rate=Rate(per_second=10, burst=20),
        roles=("carrier",),
    )
