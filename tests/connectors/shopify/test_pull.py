"""The reconciliation poll: what it asks, what it sees again, and where it stops."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.shopify import Shopify
from connectors.shopify.simulator import Shop
from hub.sdk import Kit, Page, Rejected, RetryLater
from hub.testing.scripted import Reset, scripted
from hub.testing.serve import serve
from tests.connectors.shopify.sandbox import open_shop, sample

pytest_plugins = ["hub.testing.pytest_plugin"]


def order(number: int, updated: str, **fields: Any) -> dict[str, Any]:
    return {**sample("order-presentment.json"), "id": number, "updated_at": updated, **fields}


def keys(pages: list[Page]) -> list[str]:
    return [message.order_key for page in pages for message in page.messages]


def test_orders_come_oldest_first_with_their_last_change_as_cursor(shop: Shop, opened: Shopify) -> None:
    shop.place(order(3, "2026-11-20T11:00:00+01:00"))
    shop.place(order(2, "2026-11-20T09:00:00Z"))

    (page,) = opened.pull("order", "2026-11-20T08:00:00Z")

    assert keys([page]) == ["5500000001001", "2", "3"]
    assert page.cursor == "2026-11-20T10:00:00Z"
    assert {message.kind for message in page.messages} == {"order_poll"}


def test_the_watermark_overlaps(shop: Shop, opened: Shopify) -> None:
    shop.place(order(2, "2026-11-20T09:45:00Z"))
    shop.place(order(3, "2026-11-20T09:44:59Z"))

    assert keys(list(opened.pull("order", "2026-11-20T10:00:00Z"))) == ["2"]


def test_an_order_that_is_seen_again_has_the_same_event_id_and_a_changed_one_another(
    shop: Shop, opened: Shopify
) -> None:
    def seen() -> str:
        (page,) = opened.pull("order", "2026-11-20T09:00:00Z")
        return page.messages[0].event_id

    shop.orders.clear()
    shop.place(order(2, "2026-11-20T09:00:00Z"))
    first = seen()
    assert seen() == first

    shop.orders["2"]["note"] = "changed within the same second"

    assert seen() != first


def test_the_first_poll_takes_no_history(shop: Shop, hub_kit: Kit) -> None:
    with serve(shop.app) as address:
        (page,) = open_shop(address, hub_kit).pull("order", "")  # The clock stands at 2026-01-05 09:00.
        assert [message.order_key for message in page.messages] == ["5500000001001"]
        shop.orders.clear()
        (empty,) = open_shop(address, hub_kit).pull("order", "")

    assert (empty.messages, empty.cursor) == ((), "2026-01-05T09:00:00+00:00")


def test_since_is_where_the_first_poll_begins(shop: Shop, hub_kit: Kit) -> None:
    with serve(shop.app) as address:
        opened = open_shop(address, hub_kit, since="2026-11-20T08:36:00Z")  # 08:21 with the overlap.

        assert keys(list(opened.pull("order", ""))) == []


def test_many_orders_come_page_by_page(shop: Shop, opened: Shopify) -> None:
    shop.orders.clear()
    for at in range(60):
        shop.place(order(100 + at, f"2026-11-20T09:00:{at:02}Z"))

    pages = list(opened.pull("order", "2026-11-20T09:00:00Z"))

    assert [len(page.messages) for page in pages] == [25, 25, 10]
    assert [page.cursor for page in pages] == ["2026-11-20T09:00:24Z", "2026-11-20T09:00:49Z", "2026-11-20T09:00:59Z"]


def test_all_lines_of_a_long_order_are_read(shop: Shop, opened: Shopify) -> None:
    line = sample("order-presentment.json")["line_items"][0]
    shop.orders.clear()
    shop.place(order(2, "2026-11-20T09:00:00Z", line_items=[{**line, "id": 20000 + at} for at in range(95)]))

    (page,) = opened.pull("order", "2026-11-20T09:00:00Z")

    lines = json.loads(page.messages[0].body)["lineItems"]["nodes"]
    assert [each["id"] for each in lines] == [f"gid://shopify/LineItem/{20000 + at}" for at in range(95)]


def test_an_order_that_is_deleted_meanwhile_is_passed_over(shop: Shop, opened: Shopify) -> None:
    shop.place(order(2, "2026-11-20T09:00:00Z"))
    pages = opened.pull("order", "2026-11-20T08:00:00Z")
    changed = shop.data

    def forgetful(given: dict[str, Any]) -> dict[str, Any]:
        return {"order": None} if given["variables"].get("id", "").endswith("/2") else changed(given)

    shop.data = forgetful  # type: ignore[method-assign]

    assert keys(list(pages)) == ["5500000001001"]


def test_a_poll_that_is_cut_off_is_tried_again_later(hub_kit: Kit) -> None:
    with scripted(Reset()) as partner, pytest.raises(RetryLater):
        list(open_shop(partner.url, hub_kit).pull("order", "2026-11-20T09:00:00Z"))


def test_a_start_that_is_no_instant_is_named(hub_kit: Kit) -> None:
    with pytest.raises(Rejected, match="since"):
        list(open_shop("http://127.0.0.1:1", hub_kit, since="yesterday").pull("order", ""))


def test_nothing_else_is_polled(opened: Shopify) -> None:
    with pytest.raises(Rejected, match="'stock'"):
        list(opened.pull("stock", ""))
