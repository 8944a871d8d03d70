"""Edges at which the function that a mapping runs as must do what the rules say; both are asked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hub.domain.order import Order, OrderLine, Skus
from hub.domain.party import Address
from hub.testing.mapping_contract import compiled_of
from hub.testing.mapping_contract import segment as node
from hub.translate.compile import Compiled


def both(mapping: Compiled, given: Any) -> Any:
    """Map straight and rule by rule, and return what both gave."""
    made: Any = mapping.inwards or mapping.outwards
    straight = made.straight.run(given)
    assert straight == made.by_rules(given)
    return straight


def test_the_first_of_two_segments_that_fit_counts() -> None:
    mapping = compiled_of(
        'document = "order"\nset = "850"\n[order]\nnumber = "N1[01=ST].02"\nrelease = "N1[01=BY].02"\n'
    )

    order = both(mapping, node("", node("N1*ST*A"), node("N1*BY*B"), node("N1*ST*C")))

    assert (order.number, order.release) == ("A", "B")


def test_a_pair_without_a_value_is_looked_for_in_the_next_repeat() -> None:
    mapping = compiled_of('document = "order"\nset = "ORDERS"\n[order]\nnumber = "PIA{SA}"\nrelease = "PIA{IN}"\n')

    order = both(mapping, node("", node("PIA*1*>SA*9>IN"), node("PIA*1*7>SA*8>IN")))

    assert (order.number, order.release) == ("7", "9")


def test_a_condition_on_an_empty_element_never_holds() -> None:
    rule = 'release = { from = "BEG.01", when = { path = "BEG.02", in = ["", "x"] } }'
    mapping = compiled_of(f'document = "order"\nset = "850"\n[order]\nnumber = "BEG.01"\n{rule}\n')

    assert both(mapping, node("", node("BEG*1*"))).release == ""
    assert both(mapping, node("", node("BEG*1*x"))).release == "1"


def test_an_empty_text_is_no_value_where_several_sources_are_named() -> None:
    mapping = compiled_of('document = "order"\n[order]\nnumber = "n"\npurpose = ["a", "b"]\n')

    assert both(mapping, {"n": "1", "a": "", "b": ""}).purpose == "original"


def test_an_empty_text_from_above_is_no_argument() -> None:
    text = """
    document = "order"
    [body.items]
    each = "lines"
    a = { from = "unit", args = ["../currency"], as = ["plus"] }
    """
    lines = (OrderLine(line_no="1", ordered=Decimal(1), unit="5"),)

    assert both(compiled_of(text, "out"), Order(number="1", lines=lines)) == {"items": [{"a": Decimal(5)}]}


def test_numbers_of_blocks_that_are_taken_back_are_given_again() -> None:
    text = """
    document = "order"
    set = "856"
    [[segment]]
    id = "place"
    tag = "N1"
    02 = "ship_to.name"
    [[segment]]
    id = "city"
    under = "place"
    tag = "HL"
    01 = "@hl"
    02 = "ship_to.city"
    [[segment]]
    tag = "HL"
    01 = "@hl"
    """
    mapping = compiled_of(text, "out")

    assert both(mapping, Order(number="1")) == [["HL", "1"]]
    assert both(mapping, Order(number="1", ship_to=Address(city="Lyon"))) == [["N1"], ["HL", "1", "Lyon"], ["HL", "2"]]


def test_a_line_is_picked_by_its_place() -> None:
    mapping = compiled_of('document = "order"\n[body]\na = "lines[1].sku.seller"\nb = "lines[2].sku.seller"\n', "out")
    lines = tuple(OrderLine(line_no=no, ordered=Decimal(1), sku=Skus(seller=no)) for no in ("1", "2"))

    assert both(mapping, Order(number="1", lines=lines)) == {"a": "2"}


def test_a_date_with_a_time_behind_it_is_the_date() -> None:
    rule = 'placed_on = { from = "DTM[01=137].01.02", args = ["DTM[01=137].01.03"], as = ["dtm"] }'
    mapping = compiled_of(f'document = "order"\nset = "ORDERS"\n[order]\nnumber = "BGM.02"\n{rule}\n')

    order = both(mapping, node("", node("BGM*220*1"), node("DTM*137>202611221015>102")))

    assert order.placed_on == date(2026, 11, 22)
