"""Partners who want other answers than the usual: 999 in place of 997, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from .conftest import Company
from .test_edi_x12 import SELLER, answer_lines, interchange, purchase

Found = Callable[[Mapping[str, str]], Company]


def answering(kinds: str) -> Mapping[str, str]:
    return {name: text.replace('answer = ["997"]', f"answer = {kinds}") for name, text in SELLER.items()}


@pytest.mark.parametrize(("kinds", "sets"), [('["999"]', ["999"]), ('["997", "999"]', ["997", "999"])])
def test_each_answer_that_was_agreed_goes_out_once(kinds: str, sets: list[str], company: Found) -> None:
    seller = company(answering(kinds))

    seller.take("north", interchange(purchase("1"), purchase("2", "0002", "two"), control=5))
    seller.work()
    seller.take("north", interchange(purchase("1"), purchase("2", "0002", "two"), control=5))
    seller.work()

    answers = {text.partition("ST*")[2][:3]: text for text in seller.texts("north", "receipt")}
    assert sorted(answers) == sets
    body = answer_lines(answers["999"])
    assert body[0] == "AK1*PO*5*004010"
    assert body[1:3] == ["AK2*850*0001", "IK5*A"]
    assert body[3:] == ["AK2*850*0002", "IK3*PO1*8**8", "IK4*2**6*two", "IK5*R*5", "AK9*P*2*2*1"]
    assert seller.rows("SELECT count(*) FROM orders") == [(1,)]
    subjects = seller.rows("SELECT DISTINCT subject_id FROM deliveries WHERE send = 'receipt'")
    assert len(subjects) == len(sets)


ADVICE = """
[[agreement]]
direction = "out"
document = "application_advice"
codec = "x12"
mapping = "x12/824.out"
envelope = { sender = "ZZ:NORTHWIND", receiver = "ZZ:MOCKEDI", version = "00401", group = "004010", newline = true }
"""


def advised(kinds: str) -> Mapping[str, str]:
    files = dict(answering(kinds))
    files["partners/north.toml"] += ADVICE
    return files


def test_what_our_system_refuses_is_advised_and_the_syntax_is_accepted(company: Found) -> None:
    seller = company(advised('["997", "824"]'))
    strange = purchase("7", "0002").replace("BEG*00*", "BEG*ZZ*")

    seller.take("north", interchange(purchase("1"), strange, control=5))
    seller.work()

    (plain,) = seller.texts("north", "receipt")
    assert answer_lines(plain)[-1] == "AK9*A*2*2*2"
    (advice,) = seller.texts("north", "application_advice")
    lines = answer_lines(advice)
    assert lines[0].startswith("BGN*00*")
    assert any(line.startswith("OTI*TR*PO*7***") and "5*0002*850" in line for line in lines)
    assert any(line.startswith("TED*") for line in lines)
    assert [order.number for order in seller.orders()] == ["1"]
    assert seller.rows("SELECT state, reference FROM documents ORDER BY ordinal") == [
        ("applied", "1"),
        ("rejected", "7"),
    ]


def test_what_the_syntax_refuses_is_not_advised(company: Found) -> None:
    seller = company(advised('["997", "824"]'))

    seller.take("north", interchange(purchase("1"), purchase("2", "0002", "two"), control=5))
    seller.work()

    (plain,) = seller.texts("north", "receipt")
    assert "AK5*R*5" in plain
    assert seller.texts("north", "application_advice") == []
