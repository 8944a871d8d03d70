"""Every codec of the hub sits the contract."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from hub.codecs import hub_codecs
from hub.ports import Profile
from hub.testing.codec_contract import *  # noqa: F403
from hub.testing.codec_contract import CodecCase, case_fixture

HERE = Path(__file__).parent
CODECS = {codec.name: codec for codec in hub_codecs()}
X12_LINES = [["BAK", "00", "AC", "PO1", "20261122"], ["REF", "DP", "038"], ["PO1", "1", "10", "EA"], ["CTT", "1"]]
EDIFACT_LINES = [
    ["BGM", "220", "PO1", "9"],
    ["DTM", ["137", "20261122", "102"]],
    ["FTX", "AAI", "", "", "it's 5+5: really?"],
    ["LIN", "1", "", ["4000862141404", "EN"]],
    ["UNS", "S"],
]
CASES = [
    CodecCase(
        codec=CODECS["x12"],
        sample=(HERE / "x12/850/pass/basic.edi").read_bytes(),
        trees=[X12_LINES, X12_LINES],
        envelope={
            "sender": "ZZ:US", "receiver": "01:THEM", "set": "855", "date": "20261122", "time": "1015",
            "control": {"interchange": 7, "group": 3, "sets": [12, 13]},
        },
        foreign=(b"", b"UNB+UNOC:3+A+B", b"{}", b"<a/>", b"a,b\n", b"ISABEL,1\n"),
    ),
    CodecCase(
        codec=CODECS["edifact"],
        sample=(HERE / "edifact/ORDERS/pass/basic.edi").read_bytes(),
        trees=[EDIFACT_LINES, EDIFACT_LINES],
        envelope={
            "sender": "14:4012345000009", "receiver": "14:4012345500004", "set": "ORDERS", "date": "20261122",
            "time": "1015", "message_version": "D:96A:UN", "association": "EAN008", "control": {"interchange": 7},
        },
        foreign=(b"", b"ISA*00*", b"{}", b"<a/>", b"a,b\n", b"UNBELIEVABLE,1\n"),
    ),
    CodecCase(
        codec=CODECS["json"],
        sample=b'{"order": "1", "lines": [{"sku": "A", "price": 1.10}]}',
        trees=[{"order": "1", "total": Decimal("12.50"), "lines": [{"ok": True, "gone": None, "n": 2}]}],
        foreign=(b"", b"ISA*00*", b"UNA:+.? '", b"<a/>", b"a,b\n"),
    ),
    CodecCase(
        codec=CODECS["xml"],
        sample=b'<o:Order xmlns:o="urn:o" id="1"><Line>A &amp; B</Line><Line><Qty u="EA">2</Qty></Line></o:Order>',
        trees=[{"Order": {"@id": "1", "Line": [{"Qty": "2"}, {"Qty": {"@u": "EA", "#text": "<3>"}}]}}],
        foreign=(b"", b"ISA*00*", b"UNA:+.? '", b"{}", b"a,b\n"),
    ),
    CodecCase(
        codec=CODECS["csv"],
        sample=b"sku,quantity\r\nA,2\r\nB,3\r\n",
        trees=[{"rows": [{"sku": "A", "note": 'says "hi", twice'}, {"sku": "B", "note": ""}]}],
        profile=Profile(options={"delimiter": ","}),
        foreign=(b"", b"ISA*00*", b"UNA:+.? '", b"<a/>", b'{"a":1,"b":2}'),
    ),
]  # fmt: skip

case = case_fixture(CASES)
