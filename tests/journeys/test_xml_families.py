"""A seller whose partners speak XML: a UBL, a cXML and an SAP buyer by folder, each answered in their own words."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lxml import etree

from connectors.cxml.simulator import requested
from hub.pipeline.receive import receive
from hub.sdk import Request

from .conftest import OLD, STOCKED, Company

ROOT = Path(__file__).parents[2]
JUDGE = ROOT / ".peers" / "facturx" / "bin" / "python"
Found = Callable[[Mapping[str, str]], Company]
HUB = """
[seller]
name = "Northwind Components GmbH"
gln = "4012345000009"
vat = "DE123456788"
phone = "+49 30 5550100"
email = "billing@northwind.example"
contact = "Accounts"
address = { line1 = "Hafenstrasse 7", city = "Hamburg", postal_code = "20457", country = "DE" }
[settings]
"ship.carrier" = "own-truck"
"gs1.company_prefix" = "4012345"
"invoice.account" = "DE02120300000000202051"
"""
UBL = """
[partner]
name = "kontor"
title = "Kontor Handel"
[connection]
name = "kontor"
connector = "folder"
source_kind = "edi"
settings = { inbox = "from-kontor", outbox = "to-kontor", pattern = "*.xml" }
[[agreement]]
direction = "in"
document = "order"
codec = "xml"
mapping = "ubl/order.in"
match = { set = "Order", version = "2", sender = "0088:4012345500004", receiver = "0088:4012345000009" }
[[agreement]]
direction = "out"
document = "acknowledgement"
codec = "xml"
mapping = "ubl/order_response.out"
[[agreement]]
direction = "out"
document = "shipment"
codec = "xml"
mapping = "ubl/despatch_advice.out"
[[agreement]]
direction = "out"
document = "invoice"
codec = "xml"
mapping = "ubl/invoice.out"
"""
FAMILY = """
[partner]
name = "{name}"
[connection]
name = "{name}"
connector = "folder"
source_kind = "edi"
settings = {{ inbox = "from-{name}", outbox = "to-{name}", pattern = "*.xml" }}
[[agreement]]
direction = "in"
document = "order"
codec = "{codec}"
mapping = "{codec}/{order}.in"
match = {{ set = "{set}", version = "{version}", sender = "{theirs}", receiver = "{ours}" }}
"""
OUT = """
[[agreement]]
direction = "out"
document = "{document}"
codec = "{codec}"
mapping = "{codec}/{mapping}.out"
[agreement.envelope]
sender = "{ours}"
receiver = "{theirs}"
"""
DOCUMENTS = ("acknowledgement", "shipment", "invoice")


def family(mappings: tuple[str, str, str, str], **given: str) -> str:
    """A partner of a family that has an envelope: what they send, and three answers."""
    order, *others = mappings
    out = (
        OUT.format(document=document, mapping=name, **given) for document, name in zip(DOCUMENTS, others, strict=True)
    )
    return FAMILY.format(order=order, **given) + "".join(out)


CXML = family(
    ("order_request", "confirmation_request", "ship_notice", "invoice_detail"), name="procure", codec="cxml",
    set="OrderRequest", version="1.2", theirs="DUNS:123456789", ours="NetworkId:AN01000000022",
)  # fmt: skip
IDOC = family(
    ("orders", "ordrsp", "desadv", "invoic"), name="erp", codec="idoc", set="ORDERS", version="ORDERS05",
    theirs="LS:ERPCLNT100", ours="LI:NORTHWIND",
)  # fmt: skip
SELLER = {
    **STOCKED,
    "hub.toml": HUB,
    "partners/kontor.toml": UBL,
    "partners/procure.toml": CXML,
    "partners/erp.toml": IDOC,
}
SAMPLES = ROOT / "mappings"
ORDER = (SAMPLES / "ubl" / "samples" / "order-retail.xml").read_bytes()


def order(number: str = "4500001234", **changes: str) -> bytes:
    """The retailer's order, for goods that the seller has."""
    text = ORDER.decode().replace("SCREW-4", "WIDGET-002").replace("BOOK-9", "WIDGET-002")
    text = text.replace("<b:ID>4500001234<", f"<b:ID>{number}<")
    for old, new in changes.items():
        text = text.replace(old, new)
    return text.encode()


