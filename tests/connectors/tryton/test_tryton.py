"""Orders become sales once, stock and invoices come in, refusals keep their words: stand-in and original alike."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from connectors.tryton import Settings, Tryton
from hub.sdk import InDoubt, Kit, Outgoing, Paused, Rejected, RetryLater, Secret
from hub.testing.chaos import chaos
from hub.testing.scripted import Say, scripted
from tests.peers.tryton import Erp

pytest_plugins = ["hub.testing.pytest_plugin", "tests.peers.tryton_fixtures"]


def opened(erp: Erp, kit: Kit, **given: Any) -> Tryton:
    settings = {"base_url": erp.url, "database": erp.database, "key": Secret(erp.key), **given}
    return Tryton(Settings(**settings), kit)


def price(text: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": text}


def order(**changes: Any) -> dict[str, Any]:
    address = {"party_name": "Jo Sample", "street_unstructured": "1 Main St", "postal_code": "45402", "city": "Dayton"}
    return {
        "reference": "W-1001",
        "currency": "USD",
        "party": {"email": "jo@customer.example", "name": "Jo Sample"},
        "shipment_address": {**address, "country": "US"},
        "lines": [
            {"product": "WIDGET-001", "quantity": 2, "unit_price": price("12.50")},
            {"product": "PANEL-A3", "quantity": 1, "unit_price": price("124.50")},
            {"quantity": 1, "description": "shipping", "unit_price": price("4.90")},
        ],
        **changes,
    }


def out(tree: dict[str, Any], key: str = "key-1") -> Outgoing:
    return Outgoing(key=key, kind="order", body=json.dumps(tree).encode(), content_type="application/json")


def test_an_order_becomes_one_confirmed_sale_however_often_it_is_sent(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit)

    receipts = [tryton.push(out(order())) for _ in range(3)]

    assert [receipt.reference for receipt in receipts] == ["1", "1", "1"]
    (sale,) = erp.sales()
    assert (sale["number"], sale["state"], sale["reference"]) == ("1", "processing", "W-1001")
    assert sale["description"] == "key-1"
    assert sale["total_amount"]["decimal"] == "154.40"
    assert sale["party"]["code"] == "jo@customer.example"
    assert sale["shipment_address"]["city"] == "Dayton"
    products = [line["product"]["code"] if line["product"] else None for line in sale["lines"]]
    assert products == ["WIDGET-001", "PANEL-A3", None]
    assert [Decimal(str(line["quantity"])) for line in sale["lines"]] == [2, 1, 1]
    assert [line["unit_price"]["decimal"] for line in sale["lines"]] == ["12.50", "124.50", "4.90"]


def test_a_known_buyer_and_address_are_not_made_again(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit)

    tryton.push(out(order(), "key-1"))
    tryton.push(out(order(reference="W-1002"), "key-2"))

    parties = erp.rest("GET", "party.party?f=code")
    addresses = erp.rest("GET", "party.address?f=city")
    assert [each["code"] for each in parties].count("jo@customer.example") == 1
    assert [each["city"] for each in addresses].count("Dayton") == 1
    assert len(erp.sales()) == 2


def test_what_is_not_there_is_found_as_none_and_what_is_there_as_its_receipt(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit)

    assert tryton.find(out(order())) is None
    tryton.push(out(order()))

    found = tryton.find(out(order()))
    assert found is not None
    assert found.reference == "1"
    assert json.loads(found.body) == {
        "id": 1, "number": "1", "state": "processing", "reference": "W-1001", "total_amount": "154.40",
    }  # fmt: skip


def test_an_answer_cut_after_the_sale_was_made_is_in_doubt_and_then_found(erp: Erp, hub_kit: Kit) -> None:
    with chaos("127.0.0.1", erp.port) as proxy:
        tryton = opened(erp, hub_kit, base_url=proxy.url)
        tryton.push(out(order(), "before"))
        tryton.client.http.close()  # type: ignore[attr-defined]
        calls = {"sale.sale": 0}
        create = tryton.client.create

        def cut(model: str, values: Any, fields: Any) -> Any:
            """Cut the line of the call that makes the sale, once it was read."""
            if model == "sale.sale":
                calls["sale.sale"] += 1
                tryton.client.http.close()  # type: ignore[attr-defined]
                proxy.cut_after = 0
            return create(model, values, fields)

        tryton.client.create = cut  # type: ignore[method-assign]
        with pytest.raises(InDoubt):
            tryton.push(out(order(reference="W-1002"), "key-2"))
        proxy.cut_after = None
        assert tryton.find(out(order(reference="W-1002"), "key-2")) is None

        receipt = tryton.push(out(order(reference="W-1002"), "key-2"))

    assert receipt.reference == "2"
    assert calls == {"sale.sale": 1}
    assert [(sale["description"], sale["state"]) for sale in erp.sales()] == [
        ("before", "processing"),
        ("key-2", "processing"),
    ]


def test_unknown_products_are_all_named_and_nothing_is_made(erp: Erp, hub_kit: Kit) -> None:
    lines = [
        {"product": code, "quantity": 1, "unit_price": price("1.00")} for code in ("NOPE-1", "WIDGET-001", "NOPE-2")
    ]

    with pytest.raises(Rejected) as caught:
        opened(erp, hub_kit).push(out(order(lines=lines)))

    assert [(each.path, each.value) for each in caught.value.problems] == [
        ("lines[0].sku", "NOPE-1"),
        ("lines[2].sku", "NOPE-2"),
    ]
    assert erp.sales() == []


def test_a_refusal_of_the_business_is_rejected_with_its_words(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit)
    tryton.push(out(order()))

    with pytest.raises(Rejected, match=r'You can not call "quote"') as caught:
        tryton.client.press("sale.sale", 1, "quote", ["state"])

    assert caught.value.problems[0].code == "tryton_refused"


def test_a_draft_that_an_earlier_attempt_left_is_brought_up_to_date(erp: Erp, hub_kit: Kit) -> None:
    opened(erp, hub_kit, until="draft").push(out(order()))
    lines = [{"product": "PANEL-A3", "quantity": 3, "unit_price": price("100.00")}]

    opened(erp, hub_kit).push(out(order(lines=lines)))

    (sale,) = erp.sales()
    assert sale["state"] == "processing"
    assert sale["total_amount"]["decimal"] == "300.00"


@pytest.mark.parametrize(
    ("until", "state"),
    # What is confirmed Tryton processes by itself.
    [("draft", "draft"), ("quotation", "quotation"), ("confirmed", "processing")],
)
def test_a_sale_goes_as_far_as_the_settings_say(erp: Erp, hub_kit: Kit, until: str, state: str) -> None:
    opened(erp, hub_kit, until=until).push(out(order()))

    assert [sale["state"] for sale in erp.sales()] == [state]


def test_buyers_are_not_made_where_the_settings_forbid_it(erp: Erp, hub_kit: Kit) -> None:
    with pytest.raises(Rejected, match=r"no party with the code 'jo@customer\.example'"):
        opened(erp, hub_kit, creates_parties=False).push(out(order()))


def test_stock_comes_place_by_place(erp: Erp, hub_kit: Kit) -> None:
    (page,) = opened(erp, hub_kit).pull("stock", "")

    (message,) = page.messages
    assert (message.kind, message.event_id) == ("stock", "")
    report = json.loads(message.body)
    assert (report["location"], report["at"]) == ("WH", "2026-01-05T09:00:00+00:00")
    assert sorted((line["code"], line["quantity"]) for line in report["lines"]) == [
        ("PANEL-A3", "100"),
        ("TAXED-9", "100"),
        ("WIDGET-001", "100"),
    ]


def test_stock_and_invoices_come_page_by_page(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit, page=1)
    for number in ("1", "2", "3"):
        tryton.push(out(order(), f"key-{number}"))
        erp.rest("POST", f"account.invoice/{number}/post?f=state", {})

    stock = [json.loads(page.messages[0].body)["lines"][0]["code"] for page in tryton.pull("stock", "")]
    invoices = [[message.event_id for message in page.messages] for page in tryton.pull("invoice", "")]

    assert sorted(stock) == ["PANEL-A3", "TAXED-9", "WIDGET-001"]
    assert invoices == [["invoice/1"], ["invoice/2"], ["invoice/3"]]


def test_taxes_of_the_products_are_put_on_the_lines(erp: Erp, hub_kit: Kit) -> None:
    codes = ("TAXED-9", "WIDGET-001")
    lines = [{"product": code, "quantity": 2, "unit_price": price("10.00")} for code in codes]

    opened(erp, hub_kit).push(out(order(lines=lines), "key-1"))
    opened(erp, hub_kit, taxes="none").push(out(order(lines=lines), "key-2"))

    assert [sale["total_amount"]["decimal"] for sale in erp.sales()] == ["42.00", "40.00"]


def test_a_try_that_stopped_half_way_is_gone_on_with(erp: Erp, hub_kit: Kit) -> None:
    first = opened(erp, hub_kit)
    press = first.client.press

    def stop(model: str, number: int, button: str, fields: Any) -> Any:
        if button == "confirm":
            raise RetryLater("503")
        return press(model, number, button, fields)

    first.client.press = stop  # type: ignore[method-assign]
    with pytest.raises(RetryLater):
        first.push(out(order()))
    assert [sale["state"] for sale in erp.sales()] == ["quotation"]

    receipt = opened(erp, hub_kit).push(out(order()))

    assert receipt.reference == "1"
    assert [sale["state"] for sale in erp.sales()] == ["processing"]


def test_a_place_that_does_not_exist_is_named(erp: Erp, hub_kit: Kit) -> None:
    with pytest.raises(Rejected, match="no location 'MOON'"):
        list(opened(erp, hub_kit, locations=("WH", "MOON")).pull("stock", ""))


def test_posted_invoices_come_once_each(erp: Erp, hub_kit: Kit) -> None:
    tryton = opened(erp, hub_kit)
    tryton.push(out(order()))
    assert list(tryton.pull("invoice", "")) == []
    (sale,) = erp.sales()
    erp.rest("POST", f"account.invoice/{sale['invoices'][0]['id']}/post?f=state", {})

    (page,) = tryton.pull("invoice", "")
    (again,) = tryton.pull("invoice", page.cursor)

    (message,) = page.messages
    invoice = json.loads(message.body)
    assert (message.event_id, again.messages[0].event_id) == ("invoice/1", "invoice/1")
    assert (invoice["state"], invoice["total_amount"], invoice["currency"]["code"]) == ("posted", "154.40", "USD")
    assert [each["reference"] for each in invoice["sales"]] == ["W-1001"]
    assert [line["amount"] for line in invoice["lines"]] == ["25.00", "124.50", "4.90"]


def test_a_wrong_key_pauses_and_a_wrong_company_is_named(erp: Erp, hub_kit: Kit) -> None:
    opened(erp, hub_kit).check()
    with pytest.raises(Paused):
        opened(erp, hub_kit, key=Secret("no")).check()
    with pytest.raises(Rejected, match="no company with the id 77"):
        opened(erp, hub_kit, company=77).check()


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (200, b'{"error": ["UserWarning", ["sale_1", "The price is low.", ""]]}', Rejected, "The price is low."),
        (400, b'{"status": 400, "message": "No stock.", "description": "At WH"}', Rejected, "No stock.: At WH"),
        (423, b"<p>Locked</p>", RetryLater, "423"),
        (503, b"<p>Down</p>", RetryLater, "503"),
    ],
)
def test_each_way_of_saying_no_has_its_recovery(
    hub_kit: Kit, status: int, body: bytes, error: type[Exception], words: str
) -> None:
    with scripted(Say(status=status, body=body)) as far, pytest.raises(error, match=words):
        opened(Erp(url=far.url, port=0, database="erp"), hub_kit).push(out(order()))
