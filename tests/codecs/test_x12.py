"""X12: trees by the dictionary, places of problems, frames, siblings, and writing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.codecs.x12.codec import CODEC
from hub.domain.errors import Rejected
from hub.domain.tree import Decoded, Node
from hub.ports import Profile
from hub.testing.codec_contract import decode_all

HERE = Path(__file__).parent
HEAD = b"ISA*00*          *00*          *ZZ*NORTH          *ZZ*US             *261122*1015*U*00401*%09d*0*P*>~"
ENVELOPE: dict[str, Any] = {
    "sender": "ZZ:US", "receiver": "01:THEM", "set": "855", "version": "00401", "group": "004010",
    "separators": ["*", "~", ">"], "date": "20261122", "time": "1015",
    "control": {"interchange": 7, "group": 3, "sets": [12]},
}  # fmt: skip


def _read(name: str, guide: str = "") -> Decoded:
    (decoded,) = decode_all(CODEC, (HERE / "x12" / name).read_bytes(), Profile(guide=guide))
    return decoded


def _order(number: int) -> bytes:
    return b"ST*850*%04d~BEG*00*SA*PO%d**20261122~PO1*1*2*EA*1.5**VN*A~SE*4*%04d~" % (number, number, number)


def _body(count: int, control: int = 1) -> bytes:
    sets = b"".join(_order(number) for number in range(1, count + 1))
    group = b"GS*PO*NORTH*US*20261122*1015*5*X*004010~%bGE*%d*5~" % (sets, count)
    return HEAD % control + group + b"IEA*1*%09d~" % control


def _values(nodes: list[Node], position: int) -> list[Any]:
    return [node.elements[position] for node in nodes]


def test_segments_hang_below_the_loop_that_the_dictionary_says() -> None:
    tree = _read("850/pass/basic.edi").tree
    assert list(tree.children) == ["BEG", "CUR", "REF", "PER", "DTM", "N1", "PO1", "CTT"]
    store, buyer = tree.children["N1"]
    assert store.elements == ["N1", "ST", "NORTH STORE 12", "92", "0012"]
    assert store.children["N4"][0].elements[3] == "K1A0B1"
    assert buyer.children == {}
    first, second = tree.children["PO1"]
    assert first.children["PID"][0].elements == ["PID", "F", "", "", "", "BLUE KETTLE"]
    assert second.children["SAC"][0].elements[5] == "150"


def test_hierarchy_levels_hang_below_their_parents() -> None:
    tree = _read("856/pass/two-packs.edi", "x12/856-004010").tree
    (shipment,) = tree.children["HL"]
    assert _values(shipment.children["N1"], 2) == ["NORTH STORE 12"]
    (order,) = shipment.children["HL"]
    first, second = order.children["HL"]
    assert _values(first.children["MAN"], 2) == ["00106141411234567897"]
    assert _values(first.children["HL"][0].children["LIN"], 3) == ["061414100005"]
    assert _values(second.children["HL"][0].children["SN1"], 2) == ["4"]


def test_the_envelope_is_told() -> None:
    decoded = _read("850/pass/basic.edi")
    assert (decoded.sender, decoded.receiver, decoded.version, decoded.test) == (
        "ZZ:NORTHSUPPLY", "ZZ:OURHOUSE", "004010", False,
    )  # fmt: skip
    assert decoded.controls == ("000000101", "11", "0001")
    assert decoded.facts["functional_id"] == "PO"
    assert decoded.facts["terminator"] == "~"


def test_a_problem_says_exactly_where() -> None:
    (problem,) = _read("850/fail/element_number.edi", "x12/850-004010").problems
    assert problem.at is not None
    assert (problem.at.interchange, problem.at.group, problem.at.set) == ("000000101", "11", "0001")
    assert (problem.at.segment, problem.at.tag, problem.at.element) == (13, "PO1", 2)
    assert problem.value == "4X"
    body = (HERE / "x12/850/fail/element_number.edi").read_bytes()
    assert body[problem.at.offset : problem.at.offset + 8] == b"PO1*2*4X"


def test_offsets_hold_in_a_wrapped_body_with_letters_of_two_bytes() -> None:
    body = (HERE / "x12/850/pass/utf8-name.edi").read_bytes()
    (decoded,) = decode_all(CODEC, body)
    last = decoded.tree.children["CTT"][0]
    assert body[last.offset : last.offset + 5] == b"CTT*2"
    assert decoded.tree.children["N1"][1].elements[2] == "CAFÉ DU NORD"


def test_findings_only_warn_where_no_guide_was_agreed() -> None:
    (problem,) = _read("850/fail/segment_missing.edi").problems
    assert (problem.code, problem.severity) == ("segment_missing", "warning")


def test_text_with_a_component_separator_stays_whole() -> None:
    body = _body(1).replace(b"PO1*1*2*EA*1.5**VN*A~SE*4", b"PO1*1*2*EA*1.5**VN*A>B~SE*4")
    (decoded,) = decode_all(CODEC, body, Profile(guide="x12/850-004010"))
    assert decoded.tree.children["PO1"][0].elements[7] == "A>B"
    assert [(each.code, each.severity) for each in decoded.problems] == [("component_unexpected", "warning")]


def test_frames_grow_and_decode_alone() -> None:
    body = _body(1500)
    frames = CODEC.frames(body, Profile())
    assert [frame.count for frame in frames] == [32, 64, 128, 256, 500, 500, 20]
    last = frames[-1]
    documents = list(CODEC.decode(body[last.offset : last.offset + last.length], last, Profile()))
    assert documents[0].ordinal == 1480
    assert documents[0].controls == ("000000001", "5", "1481")
    assert documents[0].tree.children["BEG"][0].elements[3] == "PO1481"


@pytest.mark.parametrize("line_end", [b"", b"\n", b"\r\n", b" \n", b"\n\n"])
def test_line_ends_after_segments_change_nothing_but_the_places(line_end: bytes) -> None:
    body = _body(3).replace(b"~", b"~" + line_end).replace(b"PO1*1*2", b"PO1*1*2X")
    documents = decode_all(CODEC, body, Profile(guide="x12/850-004010"))
    assert [(each.code, each.at.segment) for one in documents for each in one.problems if each.at] == [
        ("element_number", 3), ("element_number", 3), ("element_number", 3),
    ]  # fmt: skip
    for one in documents:
        (node,) = one.tree.children["PO1"]
        assert node.elements == ["PO1", "1", "2X", "EA", "1.5", "", "VN", "A"]
        assert body[node.offset : node.offset + 8] == b"PO1*1*2X"


def test_a_segment_that_is_wrong_is_reported_wherever_it_stands() -> None:
    body = _body(3).replace(b"PO1*1*2*", b"PO1*1*X*")
    documents = decode_all(CODEC, body, Profile(guide="x12/850-004010"))
    problems = [each for one in documents for each in one.problems]
    assert [(each.code, each.path, each.at.set) for each in problems if each.at] == [
        ("element_number", "PO1.02", "0001"),
        ("element_number", "PO1.02", "0002"),
        ("element_number", "PO1.02", "0003"),
    ]  # fmt: skip
    assert len({each.at.offset for each in problems if each.at}) == 3


def test_two_partners_in_one_file_keep_their_own_separators_and_versions() -> None:
    other = _body(1, 2).replace(b"*", b"|").replace(b"X|004010", b"X|005010").replace(b"PO1|1|2|EA", b"PO1|1|2|EA*")
    first, second = decode_all(CODEC, _body(1, 1) + other)
    assert first.tree.children["PO1"][0].elements[3] == "EA"
    assert second.tree.children["PO1"][0].elements[3] == "EA*"
    assert [(each.code, each.path) for each in second.problems] == [("element_too_long", "PO1.03")]


def test_a_segment_without_a_loop_takes_no_children() -> None:
    (decoded,) = decode_all(CODEC, _body(1))
    beg = decoded.tree.children["BEG"][0]
    assert beg.children == {}
    with pytest.raises(TypeError):
        beg.children["N1"] = []
    with pytest.raises(TypeError):
        beg.children.setdefault("N1", [])


def test_a_word_that_looks_like_a_binary_segment_is_text() -> None:
    body = _body(1).replace(b"VN*A~", "VN*CABINET É~\n".encode())
    (decoded,) = decode_all(CODEC, body)
    assert decoded.tree.children["PO1"][0].elements[7] == "CABINET É"


def test_one_damaged_set_leaves_its_siblings_whole() -> None:
    body = _body(5).replace(b"SE*4*0003~", b"SE*9*0003~").replace(b"ST*850*0004~", b"XX*850*0004~")
    documents = decode_all(CODEC, body)
    assert [[each.code for each in one.problems if each.severity == "error"] for one in documents] == [
        [], [], ["set_count_wrong"], ["set_header_missing"], [],
    ]  # fmt: skip
    assert documents[4].tree.children["BEG"][0].elements[3] == "PO5"


def test_several_interchanges_with_their_own_separators() -> None:
    second = _body(2, 2).replace(b"*", b"|").replace(b"~", b"\x1c").replace(b">", b"^")
    documents = decode_all(CODEC, _body(1, 1) + b"\r\n" + second)
    assert [one.controls[0] for one in documents] == ["000000001", "000000002", "000000002"]
    assert [one.problems for one in documents] == [(), (), ()]


def test_data_of_a_binary_segment_may_hold_terminators() -> None:
    body = _body(1).replace(b"SE*4*", b"BIN*12*~SE*4*0001~\x00~SE*5*")
    (decoded,) = decode_all(CODEC, body)
    assert decoded.tree.children["PO1"][0].children["BIN"][0].elements[2] == "~SE"
    assert [problem.code for problem in decoded.problems] == ["segment_unknown"]


@pytest.mark.parametrize("padding", [b"", b" " * 3])
def test_a_header_of_another_width_is_read_by_its_separators(padding: bytes) -> None:
    body = _body(1).replace(b"*US             *", b"*US" + padding + b"*")
    (decoded,) = decode_all(CODEC, body)
    assert decoded.receiver == "ZZ:US"
    assert [problem.code for problem in decoded.problems] == ["interchange_header_not_padded"]


def test_envelope_errors_refuse_where_the_agreement_says_so() -> None:
    body = _body(1).replace(b"GE*1*", b"GE*4*")
    (decoded,) = decode_all(CODEC, body, Profile(options={"envelope_errors": "reject"}))
    assert [(each.code, each.severity) for each in decoded.problems] == [("group_count_wrong", "error")]


def test_writing_pads_the_header_and_counts() -> None:
    body = CODEC.encode([[["BAK", "00", "AC", "PO1", "20261122", "", ""], ["REF", "ZZ", ["A", "B"]]]], ENVELOPE)
    assert body == (
        b"ISA*00*          *00*          *ZZ*US             *01*THEM           *261122*1015*U*00401*000000007*0*P*>~"
        b"GS*PR*US*THEM*20261122*1015*3*X*004010~ST*855*0012~BAK*00*AC*PO1*20261122~REF*ZZ*A>B~SE*4*0012~"
        b"GE*1*3~IEA*1*000000007~"
    )


def test_numbers_and_gaps_are_written_as_text() -> None:
    rows: list[list[Any]] = [["PO1", 1, Decimal("1.50"), None, "", ["A", "", ""], [], ()], ["REF", ("A", ""), ["", ""]]]
    assert b"PO1*1*1.50***A~REF*A~SE" in CODEC.encode([rows], ENVELOPE)


def test_letters_beyond_ascii_are_written_in_the_character_set() -> None:
    document = [["N1", "ST", "Café Łódź"]]
    assert "N1*ST*Café Łódź~".encode() in CODEC.encode([document], ENVELOPE)
    assert "N1*ST*Café ?ódz~".encode("latin-1") in CODEC.encode(
        [document], {**ENVELOPE, "charset": "latin-1", "fold": True}
    )
    with pytest.raises(Rejected, match="latin-1"):
        CODEC.encode([document], {**ENVELOPE, "charset": "latin-1"})


@pytest.mark.parametrize("mark", ["*", "~", ">", "^", "\n", "\x7f"])
def test_every_separator_and_control_character_is_refused(mark: str) -> None:
    for value in (f"A{mark}", ["A", f"{mark}B"]):
        with pytest.raises(Rejected, match=r"REF\.02"):
            CODEC.encode([[["REF", "DP", value]]], {**ENVELOPE, "version": "00501"})


def test_a_separator_in_data_is_refused_with_its_place() -> None:
    with pytest.raises(Rejected) as caught:
        CODEC.encode([[["BAK", "00", "A*C"], ["REF", "DP", "1~2"]]], ENVELOPE)
    assert [problem.path for problem in caught.value.problems] == ["documents[0].BAK.02", "documents[0].REF.02"]


def test_a_separator_in_data_is_folded_where_the_envelope_says_so() -> None:
    body = CODEC.encode([[["BAK", "00", "A*C", "Café"]]], {**ENVELOPE, "fold": True, "charset": "ascii"})
    assert b"BAK*00*A C*Cafe~" in body


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"separators": ["*", "*", ">"]}, "separators"),
        ({"sender": "ZZ:MUCHTOOLONGFORTHIS"}, "sender"),
        ({"set": "999999"}, "functional_id"),
        ({"date": "261122"}, "date"),
        ({"control": {"sets": [1, 2]}}, "control.sets"),
    ],
)
def test_an_envelope_that_cannot_be_written_is_refused(change: dict[str, Any], word: str) -> None:
    with pytest.raises(Rejected, match=word):
        CODEC.encode([[["BAK", "00"]]], {**ENVELOPE, **change})
