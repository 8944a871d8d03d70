"""What is paid and what is not: 820, 810 and 824 from their bytes to the invoices they speak of."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from .conftest import HUB, MockEdi
from .x12_partners import (
    AS_IT_IS,
    BACK_OFFICE,
    ORDER,
    ROUTE,
    SELLER,
    Found,
    interchange,
    invoices,
    partner,
    remittance,
    sold,
)


def test_a_remittance_pays_the_invoice_to_the_cent_and_a_repeat_pays_nothing(company: Found) -> None:
    seller = sold(company)
    [invoice] = invoices(seller)
    assert invoice.totals.grand == Decimal("137.40")
    part = remittance("T-1", f"RMR*IV*{invoice.number}**100.00*137.40", total="100.00")
    rest = remittance("T-2", f"RMR*IV*{invoice.number}**37.40*137.40", total="37.40")

    seller.take("north", interchange("820", *part, control=2))
    seller.take("north", interchange("820", *part, control=3))
    seller.work()
    [invoice], [order] = invoices(seller), seller.orders()
    assert (invoice.state, invoice.paid, order.payment) == ("partially_paid", Decimal(100), "partially_paid")
    seller.take("north", interchange("820", *rest, control=4))
    seller.work()

    [invoice], [order] = invoices(seller), seller.orders()
    assert (invoice.state, invoice.paid, order.payment) == ("paid", Decimal("137.40"), "paid")
    assert (order.totals.paid, order.totals.due) == (Decimal("137.40"), 0)
    told = seller.rows("SELECT name FROM events WHERE name LIKE 'invoice.%paid' OR name = 'order.paid' ORDER BY id")
    assert told == [("invoice.partially_paid",), ("invoice.paid",), ("order.paid",)]
    assert seller.rows("SELECT title FROM incidents") == []


def test_what_a_remittance_cuts_does_not_know_or_says_twice_is_told_in_words(company: Found) -> None:
    seller = sold(company)
    [invoice] = invoices(seller)
    cut = (f"RMR*IV*{invoice.number}**117.40*137.40*5", "ADX*-15*01", "RMR*IV*INV-999999**10")

    seller.take("north", interchange("820", *remittance("T-1", *cut, total="127.40"), control=2))
    seller.take("north", interchange("820", *remittance("T-1", *cut[:2], total="117.40"), control=3))
    seller.work()

    [invoice] = invoices(seller)
    assert (invoice.state, invoice.paid) == ("partially_paid", Decimal("117.40"))
    again, cut_off = sorted(seller.rows("SELECT title, detail FROM incidents"))
    assert again[0] == "north: remittance T-1 came again and says something else"
    open_ = f"{invoice.number}: 20.00 is still open (discount 5, -15 for 01)"
    assert cut_off[0] == f"north: remittance T-1 leaves 2 open: {open_}"
    assert cut_off[1] == f"{open_}; INV-999999 (10): no invoice of ours has this number"


def test_an_invoice_that_their_system_refuses_is_one_incident_in_words(company: Found) -> None:
    seller = sold(company)
    [invoice] = invoices(seller)
    refusal = ("BGN*00*AA-1*20261122", f"OTI*TR*IV*{invoice.number}*****1*0001*810",
               "TED*ZZZ*Price of line 1 is not agreed*IT1*7*4**12.50")  # fmt: skip

    seller.take("north", interchange("824", *refusal, control=2))
    seller.take("north", interchange("824", *refusal, control=3))
    seller.work()

    [(title, kind, subject, count)] = seller.rows("SELECT title, subject_kind, subject_id, count FROM incidents")
    assert title == (
        f"north refused our invoice {invoice.number}: IT1 7 element 4: Price of line 1 is not agreed ('12.50')"
    )
    assert (kind, subject, count) == ("invoice", invoice.id, 2)
    [invoice] = invoices(seller)
    assert invoice.state == "rejected"

    accepted = ("BGN*00*AA-2*20261123", f"OTI*TA*IV*{invoice.number}*****1*0001*810")
    seller.take("north", interchange("824", *accepted, control=4))
    seller.work()
    assert seller.rows("SELECT title FROM incidents WHERE state = 'open'") == []


@pytest.mark.peers
def test_a_remittance_of_our_back_office_reaches_a_supplier_nobody_here_wrote(
    mock_edi: MockEdi, company: Found
) -> None:
    maker = (
        partner("maker", {}, {"820": "remittance"})
        .replace("ZZ:NORTHWIND", "ZZ:ACME")
        .replace("from-maker", "from-them")
        .replace("to-maker", "to-them")
    )
    hub = company(
        {
            "hub.toml": HUB,
            "routes.toml": ROUTE.format(on="remittance.received", to="maker", send="remittance"),
            "connections/office.toml": BACK_OFFICE + AS_IT_IS.format(direction="in", document="remittance"),
            "partners/maker.toml": maker,
        }
    )
    document = {
        "number": "PAY-1", "amount": "1500.00", "currency": "USD", "method": "ach", "paid_on": "2020-01-02",
        "payer": {"name": "Northwind Components Ltd", "kind": "self"}, "payee": {"name": "Maker"},
        "allocations": [
            {"number": "S-1", "amount": "1000.00"}, {"number": "S-2", "amount": "500.00", "discount": "10"},
        ],
    }  # fmt: skip

    hub.take("office", json.dumps(document).encode(), name="remittance.json")
    hub.work()
    mock_edi.scan()

    [found] = mock_edi.ask("/_mock/remittances")
    assert (found["trace"], found["total"]) == ("PAY-1", "1500.00")
    assert mock_edi.ask("/_mock/disagreements") == []


def test_a_suppliers_invoice_is_kept_once_and_sent_on(company: Found) -> None:
    hub = company(
        {
            "hub.toml": HUB,
            "routes.toml": ROUTE.format(on="invoice.received", to="office", send="invoice"),
            "connections/office.toml": BACK_OFFICE + AS_IT_IS.format(direction="out", document="invoice"),
            "partners/maker.toml": partner("maker", {"810": "invoice"}),
        }
    )
    billed = ("BIG*20261121*S-77*20261120*PO-000001", "IT1*1*3*EA*12.5**VP*TF-100", "TDS*3750", "CTT*1")

    hub.take("maker", interchange("810", *billed))
    hub.take("maker", interchange("810", *billed, control=2))
    hub.work()

    assert hub.rows("SELECT kind, number FROM trade_documents") == [("supplier_invoice", "S-77")]
    assert invoices(hub) == []
    [file] = (hub.var / "to-office").glob("*-invoice.json")
    sent = json.loads(file.read_bytes())
    assert (sent["number"], sent["totals"]["grand"], sent["connection"]) == ("S-77", "37.50", "maker")


def test_a_partner_pays_only_their_own_invoices_and_our_back_office_any(company: Found) -> None:
    office = BACK_OFFICE + AS_IT_IS.format(direction="in", document="remittance")
    files = {"connections/office.toml": office, "partners/south.toml": partner("south", {"820": "remittance"})}
    hub = company({**SELLER, **files})
    hub.take("north", interchange("850", *ORDER))
    hub.work()
    hub.dispatch_all()
    [invoice] = invoices(hub)

    hub.take("south", interchange("820", *remittance("T-1", f"RMR*IV*{invoice.number}**137.40", total="137.40")))
    hub.work()
    assert invoices(hub)[0].paid == 0
    [(detail,)] = hub.rows("SELECT detail FROM incidents")
    assert detail == f"{invoice.number} (137.40): it is not an invoice to them"

    paid = {"number": "B-1", "amount": "137.40", "allocations": [{"number": invoice.number, "amount": "137.40"}]}
    hub.take("office", json.dumps(paid).encode(), name="bank.json")
    hub.work()
    assert (invoices(hub)[0].state, hub.orders()[0].payment) == ("paid", "paid")
