"""Sets whose segments may stand at several places: the arrangement that breaks no rule counts, where there is one."""

from __future__ import annotations

from hub.codecs import hub_codecs
from hub.codecs.guide import load_guide
from hub.codecs.machine import machine
from hub.codecs.rearranging import arrange
from hub.domain.tree import Decoded
from hub.ports import Profile
from hub.testing.codec_contract import decode_all

CODECS = {codec.name: codec for codec in hub_codecs()}


def edifact(kind: str, *segments: str) -> Decoded:
    body = f"UNB+UNOC:3+A:14+B:14+261122:1000+1'UNH+1+{kind}:D:96A:UN'{''.join(f'{each}~' for each in segments)}"
    text = body.replace("~", "'") + f"UNT+{len(segments) + 2}+1'UNZ+1+1'"
    (found,) = decode_all(CODECS["edifact"], text.encode(), Profile(guide=f"edifact/{kind}-D96A"))
    return found


def x12(kind: str, *segments: str) -> Decoded:
    head = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *261122*1000*U*00401*000000001*0*P*>~"
    body = f"GS*XX*A*B*20261122*1000*1*X*004010~ST*{kind}*0001~{''.join(f'{each}~' for each in segments)}"
    text = f"{head}{body}SE*{len(segments) + 2}*0001~GE*1*1~IEA*1*000000001~"
    (found,) = decode_all(CODECS["x12"], text.encode(), Profile(guide=f"x12/{kind}-004010"))
    return found


def test_a_place_after_a_party_opens_the_group_of_its_sales() -> None:
    found = edifact(
        "SLSRPT", "BGM+73+1", "DTM+137:20261120:102", "NAD+SU+1::9", "LOC+162+7", "LIN+1++123:EN", "QTY+153:5"
    )
    assert found.problems == ()
    (place,) = found.tree.children["LOC"]
    assert [line.tag for line in place.children["LIN"]] == ["LIN"]
    assert "LOC" not in found.tree.children["NAD"][0].children


def test_a_place_within_a_party_stays_there_where_another_opens_the_group() -> None:
    found = edifact(
        "SLSRPT",
        "BGM+73+1",
        "DTM+137:20261120:102",
        "NAD+SU+1::9",
        "LOC+1+A",
        "LOC+162+7",
        "LIN+1++123:EN",
        "QTY+153:5",
    )
    assert found.problems == ()
    assert len(found.tree.children["NAD"][0].children["LOC"]) == 1
    assert len(found.tree.children["LOC"]) == 1


def test_numbers_and_conditions_are_checked_in_the_arrangement_that_stands() -> None:
    found = edifact(
        "SLSRPT", "BGM+73+1", "DTM+137:20261120:102", "NAD+SU+1::9", "LOC+162+7", "LIN+1++123:EN", "QTY+153:x"
    )
    assert [(problem.code, problem.path) for problem in found.problems] == [("element_number", "QTY.01.2")]


def test_where_no_arrangement_is_legal_the_first_findings_stand() -> None:
    found = edifact("SLSRPT", "BGM+73+1", "DTM+137:20261120:102", "NAD+SU+1::9", "LIN+1++123:EN")
    assert {problem.code for problem in found.problems} == {"segment_unknown", "segment_missing"}


def test_items_are_counted_wherever_they_hang() -> None:
    loose = edifact("RECADV", "BGM+632+1", "DTM+137:20261120:102", "LIN+1++1:EN", "CNT+2:1")
    packed = edifact("RECADV", "BGM+632+1", "DTM+137:20261120:102", "CPS+1", "LIN+1++1:EN", "LIN+2++2:EN", "CNT+2:2")
    wrong = edifact("RECADV", "BGM+632+1", "DTM+137:20261120:102", "CPS+1", "LIN+1++1:EN", "CNT+2:2")
    assert loose.problems == packed.problems == ()
    assert [problem.code for problem in wrong.problems] == ["total_wrong"]


def test_a_full_place_is_passed_over_for_the_next() -> None:
    lines = ("SAC*C*D240***100", "CUR*BY*USD", "CTP**UCP*1", "CTP**UCP*2")
    found = x12("850", "BEG*00*SA*1**20261120", "PO1*1*1*EA*1", "SLN*1**I*1*EA", *lines)
    assert found.problems == ()


def test_a_search_has_an_end() -> None:
    guide = load_guide("edifact/SLSRPT-D96A")
    tags = ["BGM", "DTM", *(["NAD"] + ["LOC"] * 9 + ["RFF"] * 9) * 90, "BGM"]
    assert arrange(machine(guide, "+", ":"), tags) is None
