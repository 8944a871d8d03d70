"""What the shop may answer, and what the hub makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.shopify import Shopify
from connectors.shopify.simulator import THROTTLED, Shop
from hub.sdk import InDoubt, Kit, Outgoing, Paused, Rejected, RetryLater
from hub.testing.scripted import Reset, Say, Step, said, scripted
from hub.testing.serve import Answer, answer_json
from tests.connectors.shopify.sandbox import open_shop

pytest_plugins = ["hub.testing.pytest_plugin"]


def error(code: str, text: str = "no") -> Answer:
    return answer_json({"errors": [{"message": text, "extensions": {"code": code}}]})


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (Answer(status=429, headers={"Retry-After": "2"}), RetryLater, "429"),
        (Answer(status=500), RetryLater, "500"),
        (answer_json({"errors": "[API] Invalid API key or access token"}, 401), Paused, "401"),
        (Answer(status=403), Paused, "403"),
        (answer_json({"errors": "Unavailable Shop"}, 402), Paused, "closed to us"),
        (answer_json({"errors": "Not Found"}, 404), Paused, "shop_url"),
        (Answer(status=423), Paused, "closed to us"),
        (answer_json(THROTTLED), RetryLater, "budget"),
        (error("ACCESS_DENIED", "Access denied for orders field"), Paused, "access scope"),
        (error("SHOP_INACTIVE"), Paused, "SHOP|no"),
        (error("INTERNAL_SERVER_ERROR"), RetryLater, "INTERNAL"),
        (error("MAX_COST_EXCEEDED", "Query cost is 1200"), Rejected, "1200"),
        (answer_json({"errors": "Something"}), Rejected, "Something"),
        (Answer(status=200, body=b"<html>", content_type="text/html"), RetryLater, "JSON"),
    ],
)
def test_every_answer_has_its_remedy(shop: Shop, opened: Shopify, answer: Answer, kind: type, text: str) -> None:
    shop.faults.append(answer)

    with pytest.raises(kind, match=text):
        opened.check()


def test_a_throttled_call_waits_as_long_as_the_bucket_needs(shop: Shop, opened: Shopify) -> None:
    shop.faults.append(answer_json(THROTTLED))

    with pytest.raises(RetryLater) as waits:
        opened.check()

    assert waits.value.after == pytest.approx(1.68)  # (202 asked - 118 left) / 50 a second


def test_retry_after_is_kept(shop: Shop, opened: Shopify) -> None:
    shop.faults.append(Answer(status=429, headers={"Retry-After": "7"}))

    with pytest.raises(RetryLater) as waits:
        opened.check()

    assert waits.value.after == 7.0


def test_a_question_that_is_cut_off_is_asked_again_later(hub_kit: Kit) -> None:
    with scripted(Reset()) as partner, pytest.raises(RetryLater):
        open_shop(partner.url, hub_kit).check()


STATE = {
    "order": {
        "id": "gid://shopify/Order/1",
        "fulfillmentOrders": {
            "nodes": [
                {"id": "f", "status": "OPEN", "assignedLocation": {"location": {"id": "gid://shopify/Location/1"}}}
            ]
        },
        "fulfillments": [],
    }
}
LINES = {
    "fulfillmentOrder": {
        "lineItems": {
            "nodes": [{"id": "a", "remainingQuantity": 1, "lineItem": {"id": "gid://shopify/LineItem/2"}}],
            "pageInfo": {"hasNextPage": False, "endCursor": None},
        }
    }
}
SHIPMENT = b'{"order_id": "1", "tracking": {"numbers": ["T"]}, "lines": [{"id": "2", "quantity": 1}]}'


def ok(data: Any) -> Step:
    return said(answer_json({"data": data}))


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (Reset(), InDoubt),
        (said(error("INTERNAL_SERVER_ERROR")), InDoubt),
        (Say(body=b"<html>"), InDoubt),
        (said(answer_json(THROTTLED)), RetryLater),
        (
            ok(
                {
                    "fulfillmentCreate": {
                        "fulfillment": None,
                        "userErrors": [{"field": ["fulfillment"], "message": "no"}],
                    }
                }
            ),
            Rejected,
        ),
    ],
)
def test_what_became_of_a_fulfilment_is_never_guessed(hub_kit: Kit, last: Step, kind: type) -> None:
    with scripted(ok(STATE), ok(LINES), last) as partner:
        opened = open_shop(partner.url, hub_kit)

        with pytest.raises(kind):
            opened.push(Outgoing(key="d", kind="shipment", body=SHIPMENT))


def test_what_is_not_sent_here_is_said(opened: Shopify) -> None:
    with pytest.raises(Rejected, match="'invoice'"):
        opened.push(Outgoing(key="d", kind="invoice", body=b"{}"))
