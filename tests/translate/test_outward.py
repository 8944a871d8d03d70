"""Documents out: ordered segments with counters, and dicts and lists."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from hub.domain.errors import Rejected
from hub.domain.invoice import Invoice, InvoiceLine
from hub.domain.order import Order, OrderLine, Skus, Totals
from hub.domain.party import Address
from hub.domain.shipment import FulfillmentLine, Package, Shipment
from hub.testing.mapping_contract import compiled_of

NOTICE = """
document = "shipment"
set = "856"
[[segment]]
id = "bsn"
tag = "BSN"
01 = { value = "00" }
02 = { from = "number", required = true }
[[segment]]
id = "hl-shipment"
tag = "HL"
01 = "@hl"
03 = { value = "S" }
[[segment]]
id = "ship-to"
under = "hl-shipment"
tag = "N1"
01 = { value = "ST" }
02 = "ship_to.name"
[[segment]]
id = "ship-to-place"
under = "ship-to"
tag = "N4"
01 = "ship_to.city"
[[segment]]
id = "hl-pack"
under = "hl-shipment"
tag = "HL"
each = "packages"
01 = "@hl"
02 = "@parent"
03 = { value = "P" }
[[segment]]
id = "marks"
under = "hl-pack"
tag = "MAN"
01 = { value = "GM" }
02 = { from = "sscc", as = ["sscc18"], required = true }
[[segment]]
id = "hl-item"
under = "hl-pack"
tag = "HL"
each = "contents"
01 = "@hl"
02 = "@parent"
03 = { value = "I" }
[[segment]]
id = "sn1"
under = "hl-item"
tag = "SN1"
01 = "@seq"
02 = "quantity"
05.02 = "../sscc"
[[segment]]
id = "ctt"
tag = "CTT"
01 = "@count:HL"
"""


def line(number: str, quantity: str) -> FulfillmentLine:
    return FulfillmentLine(line_no=number, item_id="", quantity=Decimal(quantity))


def shipment(**changes: object) -> Shipment:
    packages = (
        Package(sscc="006141410000000012", contents=(line("1", "2.50"), line("2", "1"))),
        Package(sscc="006141410000000029", contents=(line("3", "1E+1"),)),
    )
    return Shipment(**{"number": "S-1", "packages": packages, **changes})  # type: ignore[arg-type]


def test_blocks_repeat_within_each_other_and_count() -> None:
    assert compiled_of(NOTICE, "out").outward(shipment()) == [
        ["BSN", "00", "S-1"],
        ["HL", "1", "", "S"],
        ["HL", "2", "1", "P"],
        ["MAN", "GM", "006141410000000012"],
        ["HL", "3", "2", "I"],
        ["SN1", "1", "2.50", "", "", ["", "006141410000000012"]],
        ["HL", "4", "2", "I"],
        ["SN1", "2", "1", "", "", ["", "006141410000000012"]],
        ["HL", "5", "1", "P"],
        ["MAN", "GM", "006141410000000029"],
        ["HL", "6", "5", "I"],
        ["SN1", "1", "10", "", "", ["", "006141410000000029"]],
        ["CTT", "6"],
    ]


def test_an_empty_segment_is_written_where_something_stands_below_it() -> None:
    segments = compiled_of(NOTICE, "out").outward(shipment(packages=(), ship_to=Address(city="Lyon")))

    assert segments == [["BSN", "00", "S-1"], ["HL", "1", "", "S"], ["N1", "ST"], ["N4", "Lyon"], ["CTT", "1"]]


def test_every_problem_of_a_document_is_told_at_once() -> None:
    packages = (Package(sscc="006141410000000013", contents=(line("1", "1"),)), Package(contents=(line("2", "1"),)))

    with pytest.raises(Rejected) as caught:
        compiled_of(NOTICE, "out").outward(shipment(packages=packages))

    assert [(problem.code, problem.path) for problem in caught.value.problems] == [
        ("invalid", "packages[0].sscc"),
        ("required", "packages[1].sscc"),
    ]


def test_a_partner_replaces_inserts_and_removes_blocks() -> None:
    own = """
    extends = "x12/856.out"
    [[segment]]
    id = "bsn"
    tag = "BSN"
    02 = "number"
    [[segment]]
    id = "ref"
    tag = "REF"
    after = "ship-to"
    01 = { value = "BM" }
    02 = "order_number"
    [[segment]]
    id = "hl-pack"
    remove = true
    """

    mapping = compiled_of(own, "out", {"x12/856.out": NOTICE})
    segments = mapping.outward(shipment(order_number="7", ship_to=Address(name="Ada")))

    assert segments == [["BSN", "", "S-1"], ["HL", "1", "", "S"], ["N1", "ST", "Ada"], ["REF", "BM", "7"], ["CTT", "1"]]


def test_a_field_that_the_document_does_not_have_is_a_fault_of_the_mapping() -> None:
    with pytest.raises(Rejected, match=r"it.out.toml:8: .*Shipment has no field 'nummer'"):
        compiled_of(NOTICE.replace('"number"', '"nummer"'), "out")


def test_json_keeps_decimals_order_and_leaves_out_what_is_empty() -> None:
    text = """
    document = "order"
    [body]
    no = "number"
    at = "placed_at"
    buyer.name = "buyer.name"
    [body.price]
    "=value" = "totals.grand"
    currency = { from = "currency", default = "EUR" }
    [body.items]
    each = "lines"
    sku = "sku.seller"
    qty = "ordered"
    order = "../number"
    """
    lines = (OrderLine(line_no="1", ordered=Decimal("2.0"), sku=Skus(seller="A")),)
    order = Order(number="7", placed_at=datetime(2026, 11, 22, 9, tzinfo=UTC), lines=lines)

    tree = compiled_of(text, "out").outward(order)

    assert tree == {
        "no": "7",
        "at": "2026-11-22T09:00:00Z",
        "items": [{"sku": "A", "qty": Decimal("2.0"), "order": "7"}],
    }
    assert list(tree) == ["no", "at", "items"]


def test_csv_has_one_row_for_each_line() -> None:
    text = """
    document = "order"
    [[row]]
    each = "lines"
    [row.columns]
    "Order No" = "../number"
    Quantity = "ordered"
    """
    lines = (OrderLine(line_no="1", ordered=Decimal(2)), OrderLine(line_no="2", ordered=Decimal("0.5")))

    tree = compiled_of(text, "out").outward(Order(number="7", lines=lines))

    assert tree == {"rows": [{"Order No": "7", "Quantity": "2"}, {"Order No": "7", "Quantity": "0.5"}]}


def test_a_mapping_works_one_way_only() -> None:
    with pytest.raises(Rejected, match="maps outward; it cannot read a tree"):
        compiled_of(NOTICE, "out").inward({})


ELEMENTS = """
document = "invoice"
syntax = "xml"
[body.Total]
"@currency" = "currency"
"#text" = { from = "totals.grand", as = ["fixed:2"] }
[body.Fee]
"@currency" = "currency"
"#text" = { from = "totals.charges", default = "0.00" }
[body.Note]
each = "lines"
"@line" = "line_no"
"#text" = "description"
"""


def test_an_xml_element_without_its_text_is_left_out_and_its_attributes_with_it() -> None:
    line = InvoiceLine(line_no="1", quantity=Decimal(1), unit_price=Decimal(1), amount=Decimal(1))
    lines = (line, msgspec.structs.replace(line, line_no="2", description="cup"))
    compiled = compiled_of(ELEMENTS, "out")
    outwards = compiled.outwards
    assert outwards is not None

    for given, total in ((Totals(), {}), (Totals(grand=Decimal(5)), {"Total": {"@currency": "EUR", "#text": "5.00"}})):
        invoice = Invoice(number="1", currency="EUR", lines=lines, totals=given)
        expected = {**total, "Fee": {"@currency": "EUR", "#text": "0.00"}, "Note": [{"@line": "2", "#text": "cup"}]}
        assert compiled.outward(invoice) == outwards.by_rules(invoice) == expected
