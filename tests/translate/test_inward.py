"""Trees in: canonical documents, exact, or every problem at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.errors import Rejected
from hub.domain.order import Charge, Order, OrderLine, Skus, Totals, Unmapped
from hub.domain.party import Address, Party
from hub.testing.mapping_contract import compiled_of as compiled
from hub.testing.mapping_contract import segment as node

WEB = """
document = "order"
[order]
number = { from = "name", required = true }
placed_at = "created_at"
currency = { from = "currency", default = "EUR" }
buyer.name = "customer.name"
buyer.email = "customer.email"
ship_to.city = "shipping.city"
ship_to.country = { from = "shipping.country", as = ["country"] }
totals.grand = "total"
tags = { from = "tags", as = ["split:,"] }
extensions.shop.risk = "risk"
[[order.charges]]
kind = { value = "shipping" }
amount = "shipping_price"
[[order.charges]]
each = "fees"
kind = "type"
amount = "amount"
[order.lines]
each = "items"
line_no = "@seq"
ordered = { from = "quantity", required = true }
unit_price = "price"
sku.seller = { from = ["sku", "product.sku"] }
"""

X12 = """
document = "order"
set = "850"
[order]
number = { from = "BEG.03", required = true }
placed_on = { from = "BEG.05", as = ["date:%Y%m%d"] }
buyer.name = "N1[01=BY].02"
buyer.gln = { from = "N1[01=BY].04", when = { path = "N1[01=BY].03", is = "UL" } }
ship_to.name = "N1[01=ST].02"
ship_to.city = "N1[01=ST]/N4.01"
notes = "MSG[*].01"
[order.lines]
each = "PO1"
line_no = "01"
ordered = { from = "02", as = ["decimal"], required = true }
unit = { from = "03", table = "units" }
unit_price = "04"
sku.seller = { from = ["{VN}", "{VP}"] }
sku.buyer = "{IN}"
description = "PID[01=F].05"
[tables.units.codes]
EA = "EA"
CA = "CS"
IN = "INH"
"""


def web_order(**changes: Any) -> dict[str, Any]:
    return {
        "name": "#1001",
        "created_at": "2026-11-22T10:15:00+01:00",
        "customer": {"name": "Ada Example", "email": ""},
        "shipping": {"city": "Lyon", "country": "FRA"},
        "total": "25.90",
        "tags": "gift, first",
        "shipping_price": Decimal("4.90"),
        "items": [
            {"quantity": 2, "price": "10.50", "sku": "A-1"},
            {"quantity": "1", "price": 0, "sku": "", "product": {"sku": "B-2"}},
        ],
        **changes,
    }


def test_a_web_order_becomes_a_canonical_order() -> None:
    order = compiled(WEB).inward(web_order(risk="low", fees=[{"type": "cod", "amount": "2"}]))

    assert order == Order(
        number="#1001",
        placed_at=datetime(2026, 11, 22, 9, 15, tzinfo=UTC),
        currency="EUR",
        buyer=Party(name="Ada Example"),
        ship_to=Address(city="Lyon", country="FR"),
        totals=Totals(grand=Decimal("25.90")),
        tags=("gift", "first"),
        extensions={"shop": {"risk": "low"}},
        charges=(Charge(kind="shipping", amount=Decimal("4.90")), Charge(kind="cod", amount=Decimal(2))),
        lines=(
            OrderLine(line_no="1", ordered=Decimal(2), unit_price=Decimal("10.50"), sku=Skus(seller="A-1")),
            OrderLine(line_no="2", ordered=Decimal(1), unit_price=Decimal(0), sku=Skus(seller="B-2")),
        ),
    )


def test_a_block_without_any_value_leaves_nothing_behind() -> None:
    order = compiled(WEB).inward({"name": "#1"})

    assert order == Order(number="#1", currency="EUR")


def test_every_problem_is_told_at_once_with_its_canonical_path() -> None:
    bad = web_order(name="", total="12,50", items=[{"quantity": "x"}, {"price": "1"}])

    with pytest.raises(Rejected) as caught:
        compiled(WEB).inward(bad)

    assert [(problem.code, problem.path) for problem in caught.value.problems] == [
        ("invalid", "totals.grand"),
        ("invalid", "lines[0].ordered"),
        ("required", "lines[1].ordered"),
        ("required", "number"),
    ]
    assert "'x' is not a number" in caught.value.problems[1].text
    assert "test/it.in.toml:24" in caught.value.problems[1].text


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1_000", "1E400", "٣", "0x10", " 1 x", "1,000.00"])
def test_what_is_not_an_exact_number_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="is not a number"):
        compiled(WEB).inward(web_order(total=text))


def test_a_float_is_refused_as_money() -> None:
    with pytest.raises(Rejected, match="not an exact number"):
        compiled(WEB).inward(web_order(total=25.9))


@pytest.mark.parametrize("tree", ["text", None, 7, node("")])
def test_a_tree_of_another_kind_is_rejected(tree: Any) -> None:
    with pytest.raises(Rejected, match="this mapping reads dict or list"):
        compiled(WEB).inward(tree)


@pytest.mark.parametrize("items", ["text", 7, [1, "x"], [[]], {"quantity": []}])
def test_lines_of_a_wrong_shape_are_problems_and_not_crashes(items: Any) -> None:
    with pytest.raises(Rejected) as caught:
        compiled(WEB).inward(web_order(items=items))

    assert caught.value.problems[0].path == "lines[0].ordered"


def test_an_x12_order_becomes_a_canonical_order() -> None:
    tree = node(
        "",
        node("BEG*00*SA*PO-1**20261122"),
        node("N1*BY*Sample Stores*UL*0614141000012"),
        node("N1*ST*Store 7*92*0007", node("N3*1 Sample Street"), node("N4*Sampleton*NY*10001")),
        node("MSG*Ring twice"),
        node("MSG*Back door"),
        node("PO1*1*5*IN*9.00**IN*123*VN*A-1", node("PID*F****Ribbon")),
        node("PO1*2*2*CA*1.5**VP*B-2"),
    )

    order = compiled(X12).inward(tree)

    assert order == Order(
        number="PO-1",
        placed_on=date(2026, 11, 22),
        buyer=Party(name="Sample Stores", gln="0614141000012"),
        ship_to=Address(name="Store 7", city="Sampleton"),
        notes=("Ring twice", "Back door"),
        lines=(
            OrderLine(
                line_no="1", ordered=Decimal(5), unit="INH", unit_price=Decimal("9.00"), description="Ribbon",
                sku=Skus(seller="A-1", buyer="123"),
            ),
            OrderLine(
                line_no="2", ordered=Decimal(2), unit="CS", unit_price=Decimal("1.5"), sku=Skus(seller="B-2")
            ),
        ),
    )  # fmt: skip


def test_a_value_is_left_out_where_its_condition_does_not_hold() -> None:
    tree = node("", node("BEG*00*SA*PO-1"), node("N1*BY*Sample Stores*92*0012"))

    assert compiled(X12).inward(tree).buyer == Party(name="Sample Stores")


def test_a_code_that_is_not_in_the_table_is_a_problem_with_its_segment() -> None:
    tree = node("", node("BEG*00*SA*PO-1"), node("PO1*1*5*ZZ*1", number=4))

    with pytest.raises(Rejected) as caught:
        compiled(X12).inward(tree)

    [problem] = caught.value.problems
    assert (problem.path, problem.value, problem.at and problem.at.segment) == ("lines[0].unit", "ZZ", 4)


def test_parents_are_reached_from_within_a_loop() -> None:
    text = """
    document = "shipment"
    set = "856"
    [shipment]
    number = "BSN.02"
    [shipment.packages]
    each = "HL[03=S]/HL[03=O]/HL[03=P]"
    sscc = "MAN[01=GM].02"
    id = "../PRF.01"
    [shipment.packages.contents]
    each = "HL[03=I]"
    line_no = "LIN.01"
    item_id = "../../REF.02"
    quantity = "SN1.02"
    gtin = "LIN{UP}"
    """
    item = node("HL*4*3*I", node("LIN*1*UP*036000291452"), node("SN1**12*EA"))
    pack = node("HL*3*2*P", node("MAN*GM*000000000000000001"), item)
    order = node("HL*2*1*O", node("PRF*PO-1"), node("REF*DP*77"), pack)
    tree = node("", node("BSN*00*S-1"), node("HL*1**S", order))

    [package] = compiled(text).inward(tree).packages

    assert (package.sscc, package.id) == ("000000000000000001", "PO-1")
    assert (package.contents[0].item_id, package.contents[0].gtin) == ("77", "036000291452")


def test_values_that_no_rule_reads_are_kept_where_the_mapping_says_so() -> None:
    text = 'document = "order"\nunmapped = "keep"\n[order]\nnumber = "name"\n'

    order = compiled(text).inward({"name": "1", "gift": True, "note": "", "extra": {"a": [1]}})

    assert order.unmapped == (Unmapped(path="gift", value="true"), Unmapped(path="extra", value='{"a":[1]}'))


def test_one_bad_tree_does_not_stop_its_siblings() -> None:
    results = compiled(WEB).inward_many([{"name": "1"}, {}, {"name": "3"}])

    assert [getattr(result, "number", None) for result in results] == ["1", None, "3"]


def test_a_change_says_that_it_is_one() -> None:
    text = 'document = "order_change"\n[order_change]\nnumber = "no"\n'

    assert compiled(text).inward({"no": "7"}).purpose == "change"


ATTRIBUTES = """
document = "order"
syntax = "xml"
[order]
number = "Order.ID"
currency = "Order.Total.@currency"
totals.grand = "Order.Total"
buyer.gln = "Order.Party[Code.@scheme=gln].Code"
notes = "Order.Note[*]"
release = { value = "held", when = { path = "Order.Hold", is = "yes" } }
[order.lines]
each = "Order.Line"
line_no = "@seq"
ordered = "Quantity"
unit = "Quantity.@unit"
"""


def test_a_path_that_ends_at_an_xml_element_means_its_text_with_attributes_or_without() -> None:
    mapping = compiled(ATTRIBUTES)
    inwards = mapping.inwards
    assert inwards is not None
    tree = {
        "Order": {
            "ID": {"@scheme": "x", "#text": "7"},
            "Total": {"@currency": "EUR", "#text": "5.00"},
            "Party": [{"Code": {"@scheme": "duns", "#text": "1"}}, {"Code": {"@scheme": "gln", "#text": "2"}}],
            "Note": ["a", {"@lang": "de", "#text": "b"}],
            "Hold": {"@by": "us", "#text": "yes"},
            "Line": {"Quantity": {"@unit": "C62", "#text": "3"}},
        }
    }

    for found in (mapping.inward(tree), inwards.by_rules(tree)):
        assert (found.number, found.currency, found.totals.grand) == ("7", "EUR", Decimal("5.00"))
        assert (found.buyer.gln, found.notes, found.release) == ("2", ("a", "b"), "held")
        assert [(line.line_no, line.ordered, line.unit) for line in found.lines] == [("1", Decimal(3), "C62")]


def test_an_attribute_of_the_current_element_is_no_counter() -> None:
    mapping = compiled(ATTRIBUTES.replace('ordered = "Quantity"', 'ordered = "@quantity"\nexternal_id = "@seqNo"'))
    inwards = mapping.inwards
    assert inwards is not None
    tree = {"Order": {"ID": "7", "Line": [{"@quantity": "5", "@seqNo": "a"}, {"@quantity": "9", "@seqNo": "b"}]}}

    for found in (mapping.inward(tree), inwards.by_rules(tree)):
        assert [(line.line_no, line.ordered, line.external_id) for line in found.lines] == [
            ("1", Decimal(5), "a"), ("2", Decimal(9), "b"),
        ]  # fmt: skip


def test_an_element_with_attributes_only_says_nothing() -> None:
    mapping = compiled(ATTRIBUTES)
    inwards = mapping.inwards
    assert inwards is not None
    tree = {"Order": {"ID": "7", "Note": {"@lang": "de"}, "Hold": {"@by": "us"}, "Total": {"@currency": "EUR"}}}

    for found in (mapping.inward(tree), inwards.by_rules(tree)):
        assert (found.notes, found.release, found.totals.grand, found.currency) == ((), "", None, "EUR")
