"""Webhook: signed JSON in, from anything that can call a URL. The simplest way to send the hub orders."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from hub.sdk import Connector, Incoming, Kit, Reception, Rejected, Request, Secret, Unverified, hookimpl


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one sender needs."""

    secret: Annotated[Secret, "The secret that both sides know; the sender signs the raw body with it"]
    header: Annotated[str, "Header that carries the signature"] = "X-Signature"
    scheme: Annotated[Literal["hex", "base64"], "How the HMAC-SHA256 of the body is written"] = "hex"
    id_field: Annotated[str, "Field of the JSON that names the order; messages of one order are kept in order"] = "id"
    event_header: Annotated[str, "Header with the sender's id of this delivery; a repeat of it has no effect"] = (
        "X-Event-Id"
    )
    kind: Annotated[str, "Document that the messages are"] = "order"


class Webhook:
    """One open sender."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings = settings
        self.header = settings.header.lower()
        self.event_header = settings.event_header.lower()

    def check(self) -> None:
        """Nothing outside to try: the sender calls us."""

    def receive(self, request: Request) -> Reception:
        """Verify the raw bytes in constant time, then read the order's name."""
        self._verify(request)
        try:
            body = json.loads(request.body, parse_float=str)
            name = str(body[self.settings.id_field])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Rejected(f"the body must be a JSON object with the field {self.settings.id_field!r}") from error
        event_id = request.headers.get(self.event_header, "")
        return Reception(
            messages=(
                Incoming(
                    body=request.body,
                    kind=self.settings.kind,
                    event_id=event_id,
                    order_key=name,
                    content_type=request.headers.get("content-type", ""),
                ),
            )
        )

    def _verify(self, request: Request) -> None:
        digest = hmac.new(self.settings.secret.reveal().encode(), request.body, hashlib.sha256)
        given = request.headers.get(self.header, "")
        expected = digest.hexdigest() if self.settings.scheme == "hex" else _base64(digest.digest())
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape")):
            raise Unverified(f"the signature in {self.settings.header} does not fit the body; check the shared secret")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the generic webhook."""
    yield Connector(
        name="webhook",
        title="Webhook (signed JSON in)",
        settings=Settings,
        open=Webhook,
        receives=("order", "order_cancel", "stock", "shipment"),
        signature="hmac-sha256",
        roles=("order source",),
    )
