"""A seller and a buyer over EDIFACT: ORDERS in, CONTRL, ORDRSP, DESADV and INVOIC out, and the buyer's CONTRL back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from .conftest import STOCKED, Company, MockEdi

Found = Callable[[Mapping[str, str]], Company]

PARTNER = """
[partner]
name = "nord"
title = "Nordhandel"
[connection]
name = "nord"
connector = "folder"
source_kind = "edi"
test = true
settings = { inbox = "from-them", outbox = "to-them", pattern = "*.edi" }
[[agreement]]
direction = "in"
document = "order"
codec = "edifact"
guide = "edifact/ORDERS-D96A"
mapping = "edifact/orders.in"
match = { set = "ORDERS", version = "D:96A", sender = "MOCKEDI", receiver = "NORDWIND" }
answer = ["CONTRL"]
"""
OUT = """
[[agreement]]
direction = "out"
document = "{document}"
codec = "edifact"
mapping = "edifact/{name}.out"
expect = {{ CONTRL = "PT4H" }}
[agreement.envelope]
sender = "14:NORDWIND"
receiver = "ZZ:MOCKEDI"
newline = true
"""
SENT = (("acknowledgement", "ordrsp"), ("shipment", "desadv"), ("invoice", "invoic"))
SELLER = {
    **STOCKED,
    "partners/nord.toml": PARTNER + "".join(OUT.format(document=document, name=name) for document, name in SENT),
}


@pytest.mark.peers
def test_an_order_of_a_partner_nobody_here_wrote_is_answered_shipped_and_billed(
    mock_edi: MockEdi, company: Found
) -> None:
    seller = company(SELLER)
    mock_edi.ask("/_mock/partners", {
        "id": "NORDWIND", "name": "Nordwind GmbH", "qualifier": "14", "dialect": "EDIFACT", "version": "D:96A:UN",
        "role": "supplier",
    })  # fmt: skip
    mock_edi.buy(
        "NORDWIND", "4500002001",
        {"sku": "WIDGET-001", "quantity": "10", "uom": "EA", "price": "12.50"},
        {"sku": "WIDGET-002", "quantity": "4", "uom": "EA", "price": "3.10"},
    )  # fmt: skip

    seller.fetch("nord")
    mock_edi.scan()
    seller.fetch("nord")
    seller.dispatch_all()
    mock_edi.scan()
    seller.fetch("nord")

    assert mock_edi.ask("/_mock/disagreements") == []
    assert mock_edi.ask("/_mock/unacknowledged") == []
    said = mock_edi.ask("/_mock/orders/4500002001")
    assert [(row["ordered"], row["confirmed"], row["shipped"], row["billed"]) for row in said["reconciliation"]] == [
        ("10", "10", "10", "10"),
        ("4", "4", "4", "4"),
    ]
    assert seller.rows("SELECT title, detail FROM incidents") == []
    assert seller.rows("SELECT send, state FROM deliveries ORDER BY send") == [
        ("acknowledgement", "acknowledged"),
        ("invoice", "acknowledged"),
        ("receipt", "delivered"),
        ("shipment", "acknowledged"),
    ]
    assert seller.rows("SELECT kind, state FROM expected_receipts") == [("CONTRL", "received")] * 3


ORDER = """UNH+{reference}+ORDERS:D:96A:UN'
BGM+220+{number}+9'
DTM+137:20261120:102'
NAD+BY+MOCKEDI::92++North Stores'
NAD+DP+++North Stores+500 Seaport Boulevard+Boston+MA+02210+US'
CUX+2:USD:9'
LIN+1++WIDGET-001:VP'
QTY+21:{quantity}:PCE'
PRI+AAA:12.50'
UNS+S'
CNT+2:1'
UNT+12+{reference}'
"""


def interchange(*messages: str, control: str = "77", sender: str = "MOCKEDI:ZZ") -> bytes:
    """One interchange, as Nordhandel writes it."""
    head = f"UNB+UNOC:3+{sender}+NORDWIND:14+261122:0900+{control}++++++1'\n"
    return f"{head}{''.join(messages)}UNZ+{len(messages)}+{control}'\n".encode()


def order(number: str, reference: str = "1", quantity: str = "2") -> str:
    """One ORDERS."""
    return ORDER.format(number=number, reference=reference, quantity=quantity)


def answer_lines(text: str) -> list[str]:
    """The segments between UNH and UNT."""
    lines = [line.strip() for line in text.split("'")]
    begin, end = (next(at for at, line in enumerate(lines) if line.startswith(tag)) for tag in ("UNH+", "UNT+"))
    return lines[begin + 1 : end]


def test_one_bad_message_is_refused_and_its_siblings_become_orders(company: Found) -> None:
    seller = company(SELLER)

    seller.take("nord", interchange(order("B1"), order("B2", "2", "two"), order("B3", "3")))
    seller.work()

    (receipt,) = seller.texts("nord", "receipt")
    assert answer_lines(receipt) == [
        "UCI+77+MOCKEDI:ZZ+NORDWIND:14+7",
        "UCM+1+ORDERS:D:96A:UN+7",
        "UCM+2+ORDERS:D:96A:UN+4",
        "UCS+8",
        "UCD+37+2:2",
        "UCM+3+ORDERS:D:96A:UN+7",
    ]
    assert [each.number for each in seller.orders()] == ["B1", "B3"]


def test_an_interchange_with_groups_is_answered_by_one_acknowledgement(company: Found) -> None:
    seller = company(SELLER)
    group = "UNG+ORDERS+MOCKEDI+NORDWIND+261122:0900+{no}+UN+D:96A'\n{message}UNE+1+{no}'\n"
    first = group.format(no="1", message=order("C1"))
    second = group.format(no="2", message=order("C2", "2"))

    seller.take("nord", interchange(first, second))
    seller.work()

    (receipt,) = seller.texts("nord", "receipt")
    assert answer_lines(receipt)[0] == "UCI+77+MOCKEDI:ZZ+NORDWIND:14+7"
    assert [each.number for each in seller.orders()] == ["C1", "C2"]


def test_a_repeat_is_answered_again_and_other_bytes_under_its_number_are_kept_back(company: Found) -> None:
    seller = company(SELLER)
    seller.take("nord", interchange(order("D1")))
    seller.work()
    before = seller.texts("nord", "receipt")
    for file in (seller.var / "to-them").iterdir():
        file.unlink()

    assert seller.take("nord", interchange(order("D1"))).repeated
    assert not seller.take("nord", interchange(order("D2"))).repeated
    seller.work()

    assert seller.texts("nord", "receipt") == before
    assert [each.number for each in seller.orders()] == ["D1"]
    assert seller.rows("SELECT class FROM incidents") == [("duplicate",)]


def test_an_unknown_sender_is_kept_with_the_reason(company: Found) -> None:
    seller = company(SELLER)

    seller.take("nord", interchange(order("E1"), sender="4099999000005:14"))
    seller.work()

    assert seller.orders() == []
    assert seller.texts("nord", "receipt") == []
    (incident,) = seller.rows("SELECT title FROM incidents")
    assert "from 14:4099999000005 to 14:NORDWIND" in incident[0]


def test_a_refusal_of_our_answer_is_an_incident_that_says_what_and_where(company: Found) -> None:
    seller = company(SELLER)
    seller.take("nord", interchange(order("F1")))
    seller.work()
    (answer,) = seller.texts("nord", "acknowledgement")
    control, reference = answer.split("UNZ+1+")[1].split("'")[0], answer.split("UNH+")[1].split("+")[0]
    contrl = (
        f"UNH+9+CONTRL:D:3:UN'\nUCI+{control}+NORDWIND:14+MOCKEDI:ZZ+7'\n"
        f"UCM+{reference}+ORDRSP:D:96A:UN+4'\nUCS+2'\nUCD+12+2'\nUNT+6+9'\n"
    )

    seller.take("nord", interchange(contrl, control="78"))
    seller.work()

    assert seller.rows("SELECT state FROM deliveries WHERE send = 'acknowledgement'") == [("refused",)]
    (incident,) = seller.rows("SELECT title FROM incidents")
    assert incident[0] == "nord refused our acknowledgement for order F1 (CONTRL): segment 2.01: invalid value"
    assert len(seller.texts("nord", "receipt")) == 1
