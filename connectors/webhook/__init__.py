"""Webhook: signed JSON in, from anything that can call a URL. The simplest way to send the hub orders."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from hub.sdk import Connector, Incoming, Kit, Paused, Reception, Rejected, Request, Secret, Unverified, hookimpl

KINDS = ("order", "order_change", "order_cancel", "stock", "shipment", "acknowledgement", "invoice")
TOLERANCE_SECONDS = 300
"""How far a signed time may be from ours (Standard Webhooks 1.0.0)."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one sender needs."""

    secret: Annotated[Secret, "The secret that both sides know; the sender signs the raw body with it"]
    header: Annotated[str, "Header that carries the signature"] = "X-Signature"
    scheme: Annotated[
        Literal["hex", "base64", "standard"],
        "How the HMAC-SHA256 of the body is written; standard: Standard Webhooks (webhook-id, -timestamp, -signature)",
    ] = "hex"
    id_field: Annotated[str, "Field of the JSON that names the order; messages of one order are kept in order"] = "id"
    event_header: Annotated[str, "Header with the sender's id of this delivery; a repeat of it has no effect"] = (
        "X-Event-Id"
    )
    kind: Annotated[str, "Document that the messages are"] = "order"
    kind_header: Annotated[str, "Header that names the document, where a sender has several; empty: always `kind`"] = ""


class Webhook:
    """One open sender."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings, self.clock = settings, kit.clock
        is_standard = settings.scheme == "standard"
        self.header = settings.header.lower()
        self.event_header = "webhook-id" if is_standard else settings.event_header.lower()
        self.kind_header = settings.kind_header.lower()
        self.verify = self._verify_standard if is_standard else self._verify

    def check(self) -> None:
        """Nothing outside to try: the sender calls us."""

    def receive(self, request: Request) -> Reception:
        """Verify the raw bytes in constant time, then read the order's name."""
        self.verify(request)
        headers = request.headers
        kind = headers.get(self.kind_header, "") if self.kind_header else self.settings.kind
        if kind not in KINDS and kind != self.settings.kind:
            raise Rejected(f"{self.settings.kind_header} is {kind[:60]!r}; it must be one of {', '.join(KINDS)}")
        message = Incoming(
            body=request.body,
            kind=kind,
            event_id=headers.get(self.event_header, ""),
            order_key=self._name(request.body, is_needed=kind.startswith("order")),
            content_type=headers.get("content-type", ""),
        )
        return Reception(messages=(message,))

    def _name(self, body: bytes, *, is_needed: bool) -> str:
        """Return what the order is called; other documents may be without."""
        field = self.settings.id_field
        try:
            tree = json.loads(body, parse_float=str)
            name = tree.get(field)
        except (ValueError, AttributeError, RecursionError) as error:
            raise Rejected(f"the body must be a JSON object with the field {field!r}") from error
        if isinstance(name, (str, int)) and name != "":
            return str(name)
        if is_needed:
            raise Rejected(f"the body must be a JSON object with the field {field!r}, a text or a number")
        return ""

    def _verify(self, request: Request) -> None:
        digest = hmac.digest(self.settings.secret.reveal().encode(), request.body, "sha256")
        given = request.headers.get(self.header, "")
        expected = digest.hex() if self.settings.scheme == "hex" else _base64(digest)
        if not _same(expected, given):
            raise Unverified(f"the signature in {self.settings.header} does not fit the body; check the shared secret")

    def _verify_standard(self, request: Request) -> None:
        """Verify id, time and body together; the time keeps an old call from being played again."""
        headers = request.headers
        identity, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        signed = b".".join((identity.encode("utf-8", "surrogateescape"), at.encode("ascii", "replace"), request.body))
        expected = _base64(hmac.digest(_key(self.settings.secret), signed, "sha256"))
        given = [each.partition(",") for each in headers.get("webhook-signature", "").split()[:10]]
        if not any(version == "v1" and _same(expected, signature) for version, _, signature in given):
            raise Unverified("no signature in webhook-signature fits webhook-id, webhook-timestamp and body")
        if not at.isdecimal() or abs(self.clock.now().timestamp() - int(at[:12])) > TOLERANCE_SECONDS:
            raise Unverified(f"webhook-timestamp is more than {TOLERANCE_SECONDS} seconds away; send it anew")


def _key(secret: Secret) -> bytes:
    try:
        return base64.b64decode(secret.reveal().removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise Paused("the secret must be whsec_ and base64, as Standard Webhooks says; enter it again") from error


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


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
        receives=KINDS,
        signature="hmac-sha256",
        roles=("order source", "shipment source", "stock source"),
    )
