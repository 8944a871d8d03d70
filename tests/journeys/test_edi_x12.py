"""A seller and a buyer over X12: 850 in, 997, 855, 856 and 810 out, and the buyer's 997s back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import pytest

from hub.store.replay import replay

from .conftest import STOCKED, Company, MockEdi

Found = Callable[[Mapping[str, str]], Company]

PARTNER = """
[partner]
name = "north"
title = "North Stores"
[connection]
name = "north"
connector = "folder"
source_kind = "edi"
test = true
settings = { inbox = "from-them", outbox = "to-them", pattern = "*.edi" }
[[agreement]]
direction = "in"
document = "order"
codec = "x12"
guide = "x12/850-004010"
mapping = "x12/850.in"
match = { set = "850", version = "004010", sender = "ZZ:MOCKEDI", receiver = "ZZ:NORTHWIND" }
answer = ["997"]
"""
OUT = """
[[agreement]]
direction = "out"
document = "{document}"
codec = "x12"
mapping = "x12/{set}.out"
expect = {{ 997 = "PT4H" }}
[agreement.envelope]
sender = "ZZ:NORTHWIND"
receiver = "ZZ:MOCKEDI"
version = "00401"
group = "004010"
newline = true
"""
SENT = (("acknowledgement", "855"), ("shipment", "856"), ("invoice", "810"))
SELLER = {
    **STOCKED,
    "partners/north.toml": PARTNER + "".join(OUT.format(document=document, set=name) for document, name in SENT),
}


PO = """ST*850*{control}~
BEG*00*SA*{number}**20261120~
CUR*BY*USD~
N1*BY*North Stores*92*0001~
N1*ST*North Stores Boston~
N3*500 Seaport Boulevard~
N4*Boston*MA*02210*US~
PO1*1*{quantity}*EA*12.50**VP*WIDGET-001~
CTT*1~
SE*10*{control}~
"""


def interchange(*sets: str, control: int = 1, sender: str = "MOCKEDI", usage: str = "T", ask: str = "0") -> bytes:
    """One interchange with one group of 850s, as North Stores writes it."""
    head = (
        f"ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*NORTHWIND      *261122*0900*U*00401*{control:09}"
        f"*{ask}*{usage}*>~\n"
        f"GS*PO*{sender}*NORTHWIND*20261122*0900*{control}*X*004010~\n"
    )
    return f"{head}{''.join(sets)}GE*{len(sets)}*{control}~\nIEA*1*{control:09}~\n".encode()


def purchase(number: str, control: str = "0001", quantity: str = "2") -> str:
    """One 850."""
    return PO.format(number=number, control=control, quantity=quantity)


def answer_lines(text: str) -> list[str]:
    """The segments between ST and SE."""
    lines = [line.strip() for line in text.split("~")]
    begin, end = (next(at for at, line in enumerate(lines) if line.startswith(tag)) for tag in ("ST*", "SE*"))
    return lines[begin + 1 : end]


@pytest.mark.peers
def test_an_order_of_a_partner_nobody_here_wrote_is_answered_shipped_and_billed(
    mock_edi: MockEdi, company: Found
) -> None:
    seller = company(SELLER)
    mock_edi.buy(
        "NORTHWIND", "4500001001",
        {"sku": "WIDGET-001", "quantity": "10", "uom": "EA", "price": "12.50"},
        {"sku": "WIDGET-002", "quantity": "4", "uom": "EA", "price": "3.10"},
    )  # fmt: skip

    seller.fetch("north")
    mock_edi.scan()
    seller.fetch("north")
    seller.dispatch_all()
    mock_edi.scan()
    seller.fetch("north")

    assert mock_edi.ask("/_mock/disagreements") == []
    assert mock_edi.ask("/_mock/unacknowledged") == []
    said = mock_edi.ask("/_mock/orders/4500001001")
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
    assert seller.rows("SELECT kind, state FROM expected_receipts") == [("997", "received")] * 3


def test_the_group_is_answered_with_ids_turned_round_and_the_received_version(company: Found) -> None:
    seller = company(SELLER)

    seller.take("north", interchange(purchase("A1")).replace(b"*", b"|"))
    seller.work()

    (receipt,) = seller.texts("north", "receipt")
    assert receipt.startswith("ISA|00|          |00|          |ZZ|NORTHWIND      |ZZ|MOCKEDI        |")
    assert "|U|00401|000000001|0|T|>~" in receipt
    assert "~GS|FA|NORTHWIND|MOCKEDI|" in receipt
    assert answer_lines(receipt.replace("|", "*")) == ["AK1*PO*1", "AK2*850*0001", "AK5*A", "AK9*A*1*1*1"]


def test_one_bad_set_is_refused_and_its_siblings_become_orders(company: Found) -> None:
    seller = company(SELLER)
    bad = purchase("B2", "0002").replace("PO1*1*2*EA", "PO1*1*two*EA")

    seller.take("north", interchange(purchase("B1"), bad, purchase("B3", "0003")))
    seller.work()

    (receipt,) = seller.texts("north", "receipt")
    assert answer_lines(receipt) == [
        "AK1*PO*1", "AK2*850*0001", "AK5*A", "AK2*850*0002", "AK3*PO1*8**8", "AK4*2**6*two", "AK5*R*5",
        "AK2*850*0003", "AK5*A", "AK9*P*3*3*2",
    ]  # fmt: skip
    assert [(order.number, order.acceptance) for order in seller.orders()] == [("B1", "accepted"), ("B3", "accepted")]
    assert seller.rows("SELECT state FROM messages WHERE direction = 'in'") == [("partly_applied",)]
    assert len(seller.texts("north", "acknowledgement")) == 2


def test_a_set_nobody_agreed_on_is_answered_with_a_refusal(company: Found) -> None:
    seller = company(SELLER)

    seller.take("north", interchange(purchase("C1").replace("ST*850", "ST*860")))
    seller.work()

    (receipt,) = seller.texts("north", "receipt")
    assert answer_lines(receipt) == ["AK1*PO*1", "AK2*860*0001", "AK5*R*1", "AK9*R*1*1*0"]
    assert seller.orders() == []


def test_a_file_of_two_thousand_orders_is_answered_once_and_every_order_exists_once(company: Found) -> None:
    seller = company({**SELLER, "routes.toml": ""})
    sets = [purchase(f"L{at:05}", f"{at:04}", "1") for at in range(1, 2001)]

    seller.take("north", interchange(*sets))
    seller.work()

    (receipt,) = seller.texts("north", "receipt")
    lines = answer_lines(receipt)
    assert lines[0] == "AK1*PO*1"
    assert lines[-1] == "AK9*A*2000*2000*2000"
    assert lines.count("AK5*A") == 2000
    assert seller.rows("SELECT count(*), count(DISTINCT number) FROM orders") == [(2000, 2000)]
    assert seller.rows("SELECT count(*) FROM frames")[0][0] > 4
    assert seller.rows("SELECT state, frames_left FROM messages WHERE direction = 'in'") == [("applied", 0)]


def test_a_repeated_interchange_gets_the_same_acknowledgement_again_and_nothing_else(company: Found) -> None:
    seller = company(SELLER)
    first = seller.take("north", interchange(purchase("D1")))
    seller.work()
    before = seller.texts("north", "receipt")
    for file in (seller.var / "to-them").iterdir():
        file.unlink()

    again = seller.take("north", interchange(purchase("D1")), name="sent again.edi")
    seller.work()

    assert (again.repeated, again.message_id) == (True, first.message_id)
    assert seller.texts("north", "receipt") == before
    assert seller.texts("north", "acknowledgement") == []
    assert len(seller.orders()) == 1


def test_a_control_number_with_other_bytes_is_kept_for_a_person(company: Found) -> None:
    seller = company(SELLER)
    seller.take("north", interchange(purchase("E1")))
    seller.work()

    seller.take("north", interchange(purchase("E2")))
    seller.work()

    assert [order.number for order in seller.orders()] == ["E1"]
    assert seller.rows("SELECT state FROM messages WHERE direction = 'in' ORDER BY id") == [
        ("applied",),
        ("quarantined",),
    ]
    (incident,) = seller.rows("SELECT class, title FROM incidents")
    assert incident[0] == "duplicate"
    assert "control number ZZ:MOCKEDI>ZZ:NORTHWIND/000000001/test came before with other bytes" in incident[1]


def test_an_unknown_sender_is_kept_and_goes_on_once_it_is_set_up(company: Found) -> None:
    seller = company(SELLER)
    arrival = seller.take("north", interchange(purchase("F1"), sender="SOUTH"))
    seller.work()
    assert seller.orders() == []
    assert seller.texts("north", "receipt") == []
    (incident,) = seller.rows("SELECT class, title FROM incidents")
    assert incident[0] == "missing"
    assert "from ZZ:SOUTH to ZZ:NORTHWIND" in incident[1]

    agreement = next(each for each in seller.hub.config().agreements if each.direction == "in")
    match = {**agreement.match, "sender": "ZZ:SOUTH"}
    seller.change("agreement", "south", msgspec.structs.replace(agreement, match=match))
    connections = seller.hub.config().connections
    seller.hub.store.write(lambda db: replay(db, [arrival.message_id], connections, who="tests"))
    seller.work()

    assert [order.number for order in seller.orders()] == ["F1"]
    (receipt,) = seller.texts("north", "receipt")
    assert "*ZZ*NORTHWIND      *ZZ*SOUTH          *" in receipt


def test_a_test_order_has_no_effect_on_a_connection_for_production(company: Found) -> None:
    seller = company(
        {**SELLER, "partners/north.toml": SELLER["partners/north.toml"].replace("test = true\nsettings", "settings")}
    )

    seller.take("north", interchange(purchase("G1"), usage="T"))
    seller.take("north", interchange(purchase("G2"), usage="P"))
    seller.work()

    assert [order.number for order in seller.orders()] == ["G2"]
    (incident,) = seller.rows("SELECT title FROM incidents")
    assert "which is a test" in incident[0]


def test_an_interchange_acknowledgement_goes_out_where_the_header_asks_for_it(company: Found) -> None:
    seller = company(SELLER)

    seller.take("north", interchange(purchase("H1"), ask="1", control=77))
    seller.work()

    receipts = seller.texts("north", "receipt")
    assert len(receipts) == 2
    assert any("~TA1*000000077*261122*0900*A*000~IEA*0*" in text for text in receipts)


def test_each_group_of_a_file_is_answered_by_itself(company: Found) -> None:
    seller = company(SELLER)
    one, other = interchange(purchase("N1")), interchange(purchase("N2"), control=2)

    seller.take("north", one + other)
    seller.work()

    answered = sorted(answer_lines(text)[0] for text in seller.texts("north", "receipt"))
    assert answered == ["AK1*PO*1", "AK1*PO*2"]
    assert [order.number for order in seller.orders()] == ["N1", "N2"]


def test_a_stranger_in_a_file_of_many_senders_holds_up_nobody_else(company: Found) -> None:
    seller = company(SELLER)

    seller.take("north", interchange(purchase("P1")) + interchange(purchase("P2"), control=2, sender="SOUTH"))
    seller.work()

    assert [order.number for order in seller.orders()] == ["P1"]
    (receipt,) = seller.texts("north", "receipt")
    assert answer_lines(receipt)[-1] == "AK9*A*1*1*1"
    (incident,) = seller.rows("SELECT title FROM incidents")
    assert "from ZZ:SOUTH" in incident[0]


def test_the_same_order_in_another_interchange_is_acknowledged_and_has_no_second_effect(company: Found) -> None:
    seller = company(SELLER)
    seller.take("north", interchange(purchase("Q1")))
    seller.work()

    seller.take("north", interchange(purchase("Q1"), control=2))
    seller.work()

    assert len(seller.orders()) == 1
    assert len(seller.texts("north", "receipt")) == 2
    assert len(seller.texts("north", "acknowledgement")) == 1
    assert seller.rows("SELECT state FROM documents ORDER BY message_id") == [("applied",), ("repeated",)]


def test_a_message_that_is_read_again_is_answered_anew_in_place_of_the_first_answer(company: Found) -> None:
    seller = company({**SELLER, "routes.toml": ""})
    arrival = seller.take("north", interchange(purchase("R1").replace("ST*850", "ST*875")))
    seller.work()
    assert answer_lines(seller.texts("north", "receipt")[0])[-1] == "AK9*R*1*1*0"

    agreement = next(each for each in seller.hub.config().agreements if each.direction == "in")
    match = {**agreement.match, "set": "875"}
    seller.change("agreement", "groceries", msgspec.structs.replace(agreement, guide="", match=match))
    connections = seller.hub.config().connections
    seller.hub.store.write(lambda db: replay(db, [arrival.message_id], connections, who="tests"))
    seller.work()

    (receipt,) = seller.texts("north", "receipt")
    assert answer_lines(receipt)[-1] == "AK9*A*1*1*1"
    assert "*U*00401*000000002*" in receipt
