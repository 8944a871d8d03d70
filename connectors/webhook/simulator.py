"""A sender that signs what it sends, in each of the schemes. The connector never imports it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Call:
    """What goes over the wire: POST these bytes with these headers."""

    body: bytes
    headers: dict[str, str]


@dataclass(kw_only=True)
class Sender:
    """Signs documents; a delivery that is sent again keeps its id."""

    secret: str
    scheme: Literal["hex", "base64", "standard"] = "hex"
    header: str = "X-Signature"
    event_header: str = "X-Event-Id"
    kind_header: str = "X-Document"

    def call(self, document: Any, *, event_id: str, kind: str = "", at: int = 0) -> Call:
        """Return a signed call; `at` is the time in seconds since 1970 (Standard Webhooks only)."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = {"Content-Type": "application/json", **({self.kind_header: kind} if kind else {})}
        if self.scheme == "standard":
            signed = f"{event_id}.{at}.".encode() + body
            key = base64.b64decode(self.secret.removeprefix("whsec_"))
            signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            names = {"Webhook-Id": event_id, "Webhook-Timestamp": str(at), "Webhook-Signature": f"v1,{signature}"}
            return Call(body=body, headers={**headers, **names})
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256)
        written = digest.hexdigest() if self.scheme == "hex" else base64.b64encode(digest.digest()).decode()
        return Call(body=body, headers={**headers, self.header: written, self.event_header: event_id})