def put(seller: Company, inbox: str, name: str, body: bytes) -> None:
    """A partner puts a file in their folder."""
    file = seller.var / inbox / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    os.utime(file, (OLD, OLD))


def written(seller: Company, outbox: str) -> dict[str, bytes]:
    """What lies in a partner's folder, by document."""
    files = sorted((seller.var / outbox).glob("*.xml"))
    return {file.stem.rpartition("-")[2]: file.read_bytes() for file in files}


def texts(body: bytes, name: str) -> list[str]:
    """The texts of all elements of a name."""
    return [each.text or "" for each in etree.fromstring(body).iter("{*}" + name)]


def test_a_ubl_buyer_is_answered_shipped_and_billed(company: Found, tmp_path: Path) -> None:
    seller = company(SELLER)
    put(seller, "from-kontor", "order.xml", order())

    seller.fetch("kontor")
    seller.dispatch_all()

    sent = written(seller, "to-kontor")
    assert seller.rows("SELECT title, detail FROM incidents") == []
    assert sorted(sent) == ["acknowledgement", "invoice", "shipment"]
    response, advice, invoice = sent["acknowledgement"], sent["shipment"], sent["invoice"]
    assert texts(response, "OrderResponseCode") == ["AP"]
    assert texts(response, "LineStatusCode") == ["5", "5", "5"]
    assert texts(advice, "DeliveredQuantity") == ["12", "200", "3"]
    assert texts(advice, "LineID") == ["10", "20", "30"]
    assert texts(invoice, "PayableAmount") == ["218.45"]
    assert texts(invoice, "TaxableAmount") == ["144.98", "42.92"]
    assert texts(invoice, "BaseQuantity") == ["1", "100", "1"]
    assert judged(tmp_path / "invoice.xml", invoice) == []


