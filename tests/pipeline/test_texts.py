"""Texts from outside: what cannot be stored is named with its path, and two names never become one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.domain.order import Order, OrderLine, Skus
from hub.domain.texts import LONGEST_NAME, encoded, is_storable, may_hold_unstorable, named, overlong, shown, unstorable


def line(**sku: str) -> OrderLine:
    return OrderLine(line_no="1", ordered=Decimal(1), sku=Skus(**sku))


@pytest.mark.parametrize("text", ["", "A-1", "Größe\n2", "\U0001f4a9", "x" * LONGEST_NAME])
def test_what_can_be_stored_stays_as_it_is(text: str) -> None:
    assert is_storable(text)
    assert (named(text), shown(text)) == (text, text)


def test_names_that_cannot_be_stored_stay_apart_from_each_other_and_from_what_is_shown_of_them() -> None:
    names = ["A\0B", "A\ud800B", "A\ud801B", "A\ufffdB", "A" * 5_000, "A" * 5_001]

    found = [named(each) for each in names]

    assert len(set(found)) == len(names)
    assert all(is_storable(each) and len(each) <= LONGEST_NAME for each in found)


def test_people_are_shown_a_mark_in_place_of_what_cannot_be_stored() -> None:
    assert shown("A\0B\udfffC") == "A\ufffdB\ufffdC"
    assert shown("ABCDEF", 3) == "ABC"
    assert encoded({"a\ud800": ["b\udc00", 1]}) == '{"a\ufffd":["b\ufffd",1]}'


def test_each_text_that_cannot_be_stored_is_told_with_its_path() -> None:
    order = Order(number="N\0", lines=(line(buyer="\ud800"),))

    assert [each.path for each in unstorable(order)] == ["number", "lines[0].sku.buyer"]
    assert [each.path for each in unstorable({"a": [{"b": "\0"}], "c": "d"})] == ["a[0].b"]


def test_names_that_are_too_long_are_told_with_their_path() -> None:
    long = "A" * (LONGEST_NAME + 1)

    found = list(overlong(Order(number=long, lines=(line(seller=long), line(gtin="4")))))

    assert [each.path for each in found] == ["number", "lines[0].sku"]
    assert list(overlong(Order(number="N", lines=(line(seller="S"),)))) == []


def test_bytes_without_a_sign_of_it_are_not_looked_through() -> None:
    assert not may_hold_unstorable(b'{"id": "A\\u00e4"}')
    assert may_hold_unstorable(b'{"id": "A\\u0000"}')
    assert may_hold_unstorable(b'{"id": "\\uD800"}')
    assert may_hold_unstorable(b"ISA*\0*")
