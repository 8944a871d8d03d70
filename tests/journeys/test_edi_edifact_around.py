"""The EDIFACT messages around the main ones, from their bytes to what the hub does about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import mappings

from .conftest import HUB, ROUTES, Company, MockEdi
from .test_edi_edifact import OUT, PARTNER, SELLER, answer_lines, interchange, order
from .x12_partners import AS_IT_IS, BACK_OFFICE, ROUTE

Found = Callable[[Mapping[str, str]], Company]
IN = """
[[agreement]]
direction = "in"
document = "{document}"
codec = "edifact"
guide = "edifact/{set}-D96A"
mapping = "edifact/{mapping}.in"
match = {{ set = "{set}", version = "D:96A", sender = "MOCKEDI", receiver = "NORDWIND" }}
answer = ["CONTRL"]
"""
ASKED = {"ORDCHG": "order_change", "REMADV": "remittance", "APERAK": "application_advice"}
TRADE = {
    **SELLER,
    "routes.toml": ROUTES + ROUTE.format(on="order_change.answered", to="origin", send="change_acknowledgement"),
    "partners/nord.toml": SELLER["partners/nord.toml"]
    + "".join(IN.format(set=name, document=document, mapping=name.lower()) for name, document in ASKED.items())
    + OUT.format(document="change_acknowledgement", name="ordrsp_change"),
}
REPORTS = {
    "INVRPT": "stock", "SLSRPT": "sales_report", "RECADV": "receipt_advice", "PRICAT": "catalogue",
}  # fmt: skip
SAMPLES = Path(mappings.__path__[0]) / "edifact/samples"


def message(set_: str, *segments: str, reference: str = "1") -> str:
    """One message."""
    lines = [f"UNH+{reference}+{set_}:D:96A:UN", *segments, f"UNT+{len(segments) + 2}+{reference}"]
    return "".join(f"{line}'\n" for line in lines)


@pytest.mark.peers
def test_a_buyer_nobody_here_wrote_changes_an_order_and_takes_the_answer(mock_edi: MockEdi, company: Found) -> None:
    seller = company(TRADE)
    mock_edi.ask("/_mock/partners", {
        "id": "NORDWIND", "name": "Nordwind GmbH", "qualifier": "14", "dialect": "EDIFACT", "version": "D:96A:UN",
        "role": "supplier",
    })  # fmt: skip
    mock_edi.buy(
        "NORDWIND", "4500002002",
        {"sku": "WIDGET-001", "quantity": "10", "uom": "EA", "price": "12.50"},
        {"sku": "WIDGET-002", "quantity": "4", "uom": "EA", "price": "3.10"},
    )  # fmt: skip
    seller.fetch("nord")
    mock_edi.scan()

    mock_edi.ask("/_mock/purchase/4500002002/change", {"lines": [{"line": "1", "quantity": "12"}]})
    seller.fetch("nord")
    mock_edi.scan()
    seller.fetch("nord")

    [changed] = seller.orders()
    assert [line.ordered for line in changed.lines] == [12, 4]
    assert ("change_acknowledgement", "acknowledged") in seller.rows("SELECT send, state FROM deliveries")
    assert mock_edi.ask("/_mock/disagreements") == []
    assert mock_edi.ask("/_mock/unacknowledged") == []


@pytest.mark.peers
def test_a_remittance_of_our_back_office_reaches_a_supplier_nobody_here_wrote(
    mock_edi: MockEdi, company: Found
) -> None:
    maker = PARTNER.replace('"nord"', '"maker"').split("[[agreement]]")[0]
    hub = company({
        "hub.toml": HUB,
        "routes.toml": ROUTE.format(on="remittance.received", to="maker", send="remittance"),
        "connections/office.toml": BACK_OFFICE + AS_IT_IS.format(direction="in", document="remittance"),
        "partners/maker.toml": maker + OUT.format(document="remittance", name="remadv"),
    })  # fmt: skip
    mock_edi.ask("/_mock/partners", {
        "id": "NORDWIND", "name": "Nordwind GmbH", "qualifier": "14", "dialect": "EDIFACT", "version": "D:96A:UN",
    })  # fmt: skip
    document = {
        "number": "PAY-1", "amount": "1400.00", "currency": "EUR", "method": "wire", "paid_on": "2020-01-02",
        "payer": {"name": "Northwind Components Ltd", "kind": "self"}, "payee": {"name": "Maker"},
        "allocations": [{"number": "S-1", "amount": "1000.00"}, {"number": "S-2", "amount": "400.00"}],
    }  # fmt: skip

    hub.take("office", json.dumps(document).encode(), name="remittance.json")
    hub.work()
    mock_edi.scan()

    [found] = mock_edi.ask("/_mock/remittances")
    assert found["total"] == "1400.00"
    assert mock_edi.ask("/_mock/disagreements") == []


def test_a_change_is_answered_line_by_line(company: Found) -> None:
    seller = company(TRADE)
    seller.take("nord", interchange(order("E1", quantity="5")))
    seller.work()
    change = message(
        "ORDCHG", "BGM+230+E1-2+4", "DTM+137:20261122:102", "RFF+ON:E1", "NAD+BY+MOCKEDI::92++North Stores",
        "CUX+2:USD:9", "LIN+1+3+WIDGET-001:VP", "QTY+21:7:PCE", "PRI+AAA:12.50", "UNS+S", "CNT+2:1",
    )  # fmt: skip

    seller.take("nord", interchange(change, control="78"))
    seller.work()

    [changed] = seller.orders()
    assert [line.ordered for line in changed.lines] == [7]
    [answer] = seller.texts("nord", "change_acknowledgement")
    lines = answer_lines(answer)
    assert [line for line in lines if line.startswith(("RFF", "LIN", "QTY"))] == [
        "RFF+ON:E1", "RFF+ACW:E1-2", "LIN+1+5", "QTY+21:7:PCE", "QTY+113:7:PCE",
    ]  # fmt: skip


def test_a_remittance_pays_the_invoice_and_a_refusal_of_it_is_one_incident(company: Found) -> None:
    seller = company(TRADE)
    seller.take("nord", interchange(order("E2", quantity="2")))
    seller.work()
    seller.dispatch_all()
    ((number,),) = seller.rows("SELECT number FROM invoices")
    paid = message(
        "REMADV", "BGM+481+PAY-9+9", "DTM+137:20261201:102", "NAD+PR+MOCKEDI::92", "NAD+PE+NORDWIND::92",
        "CUX+2:USD:11", f"DOC+380+{number}", "MOA+12:25", "UNS+S", "MOA+12:25",
    )  # fmt: skip
    refused = message(
        "APERAK", "BGM+313+AP-1+27", "DTM+137:20261201:102", f"RFF+IV:{number}", "ERC+42",
        "FTX+AAO+++the price differs",
    )  # fmt: skip

    seller.take("nord", interchange(paid, control="79"))
    seller.work()
    assert seller.rows("SELECT count(*) FROM events WHERE name = 'invoice.paid'") == [(1,)]

    seller.take("nord", interchange(refused, control="80"))
    seller.work()
    ((title, detail),) = seller.rows("SELECT title, detail FROM incidents")
    assert number in title + detail
    assert "the price differs" in title + detail


def test_what_partners_report_is_kept_and_sent_on_as_it_is(company: Found) -> None:
    events = {name: f"{document}.received" for name, document in REPORTS.items() if document != "stock"}
    office = BACK_OFFICE + "".join(AS_IT_IS.format(direction="out", document=REPORTS[name]) for name in events)
    head = PARTNER.split("[[agreement]]")[0]
    hub = company({
        "hub.toml": HUB,
        "routes.toml": "".join(ROUTE.format(on=on, to="office", send=REPORTS[name]) for name, on in events.items()),
        "connections/office.toml": office,
        "partners/nord.toml": head
        + "".join(
            IN.format(set=name, document=document, mapping=name.lower())
            .replace(', sender = "MOCKEDI", receiver = "NORDWIND"', "")
            for name, document in REPORTS.items()
        ),
    })  # fmt: skip

    for file in ("invrpt-supplier", "slsrpt-week", "recadv-short", "pricat-groups"):
        hub.take("nord", (SAMPLES / f"{file}.edi").read_bytes())
    hub.work()

    sent = sorted(path.name.split("-")[-1] for path in (hub.var / "to-office").iterdir())
    assert sent == ["catalogue.json", "receipt_advice.json", "sales_report.json"]
    assert hub.rows("SELECT kind, state FROM documents WHERE state NOT IN ('applied', 'held')") == []
