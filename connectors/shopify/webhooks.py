"""A shop's webhook: whose it is, what it is about, and which event it tells."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence

from hub.sdk import Incoming, Reception, Rejected, Request, Secret, Unverified

KINDS = {
    "orders/create": "order",
    "orders/updated": "order",
    "orders/paid": "order",
    "orders/cancelled": "order_cancel",
}


def verify(request: Request, secrets: Sequence[Secret | None], domain: str) -> None:
    """Raise Unverified unless the raw bytes are signed with one of our secrets, by our shop."""
    given = request.headers.get("x-shopify-hmac-sha256", "").encode("utf-8", "surrogateescape")
    signed = [hmac.compare_digest(_signature(secret, request.body), given) for secret in secrets if secret is not None]
    if not any(signed):
        raise Unverified("X-Shopify-Hmac-Sha256 does not fit the body; check the app's client secret")
    shop = request.headers.get("x-shopify-shop-domain", "")
    if domain and shop.lower() != domain.lower():
        raise Unverified(f"the webhook is signed by the app, but comes from the shop {shop[:100]!r}, not {domain!r}")


def _signature(secret: Secret, body: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret.reveal().encode(), body, hashlib.sha256).digest())


def read(request: Request) -> Reception:
    """Return the message of a verified webhook. A topic that we do not know keeps its name, so that nothing is lost."""
    topic = request.headers.get("x-shopify-topic", "")
    try:
        body = json.loads(request.body, parse_float=str)
        order_id = _order_id(topic, body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Rejected("the body must be a JSON object with an id") from error
    return Reception(
        messages=(
            Incoming(
                body=request.body,
                kind=KINDS.get(topic, topic.replace("/", "_") or "unknown"),
                event_id=_event_id(request, topic),
                order_key=order_id,
                content_type=request.headers.get("content-type", "application/json"),
                name=topic,
            ),
        )
    )


def _order_id(topic: str, body: dict[str, object]) -> str:
    """Return the numeric order id, the same one that a poll gives; empty where the topic is not about an order."""
    return str(body["id"]) if topic in KINDS else str(body.get("order_id") or "")


def _event_id(request: Request, topic: str) -> str:
    """Return the event with its topic: one action of a merchant has one event id for all the topics it touches."""
    headers = request.headers
    event = headers.get("x-shopify-event-id") or headers.get("x-shopify-webhook-id") or ""
    return f"{topic}:{event}" if event else ""
