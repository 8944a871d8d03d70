"""Acknowledgements: made from stored rows, and read back as verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from hub.codecs import hub_codecs
from hub.codecs.acknowledge import functional_acknowledgement, interchange_acknowledgement, read_acknowledgement
from hub.codecs.answers import Answer, SetResult, set_result
from hub.ports import Profile
from hub.testing.codec_contract import decode_all

HERE = Path(__file__).parent
CODECS = {codec.name: codec for codec in hub_codecs()}
MOMENT: dict[str, Any] = {
    "date": "20261122", "time": "1030", "newline": True, "control": {"interchange": 900, "group": 90, "sets": [1]}
}  # fmt: skip


def _answer(codec: str, name: str, guide: str) -> str:
    """Decode, keep facts and results as JSON only, answer from those."""
    documents = decode_all(CODECS[codec], (HERE / name).read_bytes(), Profile(guide=guide))
    stored = msgspec.json.encode([set_result(decoded) for decoded in documents])
    facts = msgspec.json.decode(msgspec.json.encode(documents[0].facts))
    answer = functional_acknowledgement(facts, msgspec.json.decode(stored, type=list[SetResult]))
    assert answer is not None
    return _write(answer)


def _write(answer: Answer) -> str:
    return CODECS[answer.codec].encode(answer.documents, {**answer.envelope, **MOMENT}).decode()


def test_a_sound_group_is_accepted() -> None:
    lines = _answer("x12", "x12/850/pass/basic.edi", "x12/850-004010").split("~\n")
    assert lines[0] == (
        "ISA*00*          *00*          *ZZ*OURHOUSE       *ZZ*NORTHSUPPLY    *261122*1030*U*00401*000000900*0*P*>"
    )
    assert lines[1] == "GS*FA*OURHOUSE*NORTHSUPPLY*20261122*1030*90*X*004010"
    assert lines[3:7] == ["AK1*PO*11", "AK2*850*0001", "AK5*A", "AK9*A*1*1*1"]


def test_a_wrong_element_is_named_with_its_value() -> None:
    lines = _answer("x12", "x12/850/fail/element_number.edi", "x12/850-004010").split("~\n")
    assert lines[3:9] == ["AK1*PO*11", "AK2*850*0001", "AK3*PO1*13**8", "AK4*2**6*4X", "AK5*R*5", "AK9*R*1*1*0"]


def test_a_wrong_count_is_a_code_of_the_set() -> None:
    lines = _answer("x12", "x12/850/fail/set_count_wrong.edi", "x12/850-004010").split("~\n")
    assert lines[5:7] == ["AK5*R*4", "AK9*R*1*1*0"]


def test_a_wrong_group_count_is_accepted_with_errors() -> None:
    lines = _answer("x12", "x12/envelope/group_count_wrong.edi", "x12/850-004010").split("~\n")
    assert lines[6] == "AK9*E*3*1*1*5"


def test_an_acknowledgement_is_never_acknowledged() -> None:
    body = _answer("x12", "x12/850/pass/basic.edi", "x12/850-004010").encode()
    (decoded,) = decode_all(CODECS["x12"], body, Profile(guide="x12/997-004010"))
    assert decoded.problems == ()
    assert functional_acknowledgement(decoded.facts, [set_result(decoded)]) is None


def test_a_997_is_read_as_verdicts() -> None:
    body = _answer("x12", "x12/850/fail/element_number.edi", "x12/850-004010").encode()
    (decoded,) = decode_all(CODECS["x12"], body)
    of_set, of_group = read_acknowledgement(decoded)
    assert (of_set.level, of_set.status, of_set.group_control, of_set.set_control, of_set.set) == (
        "set", "rejected", "11", "0001", "850",
    )  # fmt: skip
    assert of_set.words.startswith("segment 13 PO1.02: ")
    assert "(4X)" in of_set.words
    assert (of_group.level, of_group.status, of_group.group_control) == ("group", "rejected", "11")


def test_a_ta1_is_due_only_where_asked_for_or_something_is_wrong() -> None:
    (sound,) = decode_all(CODECS["x12"], (HERE / "x12/850/pass/basic.edi").read_bytes())
    assert interchange_acknowledgement(sound.facts) is None
    asked = interchange_acknowledgement({**sound.facts, "ack_requested": "1"})
    assert asked is not None
    assert _write(asked).split("~\n")[1:3] == ["TA1*000000101*261122*1015*A*000", "IEA*0*000000900"]
    path = HERE / "x12/envelope/interchange_control_mismatch.edi"
    (wrong,) = decode_all(CODECS["x12"], path.read_bytes())
    answer = interchange_acknowledgement(wrong.facts)
    assert answer is not None
    (decoded,) = decode_all(CODECS["x12"], _write(answer).encode())
    (verdict,) = read_acknowledgement(decoded)
    assert (verdict.level, verdict.status, verdict.interchange_control) == (
        "interchange", "accepted_with_errors", "000000101",
    )  # fmt: skip


def test_a_sound_edifact_message_is_acknowledged() -> None:
    lines = _answer("edifact", "edifact/ORDERS/pass/basic.edi", "edifact/ORDERS-D96A").split("'\r\n")
    assert lines[1] == ("UNB+UNOC:3+4012345000009:14+4012345500004:14+261122:1030+900")
    assert lines[2:5] == [
        "UNH+1+CONTRL:D:3:UN", "UCI+IC7+4012345500004:14+4012345000009:14+7", "UCM+1+ORDERS:D:96A:UN:EAN008+7",
    ]  # fmt: skip


def test_a_contrl_names_segment_and_component_and_is_read_back() -> None:
    body = _answer("edifact", "edifact/ORDERS/fail/element_number.edi", "edifact/ORDERS-D96A")
    assert body.split("'\r\n")[4:7] == ["UCM+1+ORDERS:D:96A:UN:EAN008+4", "UCS+17", "UCD+37+2:2"]
    (decoded,) = decode_all(CODECS["edifact"], body.encode(), Profile(guide="edifact/CONTRL-D3"))
    assert decoded.problems == ()
    of_set, of_interchange = read_acknowledgement(decoded)
    assert (of_set.status, of_set.set_control, of_set.interchange_control) == ("rejected", "1", "IC7")
    assert of_set.words == "segment 17.01.2: the value is not a number"
    assert of_interchange.status == "accepted"
    assert functional_acknowledgement(decoded.facts, [set_result(decoded)]) is None


def test_a_set_whose_header_is_lost_is_not_counted_as_accepted() -> None:
    body = (HERE / "x12/envelope/set_control_repeated.edi").read_bytes().replace(b"ST*850", b"XT*850", 1)
    documents = decode_all(CODECS["x12"], body)
    answer = functional_acknowledgement(documents[0].facts, [set_result(decoded) for decoded in documents])
    assert answer is not None
    assert _write(answer).split("~\n")[3:7] == ["AK1*PO*11", "AK2*850*0001", "AK5*A", "AK9*P*2*2*1"]


def test_the_hub_finds_its_codecs() -> None:
    assert list(CODECS) == ["x12", "edifact", "json", "cxml", "idoc", "xml", "csv"]
