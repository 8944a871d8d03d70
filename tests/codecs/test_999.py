"""The 999: a 997's words, its own segments, and codes for what a guide asks beyond the standard."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.codecs import hub_codecs
from hub.codecs.acknowledge import functional_acknowledgement, read_acknowledgement
from hub.codecs.answers import set_result
from hub.domain.errors import Position, Problem
from hub.ports import Profile
from hub.testing.codec_contract import decode_all

HERE = Path(__file__).parent
X12 = next(codec for codec in hub_codecs() if codec.name == "x12")
MOMENT = {"date": "20261122", "time": "1030", "newline": True}
CONTROL = {"interchange": 900, "group": 90, "sets": [1]}


def answer(name: str, *also: Problem, kind: str = "999") -> bytes:
    (decoded,) = decode_all(X12, (HERE / "x12/850" / name).read_bytes(), Profile(guide="x12/850-004010"))
    made = functional_acknowledgement(decoded.facts, [set_result(decoded, also=also)], kind)
    assert made is not None
    assert made.kind == kind
    return X12.encode(made.documents, {**made.envelope, **MOMENT, "control": CONTROL})


def test_it_speaks_its_own_version_and_names_its_guide() -> None:
    lines = answer("pass/basic.edi").decode().split("~\n")
    assert lines[0].endswith("*^*00501*000000900*0*P*>")
    assert lines[1] == "GS*FA*OURHOUSE*NORTHSUPPLY*20261122*1030*90*X*005010X231A1"
    assert lines[2:7] == ["ST*999*0001*005010X231A1", "AK1*PO*11*004010", "AK2*850*0001", "IK5*A", "AK9*A*1*1*1"]


def test_a_wrong_element_stands_in_its_own_segments() -> None:
    lines = answer("fail/element_number.edi").decode().split("~\n")
    assert lines[3:9] == ["AK1*PO*11*004010", "AK2*850*0001", "IK3*PO1*13**8", "IK4*2**6*4X", "IK5*R*5", "AK9*R*1*1*0"]


@pytest.mark.parametrize(("kind", "codes"), [("999", ("I4", "I10")), ("997", ("2", "10"))])
def test_what_only_the_guide_forbids_has_codes_of_its_own(kind: str, codes: tuple[str, str]) -> None:
    segment = Problem(code="segment_forbidden", at=Position(segment=5, tag="REF"))
    element = Problem(code="element_forbidden", value="X", at=Position(segment=6, tag="PER", element=2))
    text = answer("pass/basic.edi", segment, element, kind=kind).decode()
    letters = "IK" if kind == "999" else "AK"
    assert f"{letters}3*REF*5**{codes[0]}~" in text
    assert f"{letters}4*2**{codes[1]}*X~" in text


def test_it_is_valid_against_its_dictionary_and_read_back_in_words() -> None:
    (decoded,) = decode_all(X12, answer("fail/element_number.edi"), Profile(guide="x12/999-005010"))
    assert decoded.problems == ()
    verdict, group = read_acknowledgement(decoded)
    assert (verdict.status, verdict.set, verdict.set_control) == ("rejected", "850", "0001")
    assert "segment 13 PO1.02" in verdict.words
    assert group.words == "0 of 1 sets accepted"
