"""A seller whose partners speak XML: a UBL buyer by folder, answered, shipped and billed in UBL."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lxml import etree

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
SELLER = {**STOCKED, "hub.toml": HUB, "partners/kontor.toml": UBL}
ORDER = (ROOT / "mappings" / "ubl" / "samples" / "order-retail.xml").read_bytes()


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
