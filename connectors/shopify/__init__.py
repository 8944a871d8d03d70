"""Shopify: orders by webhook and by reconciliation poll; shipments and stock back, over the GraphQL Admin API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from connectors.shopify import documents, fulfillment, stock, webhooks
from connectors.shopify.client import Admin
from hub.sdk import (
    Connector,
    Incoming,
    Kit,
    Outgoing,
    Page,
    Push,
    Rate,
    Receipt,
    Reception,
    Rejected,
    Request,
    Secret,
    hookimpl,
)  # fmt: skip

MOST_LISTS = 200
"""So many pages of changed orders are read in one pull; the next one goes on from there."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one shop needs."""

    shop_url: Annotated[str, "Address of the shop, such as https://acme.myshopify.com"]
    access_token: Annotated[Secret, "Admin API access token, from Settings > Apps > Develop apps > API credentials"]
    webhook_secret: Annotated[Secret, "Client secret of the app; the shop signs webhooks with it"]
    old_webhook_secret: Annotated[Secret | None, "The secret before the last rotation, accepted until removed"] = None
    shop_domain: Annotated[str, "Such as acme.myshopify.com; webhooks of the app's other shops are then refused"] = ""
    location_id: Annotated[str, "Location whose stock we set, the number in its admin address"] = ""
    quantity_name: Annotated[Literal["available", "on_hand"], "Which quantity a stock report sets"] = "available"
    notify_customer: Annotated[bool, "Let the shop e-mail the customer when we report a shipment"] = False
    since: Annotated[str, "Instant before which orders are not polled, ISO 8601; empty: from the first poll on"] = ""
    overlap_minutes: Annotated[int, "Minutes that each poll reaches back behind the last order it saw"] = 15
    api_version: Annotated[str, "Version of the Admin API"] = "2026-10"


class Shopify:
    """One open shop."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings = settings
        self.clock = kit.clock
        self.admin = Admin(
            kit.http(settings.shop_url, headers={"X-Shopify-Access-Token": settings.access_token}), settings.api_version
        )

    def check(self) -> None:
        """Ask the shop for its name."""
        self.admin.query(documents.SHOP)

    def receive(self, request: Request) -> Reception:
        """Verify the raw bytes, then take the order in under the shop's event id."""
        secrets = (self.settings.webhook_secret, self.settings.old_webhook_secret)
        webhooks.verify(request, secrets, self.settings.shop_domain)
        return webhooks.read(request)

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield orders that changed since the watermark, oldest first; it reaches back, since the search index lags."""
        if kind != "order":
            raise Rejected(f"shopify: {kind!r} cannot be pulled, only 'order'")
        seen = cursor or self.settings.since or self.clock.now().isoformat(timespec="seconds")
        filter = f"updated_at:>='{self._from(seen)}'"
        after: str | None = None
        for _ in range(MOST_LISTS):
            orders = self.admin.query(documents.CHANGED_ORDERS, filter=filter, first=25, after=after)["orders"]
            seen = max([seen, *(each["updatedAt"] for each in orders["nodes"])], key=_instant)
            found = (self._order(each["id"]) for each in orders["nodes"])
            yield Page(messages=tuple(each for each in found if each is not None), cursor=seen)
            if not orders["pageInfo"]["hasNextPage"]:
                return
            after = orders["pageInfo"]["endCursor"]

    def push(self, out: Outgoing) -> Receipt:
        """Report a shipment, or set stock."""
        body = json.loads(out.body)
        if out.kind == "shipment":
            return fulfillment.send(self.admin, body, notify=self.settings.notify_customer)
        if out.kind == "stock":
            place = stock.Place(location_id=self.settings.location_id, quantity_name=self.settings.quantity_name)
            return stock.send(self.admin, body, out.key, place)
        raise Rejected(f"shopify: {out.kind!r} cannot be sent, only 'shipment' and 'stock'")

    def find(self, out: Outgoing) -> Receipt | None:
        """Look for a shipment by its tracking numbers; stock is resent, the key makes that harmless."""
        return fulfillment.find(self.admin, json.loads(out.body)) if out.kind == "shipment" else None

    def _from(self, seen: str) -> str:
        since = _instant(seen) - timedelta(minutes=self.settings.overlap_minutes)
        return since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _order(self, order_id: str) -> Incoming | None:
        """Return one order with all of its lines; None where it was deleted meanwhile."""
        order: dict[str, Any] | None = None
        after: str | None = None
        lines: list[Any] = []
        while True:
            part = self.admin.query(documents.ORDER, id=order_id, first=40, after=after)["order"]
            if part is None:
                return None
            order = order or part
            lines += part["lineItems"]["nodes"]
            if not part["lineItems"]["pageInfo"]["hasNextPage"]:
                break
            after = part["lineItems"]["pageInfo"]["endCursor"]
        return _message({**order, "lineItems": {"nodes": lines}})


def _message(order: dict[str, Any]) -> Incoming:
    """Make the message of a polled order: an update within the same second differs in its content."""
    body = json.dumps(order, default=str, sort_keys=True).encode()
    number = str(order["legacyResourceId"])
    return Incoming(
        body=body,
        kind="order_poll",
        event_id=f"poll:{number}:{order['updatedAt']}:{hashlib.sha256(body).hexdigest()[:16]}",
        order_key=number,
        content_type="application/json",
        name="orders",
    )


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Rejected(f"shopify: {text[:40]!r} is not an ISO 8601 instant; see the setting since") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare Shopify."""
    yield Connector(
        name="shopify",
        title="Shopify",
        settings=Settings,
        open=Shopify,
        pulls=("order",),
        pushes={"shipment": Push(on_doubt="find", parallel=2), "stock": Push(on_doubt="resend", parallel=1)},
        receives=("order", "order_cancel"),
        signature="hmac-sha256-base64",
        roles=("order source", "shipment sink", "stock sink"),
        rate=Rate(per_second=4, burst=10),
    )
