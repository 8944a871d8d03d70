"""EDIFACT: groups, release characters, character sets, frames, and writing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.codecs.edifact.codec import CODEC
from hub.domain.errors import Rejected
from hub.domain.tree import Decoded
from hub.ports import Profile
from hub.testing.codec_contract import decode_all

HERE = Path(__file__).parent / "edifact" / "ORDERS"
ENVELOPE: dict[str, Any] = {
    "sender": "14:4012345000009", "receiver": "14:4012345500004", "set": "ORDRSP", "date": "20261122", "time": "1015",
    "syntax": "UNOC:3", "message_version": "D:96A:UN", "association": "EAN009",
    "control": {"interchange": 7, "sets": [1]},
}  # fmt: skip


def _read(name: str) -> Decoded:
    (decoded,) = decode_all(CODEC, (HERE / "pass" / name).read_bytes())
    return decoded


def test_segment_groups_hang_below_their_first_segment() -> None:
    tree = _read("basic.edi").tree
    buyer, supplier = tree.children["NAD"]
    assert buyer.elements == ["NAD", "BY", ["4012345500004", "", "9"]]
    assert buyer.children["CTA"][0].children["COM"][0].elements == ["COM", ["5550100", "TE"]]
    assert supplier.children == {}
    first, second = tree.children["LIN"]
    assert first.children["QTY"][0].elements == ["QTY", ["21", "10"]]
    assert second.children["PRI"][0].elements == ["PRI", ["AAA", "3.75"]]
    assert tree.children["CNT"][0].elements == ["CNT", ["2", "2"]]


def test_released_characters_are_data() -> None:
    assert _read("basic.edi").tree.children["FTX"][0].elements[4] == "Ring the bell: twice+'now'"


def test_the_envelope_is_told() -> None:
    decoded = _read("groups.edi")
    assert (decoded.set, decoded.version, decoded.sender) == ("ORDERS", "D:96A:UN", "14:4012345500004")
    assert decoded.controls == ("IC7", "G5", "1")
    assert decoded.facts["association"] == "EAN008"


@pytest.mark.parametrize("name", ["latin-1.edi", "utf-8-that-says-UNOC.edi"])
def test_letters_come_through_whatever_the_header_claims(name: str) -> None:
    assert _read(name).tree.children["NAD"][0].children["CTA"][0].elements[2] == ["", "MÜLLER"]


def test_offsets_point_at_the_segment() -> None:
    body = (HERE / "pass" / "utf-8-that-says-UNOC.edi").read_bytes()
    (decoded,) = decode_all(CODEC, body)
    last = decoded.tree.children["CNT"][0]
    assert body[last.offset : last.offset + 3] == b"CNT"
    assert last.number == 20


def test_frames_grow_and_decode_alone() -> None:
    message = b"UNH+%d+ORDERS:D:96A:UN'BGM+220+P?'O%d+9'UNS+S'UNT+4+%d'"
    sets = b"".join(message % (number, number, number) for number in range(1, 101))
    body = b"UNB+UNOC:3+A:14+B:14+261122:1015+9'" + sets + b"UNZ+100+9'"
    frames = CODEC.frames(body, Profile())
    assert [frame.count for frame in frames] == [32, 64, 4]
    last = frames[-1]
    documents = list(CODEC.decode(body[last.offset : last.offset + last.length], last, Profile()))
    assert [one.tree.children["BGM"][0].elements[2] for one in documents] == ["P'O97", "P'O98", "P'O99", "P'O100"]


@pytest.mark.parametrize("line_end", ["", "\n", "\r\n", " \r\n"])
def test_line_ends_and_released_characters_keep_the_places(line_end: str) -> None:
    lines = [
        "UNB+UNOC:3+A:14+B:14+261122:1015+9", "UNH+1+ORDERS:D:96A:UN", "BGM+220+P?'O:1+9", "DTM+137:20261122:10X2",
        "FTX+AAI+++10?:15 É?+", "UNS+S", "UNT+6+1", "UNZ+1+9", "",
    ]  # fmt: skip
    body = f"'{line_end}".join(lines).encode()
    (decoded,) = decode_all(CODEC, body, Profile(guide="edifact/ORDERS-D96A"))
    root = decoded.tree.children
    assert root["BGM"][0].elements[2] == ["P'O", "1"]
    assert root["FTX"][0].elements[4] == "10:15 É+"
    assert body[root["UNS"][0].offset :].startswith(b"UNS+S")
    (problem,) = [each for each in decoded.problems if each.path.startswith("DTM")]
    assert (problem.code, problem.path, problem.value) == ("element_too_long", "DTM.01.3", "10X2")
    assert problem.at is not None
    assert body[problem.at.offset :].startswith(b"DTM+137")


def test_one_damaged_message_leaves_its_siblings_whole() -> None:
    message = "UNH+{0}+ORDERS:D:96A:UN'BGM+220+PO{0}+9'UNS+S'UNT+4+{0}'"
    body = "UNB+UNOC:3+A+B+261122:1015+9'" + "".join(map(message.format, range(1, 4))) + "UNZ+3+9'"
    documents = decode_all(CODEC, body.replace("UNH+2+", "NH+2+").encode())
    assert [one.set for one in documents] == ["ORDERS", "", "ORDERS"]
    assert [each.code for each in documents[1].problems if each.severity == "error"] == ["set_header_missing"]


def test_writing_escapes_and_counts() -> None:
    body = CODEC.encode([[["BGM", "231", "it's 5+5: ok?", "4"], ["DTM", ["137", "20261122", "102"]]]], ENVELOPE)
    assert body == (
        b"UNA:+.? 'UNB+UNOC:3+4012345000009:14+4012345500004:14+261122:1015+7'UNH+1+ORDRSP:D:96A:UN:EAN009'"
        b"BGM+231+it?'s 5?+5?: ok??+4'DTM+137:20261122:102'UNT+4+1'UNZ+1+7'"
    )


def test_a_letter_outside_the_character_set_is_refused_with_its_place_or_folded() -> None:
    document = [["FTX", "AAI", "", "", "Łódź"]]
    with pytest.raises(Rejected, match=r"FTX\.04"):
        CODEC.encode([document], {**ENVELOPE, "syntax": "UNOA:3"})
    assert b"FTX+AAI+++?odz'" not in CODEC.encode([document], {**ENVELOPE, "syntax": "UNOA:3", "fold": True})
    assert b"odz'" in CODEC.encode([document], {**ENVELOPE, "syntax": "UNOA:3", "fold": True})