def judged(file: Path, body: bytes) -> list[str]:
    """What CEN's rules and the others find wrong; nothing where the judges are not installed."""
    if not JUDGE.exists():
        return []
    file.write_bytes(body)
    command = [str(JUDGE), str(ROOT / "tests" / "peers" / "einvoice_judge.py"), str(file)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found: list[str] = json.loads(run.stdout)[str(file)]
    return found


def marks(body: bytes, name: str, mark: str) -> list[str]:
    """An attribute of all elements of a name."""
    return [each.get(mark) or "" for each in etree.fromstring(body).iter(name)]


def test_a_cxml_buyer_is_answered_shipped_and_billed(company: Found) -> None:
    seller = company(SELLER)
    put(seller, "from-procure", "order.xml", (SAMPLES / "cxml" / "samples" / "order-request.xml").read_bytes())

    seller.fetch("procure")
    seller.dispatch_all()

    sent = written(seller, "to-procure")
    assert seller.rows("SELECT title, detail FROM incidents") == []
    assert sorted(sent) == ["acknowledgement", "invoice", "shipment"]
    assert marks(sent["acknowledgement"], "ConfirmationHeader", "type") == ["accept"]
    assert marks(sent["shipment"], "ShipNoticeItem", "quantity") == ["12", "180"]
    assert marks(sent["invoice"], "OrderReference", "orderID") == ["4500001234"]
    assert texts(sent["invoice"], "Money")[-1] == "179.57"
    ids = {each: marks(body, "cXML", "payloadID")[0] for each, body in sent.items()}
    assert len(set(ids.values())) == 3
    assert texts(sent["invoice"], "Identity") == ["AN01000000022", "123456789", "AN01000000022"]


def test_the_same_cxml_again_has_no_effect_and_other_bytes_under_its_id_are_kept_back(company: Found) -> None:
    seller = company(SELLER)
    body = (SAMPLES / "cxml" / "samples" / "order-request.xml").read_bytes()
    seller.take("procure", body)
    seller.work()

    assert seller.take("procure", body).repeated
    assert not seller.take("procure", body.replace(b"4500001234", b"4500009999")).repeated
    seller.work()

    assert [each.number for each in seller.orders()] == ["4500001234"]
    assert seller.rows("SELECT class FROM incidents") == [("duplicate",)]


HTTP = """
[partner]
name = "network"
[connection]
name = "network"
connector = "cxml"
source_kind = "edi"
settings = { secret = "env:JOURNEY_CXML_SECRET", sender = "NetworkId:AN1" }
[[agreement]]
direction = "in"
document = "order"
codec = "cxml"
mapping = "cxml/order_request.in"
match = { set = "OrderRequest", sender = "NetworkId:AN1" }
"""


def test_a_cxml_order_comes_over_http_and_its_secret_is_nowhere_in_the_record(
    company: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEY_CXML_SECRET", "lighthouse-47")
    seller = company({**STOCKED, "hub.toml": HUB, "partners/network.toml": HTTP})
    order = (SAMPLES / "cxml" / "samples" / "order-request.xml").read_text()
    body = requested(order[order.index("<OrderRequest>") : order.index("</Request>")], "lighthouse-47")
    configured = seller.hub.config().connections["network"]

    reception = seller.hub.services.opened("network").instance.receive(Request(body=body))
    receive(seller.hub.services, configured, reception.messages)
    seller.work()

    assert [each.number for each in seller.orders()] == ["4500001234"]
    stored = b"".join(bytes(row[0]) for row in seller.rows("SELECT body FROM messages WHERE body IS NOT NULL"))
    assert b"OrderRequest" in stored
    assert b"lighthouse-47" not in stored


def test_an_sap_buyer_is_answered_shipped_and_billed(company: Found) -> None:
    seller = company(SELLER)
    text = (SAMPLES / "idoc" / "samples" / "orders-retail.xml").read_text().replace("SCREW-4", "WIDGET-002")
    put(seller, "from-erp", "order.xml", text.encode())

    seller.fetch("erp")
    seller.dispatch_all()

    sent = written(seller, "to-erp")
    assert seller.rows("SELECT title, detail FROM incidents") == []
    assert sorted(sent) == ["acknowledgement", "invoice", "shipment"]
    assert [texts(sent[each], "MESTYP") for each in DOCUMENTS] == [["ORDRSP"], ["DESADV"], ["INVOIC"]]
    assert [texts(sent[each], "RCVPRN") for each in DOCUMENTS] == [["ERPCLNT100"]] * 3
    assert len({texts(sent[each], "DOCNUM")[0] for each in DOCUMENTS}) == 3
    assert texts(sent["acknowledgement"], "WMENG") == ["12.000", "200.000"]
    assert texts(sent["shipment"], "VGPOS") == ["00010", "00020"]
    assert texts(sent["invoice"], "NETWR") == ["119.40", "22.50"]
    assert texts(sent["invoice"], "LIFNR") == ["NORTHWIND"]
    assert texts(sent["invoice"], "SUMME") == ["150.90", "150.90", "0.00"]


def test_another_document_and_another_sender_are_kept_with_the_reason(company: Found) -> None:
    seller = company(SELLER)
    put(seller, "from-kontor", "a.xml", order("A", **{"4012345500004": "4012345999992"}))
    put(seller, "from-kontor", "b.xml", order("B").replace(b"ns2:Order", b"ns2:Quotation"))
    put(seller, "from-kontor", "c.xml", order("C"))

    seller.fetch("kontor")

    assert [each.number for each in seller.orders()] == ["C"]
    told = " ".join(row[0] for row in seller.rows("SELECT detail FROM incidents"))
    assert "set Order version 2 from 0088:4012345999992" in told
    assert "set Quotation" in told


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (
            lambda body: b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + body[body.find(b"<ns2") :],
            "document type",
        ),
        (lambda body: body.replace(b"<b:Note", b"<b:N>" * 150 + b"</b:N>" * 150 + b"<b:Note", 1), "100 levels"),
        (lambda body: body[:900], "line 14"),
    ],
    ids=["entity", "depth", "cut"],
)
def test_an_attack_by_file_is_refused_with_its_cap_and_holds_up_nobody(
    company: Found, attack: Callable[[bytes], bytes], reason: str
) -> None:
    seller = company(SELLER)
    put(seller, "from-kontor", "bad.xml", attack(order("BAD")))
    put(seller, "from-kontor", "good.xml", order("GOOD"))

    seller.fetch("kontor")

    assert [each.number for each in seller.orders()] == ["GOOD"]
    (told,) = [row[0] for row in seller.rows("SELECT detail FROM incidents")]
    assert reason in told
