"""UBL, cXML and IDoc: which document it is, who it is from, and the envelope that is written."""

from __future__ import annotations

import pytest

from hub.codecs.cxml import CODEC as CXML
from hub.codecs.idoc import CODEC as IDOC
from hub.codecs.plain_xml import CODEC as XML
from hub.domain.errors import Rejected
from hub.domain.tree import Decoded
from hub.ports import Codec
from hub.testing.codec_contract import decode_all

CAC = 'xmlns:c="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"'
DTD = b'<!DOCTYPE cXML SYSTEM "http://xml.cXML.org/schemas/cXML/1.2.040/cXML.dtd">'
REQUEST = (
    b'<cXML payloadID="9@shop.example" version="1.2.040"><Header>'
    b'<From><Credential domain="DUNS"><Identity>11</Identity></Credential></From>'
    b'<To><Credential domain="NetworkId"><Identity>AN2</Identity></Credential></To>'
    b'</Header><Request deploymentMode="test"><OrderRequest/></Request></cXML>'
)
CONTROL = (
    b"<EDI_DC40><DOCNUM>0000000000000042</DOCNUM><IDOCTYP>ORDERS05</IDOCTYP><MESTYP>ORDRSP</MESTYP>"
    b"<SNDPRT>LS</SNDPRT><SNDPRN>ERP</SNDPRN><RCVPRT>LI</RCVPRT><RCVPRN>NORTHWIND</RCVPRN></EDI_DC40>"
)
ENVELOPE = {
    "sender": "DUNS:22", "receiver": "NetworkId:AN1", "date": "20261122", "time": "1015", "control": {"interchange": 7},
}  # fmt: skip


def only(codec: Codec, body: bytes) -> Decoded:
    """Decode a message of one document."""
    (found,) = decode_all(codec, body)
    return found


@pytest.mark.parametrize(
    ("root", "buyer", "seller", "swapped"),
    [
        ("Order", "BuyerCustomerParty", "SellerSupplierParty", False),
        ("OrderResponse", "BuyerCustomerParty", "SellerSupplierParty", True),
        ("DespatchAdvice", "DeliveryCustomerParty", "DespatchSupplierParty", True),
        ("Invoice", "AccountingCustomerParty", "AccountingSupplierParty", True),
    ],
)
def test_a_ubl_document_is_known_by_its_root_and_its_parties(root: str, buyer: str, seller: str, swapped: bool) -> None:
    body = (
        f'<u:{root} xmlns:u="urn:oasis:names:specification:ubl:schema:xsd:{root}-2" {CAC}>'
        f'<c:{buyer}><c:Party><EndpointID schemeID="0088">4012345500004</EndpointID></c:Party></c:{buyer}>'
        f"<c:{seller}><c:Party><PartyIdentification><ID>S-7</ID></PartyIdentification></c:Party></c:{seller}></u:{root}>"
    )

    found = only(XML, body.encode())

    parties = ("0088:4012345500004", "S-7")
    assert (found.set, found.version) == (root, "2")
    assert (found.sender, found.receiver) == (parties[::-1] if swapped else parties)
    assert found.facts == {"namespace": f"urn:oasis:names:specification:ubl:schema:xsd:{root}-2"}


def test_cxml_is_known_by_its_payload_and_its_credentials() -> None:
    found = only(CXML, b'<?xml version="1.0"?>\n' + DTD + REQUEST)

    assert (found.set, found.version, found.test) == ("OrderRequest", "1.2.040", True)
    assert (found.sender, found.receiver) == ("DUNS:11", "NetworkId:AN2")
    assert found.controls == ("9@shop.example", "", "")
    assert CXML.control_key(DTD + REQUEST) == "9@shop.example"


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE cXML SYSTEM "x" [<!ENTITY a "b">]>', b'<!DOCTYPE cXML PUBLIC "a" "b">', b"<!DOCTYPE cXML>",
        b'<!DOCTYPE other SYSTEM "x">', DTD + DTD, b'<!DOCTYPE cXML SYSTEM "%p;">',
    ],
)  # fmt: skip
def test_any_other_document_type_of_cxml_is_refused(doctype: bytes) -> None:
    assert [each.code for each in only(CXML, doctype + REQUEST).problems] == ["xml_doctype"]


def test_a_document_type_is_for_cxml_only() -> None:
    assert [each.code for each in only(XML, DTD + REQUEST).problems] == ["xml_doctype"]


