"""Webhooks: who sent them, what they are about, and how repeats are known."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from connectors.shopify.simulator import Shop
from hub.sdk import Incoming, Kit, Rejected, Request, Secret, Unverified
from tests.connectors.shopify.sandbox import open_shop

pytest_plugins = ["hub.testing.pytest_plugin"]
ORDER = "5500000001001"
Take = Callable[..., Incoming]


@pytest.fixture
def take(shop: Shop, hub_kit: Kit) -> Take:
    """Hands a webhook to the connector; headers may be replaced."""

    def call(topic: str = "orders/create", *, event: str = "", body: bytes | None = None, **headers: str) -> Incoming:
        given, signed = shop.webhook(topic, ORDER, event)
        named = {name.lower(): value for name, value in given.items()}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        opened = open_shop("http://127.0.0.1:1", hub_kit, shop_domain="sandbox.myshopify.com")
        (message,) = opened.receive(Request(body=signed if body is None else body, headers=named)).messages
        return message

    return call


def test_a_signed_webhook_is_an_order_under_its_id(take: Take) -> None:
    message = take(event="abc")

    assert (message.kind, message.order_key, message.event_id) == ("order", ORDER, "orders/create:abc")
    assert json.loads(message.body)["name"] == "#1001"


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("orders/create", "order"),
        ("orders/updated", "order"),
        ("orders/paid", "order"),
        ("orders/cancelled", "order_cancel"),
    ],
)
def test_the_topic_names_the_document(take: Take, topic: str, kind: str) -> None:
    assert take(topic).kind == kind


def test_a_topic_that_nobody_asked_for_keeps_its_name(take: Take) -> None:
    assert take("refunds/create").kind == "refunds_create"


def test_one_action_that_touches_two_topics_is_two_messages(take: Take) -> None:
    assert take("orders/create", event="abc").event_id != take("orders/updated", event="abc").event_id


def test_the_webhook_id_stands_in_where_there_is_no_event_id(take: Take) -> None:
    message = take(x_shopify_event_id="", x_shopify_webhook_id="w-7")

    assert message.event_id == "orders/create:w-7"


def test_a_changed_body_is_not_the_shops(take: Take) -> None:
    with pytest.raises(Unverified, match="client secret"):
        take(body=b'{"id": 1}')


@pytest.mark.parametrize("signature", ["", "nonsense", "\udcff", "c2lnbmVk"])
def test_a_bad_signature_is_refused_before_the_body_is_read(take: Take, signature: str) -> None:
    with pytest.raises(Unverified):
        take(body=b"not json", x_shopify_hmac_sha256=signature)


def test_another_shop_of_the_same_app_is_refused(take: Take) -> None:
    with pytest.raises(Unverified, match="other"):
        take(x_shopify_shop_domain="other.myshopify.com")


def test_the_old_secret_counts_while_it_is_kept(shop: Shop, hub_kit: Kit) -> None:
    headers, body = shop.webhook("orders/create", ORDER)
    request = Request(body=body, headers={name.lower(): value for name, value in headers.items()})
    secrets = {"webhook_secret": Secret("new"), "old_webhook_secret": Secret("sandbox-secret")}

    reception = open_shop("http://127.0.0.1:1", hub_kit, **secrets).receive(request)

    assert len(reception.messages) == 1


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"{", b"[" * 100_000])
def test_a_signed_body_without_an_order_is_refused_with_the_reason(shop: Shop, hub_kit: Kit, body: bytes) -> None:
    shop.orders["x"] = {}
    headers, _ = shop.webhook("orders/create", "x")
    headers = {name.lower(): value for name, value in headers.items()}
    signed = {**headers, "x-shopify-hmac-sha256": shop.sign(body)}

    with pytest.raises(Rejected, match="JSON object with an id"):
        open_shop("http://127.0.0.1:1", hub_kit).receive(Request(body=body, headers=signed))
