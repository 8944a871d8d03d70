"""Shipments and stock: sent once, refused with reasons, and never half reported as done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.shopify import Shopify
from connectors.shopify.simulator import Shop
from hub.sdk import InDoubt, Kit, Outgoing, Rejected
from hub.testing.serve import serve
from tests.connectors.shopify.sandbox import open_shop, sample

pytest_plugins = ["hub.testing.pytest_plugin"]
Make = Callable[..., Outgoing]
WIDGET, PANEL = "gid://shopify/LineItem/13001", "gid://shopify/LineItem/13002"
HERE, THERE = "gid://shopify/Location/1", "gid://shopify/Location/2"


def shipment(tracking: str = "T-1", **lines: int) -> dict[str, Any]:
    given = lines or {"13001": 3, "13002": 1}
    numbers = {"tracking": {"company": "DHL", "numbers": [tracking]}} if tracking else {}
    return {
        "order_id": "5500000001001",
        **numbers,
        "lines": [{"id": each.removeprefix("_"), "quantity": quantity} for each, quantity in given.items()],
    }


def test_a_shipment_becomes_a_fulfilment_of_its_lines(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    receipt = opened.push(outgoing("shipment", sample("shipment-two-packages.json")))

    (made,) = shop.fulfillments.values()
    assert receipt.reference == "gid://shopify/Fulfillment/1"
    assert made["lines"] == {WIDGET: 3, PANEL: 1}
    assert made["numbers"] == ["00340434161094000001", "00340434161094000018"]


def test_a_second_push_adds_nothing(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    first = opened.push(outgoing("shipment", shipment()))
    second = opened.push(outgoing("shipment", shipment()))

    assert second.reference == first.reference
    assert len(shop.fulfillments) == 1


def test_two_parts_of_a_line_leave_in_two_shipments(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    opened.push(outgoing("shipment", shipment("T-1", _13001=1)))
    opened.push(outgoing("shipment", shipment("T-2", _13001=2)))

    assert [each["lines"] for each in shop.fulfillments.values()] == [{WIDGET: 1}, {WIDGET: 2}]


def test_lines_of_two_locations_are_two_fulfilments_and_a_retry_adds_the_missing_one(
    shop: Shop, opened: Shopify, outgoing: Make
) -> None:
    shop.work.clear()
    shop.place(sample("order-presentment.json"), locations=[HERE, THERE])
    shop.fulfillments["gid://shopify/Fulfillment/1"] = {
        "order": "5500000001001", "status": "SUCCESS", "numbers": ["T-1"], "lines": {WIDGET: 3},
    }  # fmt: skip
    shop.work["gid://shopify/FulfillmentOrder/55000000010010"]["left"] = {WIDGET: 0}

    receipt = opened.push(outgoing("shipment", shipment("T-1")))

    assert receipt.reference == "gid://shopify/Fulfillment/1,gid://shopify/Fulfillment/2"
    assert shop.fulfillments["gid://shopify/Fulfillment/2"]["lines"] == {PANEL: 1}


def test_a_cancelled_fulfilment_does_not_count(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    shop.fulfillments["gid://shopify/Fulfillment/1"] = {
        "order": "5500000001001", "status": "CANCELLED", "numbers": ["T-1"], "lines": {WIDGET: 3, PANEL: 1},
    }  # fmt: skip

    opened.push(outgoing("shipment", shipment("T-1")))

    assert shop.fulfillments["gid://shopify/Fulfillment/2"]["lines"] == {WIDGET: 3, PANEL: 1}


def test_more_than_is_open_is_refused_for_each_line_and_nothing_is_sent(
    shop: Shop, opened: Shopify, outgoing: Make
) -> None:
    with pytest.raises(Rejected) as refused:
        opened.push(outgoing("shipment", shipment("T-1", _13001=4, _13002=2)))

    assert [problem.path for problem in refused.value.problems] == ["lines[0].quantity", "lines[1].quantity"]
    assert shop.fulfillments == {}


def test_an_order_that_the_shop_lacks_is_refused(opened: Shopify, outgoing: Make) -> None:
    with pytest.raises(Rejected, match="no order 1"):
        opened.push(outgoing("shipment", {**shipment(), "order_id": "1"}))


def test_a_doubted_shipment_is_found_by_its_tracking_number(opened: Shopify, outgoing: Make) -> None:
    out = outgoing("shipment", shipment())
    assert opened.find(out) is None

    opened.push(out)

    found = opened.find(out)
    assert found is not None
    assert found.reference == "gid://shopify/Fulfillment/1"


def test_a_doubted_shipment_without_tracking_number_is_for_a_person_once_something_left(
    opened: Shopify, outgoing: Make
) -> None:
    out = outgoing("shipment", shipment("", _13001=1))
    assert opened.find(out) is None

    opened.push(out)

    with pytest.raises(InDoubt, match="no tracking number"):
        opened.find(out)


def test_a_long_order_is_read_page_by_page(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    body = sample("order-presentment.json")
    line = body["line_items"][0]
    body |= {"id": 77, "line_items": [{**line, "id": 20000 + at, "current_quantity": 1} for at in range(120)]}
    shop.place(body)

    out = {"order_id": "77", "lines": [{"id": str(20000 + at), "quantity": 1} for at in range(120)]}
    opened.push(outgoing("shipment", out))

    assert len(shop.fulfillments["gid://shopify/Fulfillment/1"]["lines"]) == 120


def test_stock_is_set_by_item_id_and_by_sku(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    lines = [
        {"sku": "ours", "inventory_item_id": "49148385", "quantity": 12},
        {"sku": "PANEL-A3", "quantity": 0},
    ]

    opened.push(outgoing("stock", {"lines": lines}))

    assert shop.levels == {
        ("gid://shopify/InventoryItem/49148385", HERE): 12,
        ("gid://shopify/InventoryItem/49148386", HERE): 0,
    }


def test_the_same_report_twice_is_answered_by_the_key(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    out = outgoing("stock", {"lines": [{"sku": "WIDGET-001", "quantity": 5}]})
    opened.push(out)
    shop.levels.clear()  # A sale since: the repeat must not overwrite it.

    opened.push(out)

    assert shop.levels == {}


def test_a_bad_item_is_named_and_the_others_are_set(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    lines = [
        {"sku": "GONE", "inventory_item_id": "1", "quantity": 1},
        {"sku": "WIDGET-001", "quantity": 7},
        {"sku": "NOWHERE", "quantity": 1},
        {"sku": "PANEL-A3", "quantity": 8, "location_id": "9"},
    ]

    with pytest.raises(Rejected) as refused:
        opened.push(outgoing("stock", {"lines": lines}))

    told = [(problem.path, problem.code) for problem in refused.value.problems]
    assert told == [
        ("lines[2].sku", "no_item"),
        ("lines[0]", "shopify_invalid_inventory_item"),
        ("lines[3]", "shopify_invalid_location"),
        ("", "partly_set"),
    ]
    assert shop.levels == {("gid://shopify/InventoryItem/49148385", HERE): 7}


def test_a_sku_of_two_items_is_not_guessed(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    shop.items["gid://shopify/InventoryItem/3"] = "WIDGET-001"

    with pytest.raises(Rejected, match="WIDGET-001"):
        opened.push(outgoing("stock", {"lines": [{"sku": "WIDGET-001", "quantity": 7}]}))


def test_a_long_report_goes_in_parts(shop: Shop, opened: Shopify, outgoing: Make) -> None:
    shop.items = {f"gid://shopify/InventoryItem/{at}": f"S{at}" for at in range(600)}

    opened.push(
        outgoing("stock", {"lines": [{"sku": f"S{at}", "inventory_item_id": at, "quantity": at} for at in range(600)]})
    )

    assert len(shop.levels) == 600
    assert shop.calls.count("SetStock") == 3


def test_a_report_without_a_location_says_what_to_set(shop: Shop, hub_kit: Kit, outgoing: Make) -> None:
    with serve(shop.app) as address:
        opened = open_shop(address, hub_kit, location_id="")

        with pytest.raises(Rejected, match="location_id"):
            opened.push(outgoing("stock", {"lines": [{"sku": "WIDGET-001", "quantity": 5}]}))
