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
        codec=CODECS["cxml"],
        sample=b'<?xml version="1.0"?><!DOCTYPE cXML SYSTEM "http://xml.cXML.org/schemas/cXML/1.2.040/cXML.dtd">'
        b'<cXML payloadID="1@a" timestamp="2026-11-22T10:00:00+00:00"><Header><From><Credential domain="DUNS">'
        b"<Identity>1</Identity></Credential></From></Header><Request><OrderRequest/></Request></cXML>",
        trees=[{"cXML": {"@payloadID": "1@a", "Header": {"To": {"Credential": {"@domain": "DUNS", "Identity": "2"}}},
                         "Request": {"OrderRequest": {"OrderRequestHeader": {"@orderID": "1"}}}}}],
        foreign=(b"", b"ISA*00*", b"UNA:+.? '", b"{}", b"a,b\n", b"<Order/>", b"<ORDERS05><IDOC/></ORDERS05>"),
    ),
    CodecCase(
        codec=CODECS["idoc"],
        sample=b'<ORDERS05><IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><DOCNUM>1</DOCNUM><IDOCTYP>ORDERS05</IDOCTYP>'
        b"<MESTYP>ORDERS</MESTYP></EDI_DC40></IDOC></ORDERS05>",
        trees=[
            {"IDOC": {"@BEGIN": "1", "EDI_DC40": {"@SEGMENT": "1", "IDOCTYP": "ORDERS05", "DOCNUM": number},
                      "E1EDK01": {"@SEGMENT": "1", "BELNR": "A & B"}}}
            for number in ("1", "2")
        ],
        foreign=(b"", b"ISA*00*", b"UNA:+.? '", b"{}", b"a,b\n", b"<Order/>", b"<cXML/>"),
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
