"""JSON, XML and CSV: exact numbers, no attacks, no formulas."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.codecs.plain_csv import CODEC as CSV
from hub.codecs.plain_json import CODEC as JSON
from hub.codecs.plain_xml import CODEC as XML
from hub.domain.errors import Rejected
from hub.domain.tree import Decoded
from hub.ports import Codec, Profile
from hub.testing.codec_contract import decode_all


def _one(codec: Codec, body: bytes, profile: Profile | None = None) -> Decoded:
    (decoded,) = decode_all(codec, body, profile)
    return decoded


def test_json_numbers_are_exact() -> None:
    tree = _one(JSON, b'{"a": 1.10, "b": 12345678901234567890, "c": 0.1}').tree
    assert tree == {"a": Decimal("1.10"), "b": 12345678901234567890, "c": Decimal("0.1")}
    assert str(tree["a"]) == "1.10"
    assert JSON.encode([{"a": Decimal("1.10"), "b": Decimal("1E+2")}], {}) == b'{"a":1.10,"b":100}'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"a": NaN}', "json_damaged"), (b'{"a": 1e999999}', "json_damaged"), (b'{"a": ', "json_damaged"),
        (b"[" * 100_000, "json_damaged"), (b"[" * 150 + b"]" * 150, "json_too_deep"), (b'"\xff"', "text_undecodable"),
        (b"1" * 10_000, "json_damaged"),
    ],
)  # fmt: skip
def test_json_that_cannot_be_trusted_is_refused(body: bytes, code: str) -> None:
    assert [problem.code for problem in _one(JSON, body).problems] == [code]


def test_json_refuses_what_is_not_exact() -> None:
    with pytest.raises(Rejected, match="float"):
        JSON.encode([{"a": 1.5}], {})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "xml_doctype"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'.encode("utf-16"), "xml_doctype"),
        (b"<a>\n<b></a>", "xml_damaged"), (b"<a>" * 150 + b"</a>" * 150, "xml_too_deep"),
        (b"<a>" * 100_000, "xml_damaged"), (b"<a>&undefined;</a>", "xml_damaged"),
    ],
)  # fmt: skip
def test_xml_that_attacks_is_refused(body: bytes, code: str) -> None:
    assert [problem.code for problem in _one(XML, body).problems] == [code]


def test_xml_becomes_dicts_without_namespaces() -> None:
    body = b'<o:A xmlns:o="urn:a" o:id="1"><!-- no --><o:B>x</o:B><B u="k">y</B><C/></o:A>'
    assert _one(XML, body).tree == {"A": {"@id": "1", "B": ["x", {"@u": "k", "#text": "y"}], "C": ""}}


@pytest.mark.parametrize("name", ["a b", "a><x", "1a", ""])
def test_xml_names_are_checked_on_writing(name: str) -> None:
    with pytest.raises(Rejected):
        XML.encode([{"Order": {name: "1"}}], {})


def test_csv_cells_that_look_like_formulas_are_disarmed() -> None:
    rows = [{"sku": "=1+1", "note": "+x", "price": Decimal("-5.00")}, {"sku": "@a", "note": "-b", "price": "1"}]
    assert CSV.encode([{"rows": rows}], {}) == b"sku,note,price\r\n'=1+1,'+x,-5.00\r\n'@a,'-b,1\r\n"
    assert CSV.encode([{"rows": rows[:1]}], {"raw": True, "delimiter": ";"}) == b"sku;note;price\r\n=1+1;+x;-5.00\r\n"


def test_a_csv_row_with_too_many_cells_is_named() -> None:
    decoded = _one(CSV, b"a;b\r\n1;2\r\n3;4;5\r\n")
    assert decoded.tree == {"rows": [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]}
    assert [problem.text for problem in decoded.problems] == ["line 3 has 3 cells for 2 columns"]
