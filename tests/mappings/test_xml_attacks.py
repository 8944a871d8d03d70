"""What XML can be attacked with, tried on the way of each family: codec, then mapping."""

from __future__ import annotations

import pytest

from hub.ports import Profile

from .samples import decoded, sample

WAYS = {
    "ubl/order.in": "ubl/order-bare.xml",
    "cxml/order_request.in": "cxml/order-request.xml",
    "idoc/orders.in": "idoc/orders-retail.xml",
}
BOMB = b'<!DOCTYPE %s [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = b'<!DOCTYPE %s [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
PUBLIC = b'<!DOCTYPE %s PUBLIC "-//x//y" "http://dtd.example/x.dtd">'
PARAMETER = b'<!DOCTYPE %s SYSTEM "x" [<!ENTITY %% p SYSTEM "http://dtd.example/p">%%p;]>'


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """A mapping, and a sound message without declaration and document type."""
    body = sample(WAYS[request.param])
    for mark in (b"<Order ", b"<cXML ", b"<ORDERS05>"):
        body = body[body.find(mark) :] if mark in body else body
    assert decoded(request.param, body)[0].problems == ()
    return request.param, body


@pytest.mark.parametrize("attack", [BOMB, OUTSIDE, PUBLIC, PARAMETER], ids=["bomb", "file", "public", "parameter"])
def test_a_document_type_is_refused_and_nothing_is_fetched(way: tuple[str, bytes], attack: bytes) -> None:
    mapping, body = way
    root = body[1:].split(b" ")[0].split(b">")[0]

    (found,) = decoded(mapping, attack % root + body)

    assert [(each.code, each.severity) for each in found.problems] == [("xml_doctype", "error")]
    assert found.tree == {}


def test_depth_is_refused_with_its_cap(way: tuple[str, bytes]) -> None:
    mapping, body = way
    close = body.rstrip().rfind(b"</")
    deep = body[:close] + b"<Note>" * 120 + b"</Note>" * 120 + body[close:]

    (found,) = decoded(mapping, deep)

    assert [(each.code, each.text) for each in found.problems] == [
        ("xml_too_deep", "the XML nests deeper than 100 levels")
    ]


def test_size_and_number_of_elements_are_refused_with_their_caps(way: tuple[str, bytes]) -> None:
    mapping, body = way

    (large,) = decoded(mapping, body, Profile(max_bytes=100))
    (many,) = decoded(mapping, body, Profile(max_segments=5))

    assert large.problems[0].text == f"the message has {len(body)} bytes; agreed are 100"
    assert many.problems[0].text == "more than 5 elements"


def test_what_is_no_xml_is_refused_with_its_place(way: tuple[str, bytes]) -> None:
    mapping, body = way

    (found,) = decoded(mapping, body[:-20])

    (problem,) = found.problems
    assert problem.code == "xml_damaged"
    assert problem.at is not None
    assert len(body) - 200 < problem.at.offset <= len(body)