def test_cxml_is_written_with_its_header_from_the_envelope() -> None:
    tree = {"cXML": {"Request": {"InvoiceDetailRequest": {"InvoiceDetailSummary": "1"}}}}

    body = CXML.encode([tree], {**ENVELOPE, "test": True})

    assert body.decode().split("\n", 2) == [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<!DOCTYPE cXML SYSTEM "http://xml.cXML.org/schemas/cXML/1.2.040/InvoiceDetail.dtd">',
        '<cXML payloadID="20261122101500.7@22" timestamp="2026-11-22T10:15:00+00:00" version="1.2.040" '
        'xml:lang="en">'
        '<Header><From><Credential domain="DUNS"><Identity>22</Identity></Credential></From>'
        '<To><Credential domain="NetworkId"><Identity>AN1</Identity></Credential></To>'
        '<Sender><Credential domain="DUNS"><Identity>22</Identity></Credential>'
        "<UserAgent>order-integration-hub</UserAgent></Sender></Header>"
        '<Request deploymentMode="test"><InvoiceDetailRequest><InvoiceDetailSummary>1</InvoiceDetailSummary>'
        "</InvoiceDetailRequest></Request></cXML>",
    ]
    assert only(CXML, body).sender == "DUNS:22"


@pytest.mark.parametrize("party", ["", "AN1", "NetworkId:"])
def test_cxml_without_credentials_is_not_written(party: str) -> None:
    with pytest.raises(Rejected, match="domain:identity"):
        CXML.encode([{"cXML": {"Request": {}}}], {**ENVELOPE, "receiver": party})


def test_an_idoc_is_known_by_its_control_record_and_each_of_a_file_is_a_document() -> None:
    body = b"<ORDERS05><IDOC>" + CONTROL + b"</IDOC><IDOC>" + CONTROL.replace(b"42", b"43") + b"</IDOC></ORDERS05>"

    first, second = decode_all(IDOC, body)

    assert (first.set, first.version, first.sender, first.receiver) == ("ORDRSP", "ORDERS05", "LS:ERP", "LI:NORTHWIND")
    assert [each.controls[0] for each in (first, second)] == ["0000000000000042", "0000000000000043"]
    assert [each.ordinal for each in (first, second)] == [0, 1]
    assert IDOC.control_key(body) == "ERP>NORTHWIND/0000000000000042"


def test_a_file_without_control_record_is_refused() -> None:
    (problem,) = only(IDOC, b"<ORDERS05><IDOC><E1EDK01/></IDOC></ORDERS05>").problems

    assert problem.text == "ORDERS05 holds no IDOC with a control record EDI_DC40"


def test_an_idoc_is_written_with_its_control_record_and_every_segment_is_marked() -> None:
    trees = [{"IDOC": {"E1EDK01": {"CURCY": "EUR"}, "E1EDP01": [{"POSEX": "10", "E1EDP19": {"QUALF": "001"}}]}}]
    envelope = {**ENVELOPE, "sender": "LI:NORTHWIND", "receiver": "ERP", "client": "100", "set": "INVOIC"}

    body = IDOC.encode(trees, envelope)

    assert body.decode().split("\n", 1)[1] == (
        '<INVOIC02><IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><TABNAM>EDI_DC40</TABNAM><MANDT>100</MANDT>'
        "<DOCNUM>0000000000000007</DOCNUM><DIRECT>2</DIRECT><IDOCTYP>INVOIC02</IDOCTYP><MESTYP>INVOIC</MESTYP>"
        "<SNDPRT>LI</SNDPRT><SNDPRN>NORTHWIND</SNDPRN><RCVPRT>LS</RCVPRT><RCVPRN>ERP</RCVPRN>"
        "<CREDAT>20261122</CREDAT><CRETIM>101500</CRETIM></EDI_DC40>"
        '<E1EDK01 SEGMENT="1"><CURCY>EUR</CURCY></E1EDK01><E1EDP01 SEGMENT="1"><POSEX>10</POSEX>'
        '<E1EDP19 SEGMENT="1"><QUALF>001</QUALF></E1EDP19></E1EDP01></IDOC></INVOIC02>'
    )


def test_an_idoc_of_an_unknown_type_is_not_written() -> None:
    with pytest.raises(Rejected, match="no basic type is known for the message type 'PRICAT'"):
        IDOC.encode([{"IDOC": {}}], {**ENVELOPE, "set": "PRICAT"})
