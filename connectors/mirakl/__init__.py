"""Mirakl: a marketplace on Mirakl, seen by a seller. Orders in; answers per line, shipments and stock back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from connectors.mirakl import answers, shipments, stock
from connectors.mirakl.client import Marketplace
from hub.sdk import (
    Connector,
    Incoming,
    Kit,
    Outgoing,
    Page,
    Push,
    Rate,
    Receipt,
    Rejected,
    Secret,
    hookimpl,
)  # fmt: skip

MOST_PAGES = 500
PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one shop on one marketplace needs."""

    base_url: Annotated[str, "Address of the marketplace, such as https://acme.mirakl.net"]
    api_key: Annotated[Secret, "Shop API key, from the back office: your name > API key"]
    shop_id: Annotated[str, "Only where the key's user has several shops: the id of this one"] = ""
    states: Annotated[str, "Order states that are taken in, separated by commas"] = (
        "WAITING_ACCEPTANCE,SHIPPING,CANCELED"
    )
    multiple_shipments: Annotated[bool, "The marketplace takes parts of an order (multiple shipments)"] = False
    since: Annotated[str, "Instant before which orders are not taken, ISO 8601; empty: from the first pull on"] = ""
    report_after: Annotated[
        int, "Seconds after which the report of a stock import is asked for, and again while it runs; 0: never"
    ] = 300
    overlap_minutes: Annotated[int, "Minutes that each pull reaches back behind the last change it saw"] = 10


class Mirakl:
    """One open shop."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings = settings
        self.clock = kit.clock
        http = kit.http(settings.base_url, headers={"Authorization": settings.api_key}, deadline=60.0)
        self.market = Marketplace(http, settings.shop_id)
        self.imports = stock.Imports(kit)

    def check(self) -> None:
        """Read the shop's account."""
        self.market.get("/api/account")

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield orders that changed since the watermark, by their creation; it moves on with the last page only."""
        if kind != "order":
            raise Rejected(f"mirakl: {kind!r} cannot be pulled, only 'order'")
        before = cursor or self.settings.since or self.clock.now().isoformat(timespec="seconds")
        seen, offset, total = before, 0, 0
        for _ in range(MOST_PAGES):
            found = self._orders(before, offset)
            orders, count = found["orders"], int(found["total_count"])
            seen = max([seen, *(order["last_updated_date"] for order in orders)], key=_instant)
            # Orders that left the list meanwhile moved others up past us: ask again from there, repeats are dropped.
            gone, total = max(0, total - count), count
            offset = max(0, offset - gone) if gone else offset + len(orders)
            last = not gone and (not orders or offset >= count)
            yield Page(messages=tuple(_message(order) for order in orders), cursor=seen if last else before)
            if last:
                return

    def push(self, out: Outgoing) -> Receipt:
        """Answer an order, report its shipment, or send stock."""
        if out.kind == "acknowledgement":
            return answers.send(self.market, json.loads(out.body))
        if out.kind == "shipment":
            send = shipments.send_part if self.settings.multiple_shipments else shipments.send
            return send(self.market, json.loads(out.body))
        if out.kind == "stock":
            return stock.send(self.market, out, self.imports, self.settings.report_after)
        raise Rejected(f"mirakl: {out.kind!r} cannot be sent, only acknowledgement, shipment and stock")

    def find(self, out: Outgoing) -> Receipt | None:
        """Read from the order's state whether an answer or a shipment arrived."""
        if out.kind == "acknowledgement":
            return answers.find(self.market, json.loads(out.body))
        if out.kind == "shipment":
            find = shipments.find_part if self.settings.multiple_shipments else shipments.find
            return find(self.market, json.loads(out.body))
        return None

    def _orders(self, before: str, offset: int) -> dict[str, Any]:
        since = _instant(before) - timedelta(minutes=self.settings.overlap_minutes)
        found: dict[str, Any] = self.market.get(
            "/api/orders",
            order_state_codes=self.settings.states,
            start_update_date=since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            sort="dateCreated",
            order="asc",
            max=PAGE,
            offset=offset,
        )
        return found


def _message(order: dict[str, Any]) -> Incoming:
    body = json.dumps(order, default=str, sort_keys=True).encode()
    order_id = str(order["order_id"])
    return Incoming(
        body=body,
        kind="order",
        event_id=f"{order_id}:{order['last_updated_date']}:{hashlib.sha256(body).hexdigest()[:16]}",
        order_key=order_id,
        content_type="application/json",
        name="orders",
    )


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Rejected(f"mirakl: {text[:40]!r} is not an ISO 8601 instant; see the setting since") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare Mirakl."""
    yield Connector(
        name="mirakl",
        title="Mirakl marketplace (seller)",
        settings=Settings,
        open=Mirakl,
        pulls=("order",),
        pushes={
            "acknowledgement": Push(on_doubt="find", parallel=2),
            "shipment": Push(on_doubt="find", parallel=2),
            "stock": Push(on_doubt="resend", parallel=1),
        },
        roles=("order source", "acknowledgement sink", "shipment sink", "stock sink"),
        rate=Rate(per_second=2, burst=5),
        ack_granularity="line",
        ack_deadline_hours=24.0,
    )
