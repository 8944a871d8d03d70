"""The X12 sets around the main ones, each from their bytes to what the hub does about them, and on to others."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from .conftest import HUB, LOCATIONS, ROUTES, STOCKED, MockEdi
from .x12_partners import (
    AS_IT_IS,
    BACK_OFFICE,
    CHANGE,
    ORDER,
    REPORTS,
    ROUTE,
    SELLER,
    Found,
    interchange,
    levels,
    partner,
    remittance,
    segments,
)


def test_a_change_changes_the_order_and_is_answered_line_by_line(company: Found) -> None:
    seller = company(SELLER)
    seller.take("north", interchange("850", *ORDER))
    seller.work()

    seller.take("north", interchange("860", *CHANGE, control=2))
    seller.work()

    [order] = seller.orders()
    assert [(x.line_no, x.ordered, x.cancelled, x.allocated, x.unit_price) for x in order.lines] == [
        ("1", 14, 0, 14, Decimal("12.50")),
        ("2", 4, 4, 0, Decimal("3.10")),
    ]
    assert levels(seller) == [("WIDGET-001", "MAIN", 5000, 14, 0), ("WIDGET-002", "MAIN", 500, 0, 0)]
    [answer] = seller.texts("north", "change_acknowledgement")
    lines = segments(answer)
    assert lines[0].startswith("BCA*00*AD*4500017**1*20261120***CA-000001*")
    assert [line for line in lines if line.startswith(("POC*", "ACK*"))] == [
        "POC*1*CA*14**EA*12.50**VP*WIDGET-001", "ACK*IA*14*EA",
        "POC*2*DI*4**EA*3.10**VP*WIDGET-002", "ACK*IA*0*EA",
    ]  # fmt: skip
    assert len(seller.texts("north", "acknowledgement")) == 1
    assert seller.rows("SELECT kind, state FROM trade_documents") == [("order_change", "answered")]


def test_a_change_that_comes_too_late_is_refused_in_words(company: Found) -> None:
    seller = company(SELLER)
    seller.take("north", interchange("850", *ORDER))
    seller.work()
    seller.dispatch_all()

    seller.take("north", interchange("860", *CHANGE, control=2))
    seller.work()

    [answer] = seller.texts("north", "change_acknowledgement")
    lines = segments(answer)
    assert lines[0].startswith("BCA*00*RD*4500017**1*")
    assert "ACK*IR*0*EA" in lines
    assert "REF*ZZ**a shipment has left" in lines
    [order] = seller.orders()
    assert [line.ordered for line in order.lines] == [10, 4]


def test_a_cancellation_by_860_is_answered(company: Found) -> None:
    seller = company(SELLER)
    seller.take("north", interchange("850", *ORDER))
    seller.work()

    seller.take("north", interchange("860", "BCH*01*SA*4500017**2*20261120", "CTT*0", control=2))
    seller.work()

    [order] = seller.orders()
    assert order.cancellation == "confirmed"
    [answer] = seller.texts("north", "change_acknowledgement")
    assert segments(answer)[0].startswith("BCA*00*AD*4500017**2*20261120***CA-000001*")


@pytest.mark.peers
def test_a_buyer_nobody_here_wrote_changes_an_order_and_takes_the_answer(mock_edi: MockEdi, company: Found) -> None:
    text = SELLER["partners/north.toml"].replace("from-north", "from-them").replace("to-north", "to-them")
    seller = company({**SELLER, "partners/north.toml": text})
    mock_edi.buy(
        "NORTHWIND", "4500001002",
        {"sku": "WIDGET-001", "quantity": "10", "uom": "EA", "price": "12.50"},
        {"sku": "WIDGET-002", "quantity": "4", "uom": "EA", "price": "3.10"},
    )  # fmt: skip
    seller.fetch("north")
    mock_edi.scan()

    mock_edi.ask("/_mock/purchase/4500001002/change", {"lines": [{"line": "1", "quantity": "12"}]})
    seller.fetch("north")
    mock_edi.scan()
    seller.fetch("north")

    [order] = seller.orders()
    assert [line.ordered for line in order.lines] == [12, 4]
    assert ("change_acknowledgement", "acknowledged") in seller.rows("SELECT send, state FROM deliveries")
    assert mock_edi.ask("/_mock/disagreements") == []
    assert mock_edi.ask("/_mock/unacknowledged") == []


def test_a_suppliers_846_becomes_stock_and_an_older_one_changes_nothing(company: Found) -> None:
    files = {
        "hub.toml": HUB,
        "items.csv": "sku,name,gtin\nWIDGET-001,Blue widget,00076123400003\nWIDGET-002,Red widget,00076123400010\n",
        "listings.csv": "connection,sku,item\ntoolforge,TF-100,WIDGET-001\n",
        "locations.toml": LOCATIONS + '[[location]]\ncode = "FORGE"\nkind = "supplier"\nconnection = "toolforge"\n',
        "partners/toolforge.toml": partner("toolforge", {"846": "stock"}),
    }
    hub = company(files)
    newer = ("BIA*00*SI*INV-2*20261122*0630", "LIN*1*VP*TF-100", "QTY*33*140*EA", "LIN*2*VP*TF-200*UP*076123400010",
             "QTY*17*60*EA", "LIN*3*VP*TF-999", "QTY*33*1*EA", "CTT*3")  # fmt: skip
    older = ("BIA*00*SI*INV-1*20261121*0630", "LIN*1*VP*TF-100", "QTY*33*9*EA", "CTT*1")

    hub.take("toolforge", interchange("846", *newer))
    hub.take("toolforge", interchange("846", *older, control=2))
    hub.work()

    assert levels(hub) == [("WIDGET-001", "FORGE", 140, 0, 0), ("WIDGET-002", "FORGE", 60, 0, 0)]
    assert [row[0] for row in hub.rows("SELECT title FROM incidents")] == ["toolforge: 1 SKUs are not known: TF-999"]


WAREHOUSE = {
    **SELLER,
    "routes.toml": ROUTES + ROUTE.format(on="fulfillment_order.opened", to="target", send="fulfillment_order"),
    "locations.toml": LOCATIONS.replace('code = "MAIN"', 'code = "MAIN"\nkind = "3pl"\nconnection = "eastwh"'),
    "partners/eastwh.toml": partner(
        "eastwh", {"945": "shipment", "944": "goods_receipt", "943": "stock_transfer"}, {"940": "fulfillment_order"}
    ),
}


def test_a_warehouse_gets_a_940_and_its_945_confirms_the_shipment(company: Found) -> None:
    hub = company(WAREHOUSE)
    hub.take("north", interchange("850", *ORDER))
    hub.work()
    [asked] = hub.texts("eastwh", "fulfillment_order")
    assert segments(asked)[0] == "W05*N*FO-000001*4500017"
    assert [line for line in segments(asked) if line.startswith("W01*")] == [
        "W01*10*EA**VN*WIDGET-001",
        "W01*4*EA**VN*WIDGET-002",
    ]

    shipped = (
        "W06*F*FO-000001*20261123*WS-90417**4500017", "W27*M*UPSN*Ground", "LX*1", "MAN*GM*340123450000000017",
        "W12*CL**10**EA**VN*WIDGET-001", "N9*LI*1", "LX*2", "MAN*GM*340123450000000024",
        "W12*CL**4**EA**VN*WIDGET-002", "N9*LI*2", "W03*14",
    )  # fmt: skip
    hub.take("eastwh", interchange("945", *shipped, control=2))
    hub.work()

    [order] = hub.orders()
    assert (order.fulfillment, [line.shipped for line in order.lines]) == ("fulfilled", [10, 4])
    assert levels(hub) == [("WIDGET-001", "MAIN", 4990, 0, 0), ("WIDGET-002", "MAIN", 496, 0, 0)]
    assert hub.rows("SELECT state FROM fulfillment_orders") == [("closed",)]
    assert [line for line in segments(hub.texts("north", "shipment")[0]) if line.startswith("MAN*")] == [
        "MAN*GM*340123450000000017",
        "MAN*GM*340123450000000024",
    ]
    assert len(hub.texts("north", "invoice")) == 1
    assert hub.rows("SELECT title FROM incidents") == []


def test_goods_that_were_announced_by_943_arrive_by_944_once(company: Found) -> None:
    hub = company(WAREHOUSE)
    hub.take("eastwh", interchange("943", "W06*F*TR-31*20261120*SHP-31-1", "W04*240*EA**VN*WIDGET-001", "W03*240"))
    hub.work()
    assert levels(hub)[0] == ("WIDGET-001", "MAIN", 5000, 0, 240)

    receipt = (
        "W17*F*20261127*WR-5581*TR-31*SHP-31-1",
        "W07*238*EA**VN*WIDGET-001",
        "W13*5*EA*01",
        "W13*2*EA*02",
        "W14*238",
    )
    hub.take("eastwh", interchange("944", *receipt, control=2))
    hub.take("eastwh", interchange("944", *receipt, control=3))
    hub.work()

    assert levels(hub)[0] == ("WIDGET-001", "MAIN", 5233, 0, 0)
    assert hub.rows("SELECT state FROM documents ORDER BY id") == [("applied",), ("applied",), ("repeated",)]
    assert hub.rows("SELECT kind, on_hand_delta, incoming_delta FROM stock_movements WHERE reason <> 'seed' "
                    "AND kind IN ('transfer', 'receipt') AND incoming_delta <> 0 ORDER BY id") == [
        ("transfer", 0, 240_000_000),
        ("receipt", 233_000_000, -240_000_000),
    ]  # fmt: skip


CONTENTS = {
    "820": remittance("T-9", total="0"),
    "824": ("BGN*00*AA-9*20261122", "OTI*TA*IV*INV-1*****1*0001*810"),
    "832": ("BCT*PC*SPRING-27", "LIN*1*VP*TF-100", "CTP**UCP*7.25*1*EA", "CTT*1"),
    "852": ("XQ*H*20261115*20261121**PD-47", "LIN*1*VP*WIDGET-001", "ZA*QS", "SDQ*EA*92*0042*14*0107*3", "CTT*1"),
    "861": ("BRA*RA-1*20261126*00*1", "PRF*4500017", "RCD*1*9*EA***1*EA*01", "LIN*1*VP*WIDGET-001", "CTT*1"),
    "864": ("BMG*00*Closed on Monday", "MIT*TXT-1", "MSG*Please deliver on Tuesday."),
    "180": ("BGN*13*RET-1*20261122", "PRF*4500017", "BLI*VP*WIDGET-001*2*EA", "CTT*1"),
}
TOLD = {
    "820": {"number": "T-9", "amount": "0", "method": "ach"},
    "824": {"number": "AA-9", "issued_on": "2026-11-22"},
    "832": {"number": "SPRING-27"},
    "852": {"number": "PD-47", "begins_on": "2026-11-15", "ends_on": "2026-11-21"},
    "861": {"number": "RA-1", "order_number": "4500017"},
    "864": {"number": "TXT-1", "title": "Closed on Monday", "text": ["Please deliver on Tuesday."]},
    "180": {"number": "RET-1", "order_number": "4500017"},
}


def test_what_partners_report_is_kept_announced_and_sent_on_as_it_is(company: Found) -> None:
    routes = "".join(ROUTE.format(on=f"{document}.received", to="office", send=document) for _, document in REPORTS)
    office = BACK_OFFICE + "".join(AS_IT_IS.format(direction="out", document=document) for _, document in REPORTS)
    hub = company(
        {
            "hub.toml": HUB,
            "routes.toml": routes,
            "connections/office.toml": office,
            "partners/north.toml": partner("north", dict(REPORTS)),
        }
    )

    for control, (name, _) in enumerate(REPORTS, 1):
        hub.take("north", interchange(name, *CONTENTS[name], control=control))
    hub.work()

    kept = hub.rows("SELECT kind, number, partner FROM trade_documents ORDER BY kind")
    assert kept == sorted((document, str(TOLD[name]["number"]), "north") for name, document in REPORTS)
    assert hub.rows("SELECT state, count(*) FROM documents GROUP BY state") == [("applied", 7)]
    for name, document in REPORTS:
        [file] = (hub.var / "to-office").glob(f"*-{document}.json")
        sent = json.loads(file.read_bytes())
        assert {key: sent[key] for key in TOLD[name]} == TOLD[name]
        assert sent["connection"] == "north"
    figures = json.loads(next((hub.var / "to-office").glob("*-sales_report.json")).read_bytes())["lines"]
    assert [(x["location"], x["quantity"], x["kind"]) for x in figures] == [
        ("0042", "14", "sold"),
        ("0107", "3", "sold"),
    ]
    assert sorted(row[0] for row in hub.rows("SELECT title FROM incidents")) == [
        "north writes: Closed on Monday",
        "north: of order 4500017 1 EA of WIDGET-001 are damaged",
    ]


def test_a_940_that_reaches_us_is_an_order_of_the_owner_and_is_answered_by_945(company: Found) -> None:
    routes = ROUTE.format(on="shipment.dispatched", to="origin", send="shipment")
    pine = partner("pine", {"940": "fulfillment_order"}, {"945": "shipment"})
    hub = company({**STOCKED, "routes.toml": routes, "partners/pine.toml": pine})
    asked = (
        "W05*N*DEP-1*PO-77120", "N1*ST*Corner Store 12", "N3*2100 Southeast Avenue", "N4*San Diego*CA*91760*US",
        "LX*1", "W01*12*EA**VN*WIDGET-001", "N9*LI*10", "W76*12",
    )  # fmt: skip

    hub.take("pine", interchange("940", *asked))
    hub.work()
    hub.dispatch_all()

    [order] = hub.orders()
    assert (order.number, order.fulfillment, order.lines[0].shipped) == ("DEP-1", "fulfilled", 12)
    [advice] = hub.texts("pine", "shipment")
    lines = segments(advice)
    assert lines[0].startswith("W06*F*DEP-1*")
    assert "W12*CL**12**EA**VN*WIDGET-001" in lines
    assert "N9*LI*10" in lines


def test_a_stock_report_is_sent_on_where_a_route_asks_for_it(company: Found) -> None:
    hub = company(
        {
            "hub.toml": HUB,
            "items.csv": "sku,name\nWIDGET-001,Blue widget\n",
            "routes.toml": ROUTE.format(on="stock.received", to="office", send="stock"),
            "locations.toml": LOCATIONS + '[[location]]\ncode = "EAST"\nconnection = "eastwh"\n',
            "connections/office.toml": BACK_OFFICE + AS_IT_IS.format(direction="out", document="stock"),
            "partners/eastwh.toml": partner("eastwh", {"846": "stock"}),
        }
    )

    hub.take("eastwh", interchange("846", "BIA*00*SI*INV-1*20261122", "LIN*1*VP*WIDGET-001", "QTY*33*41*EA", "CTT*1"))
    hub.work()

    [file] = (hub.var / "to-office").glob("*-stock.json")
    assert json.loads(file.read_bytes())["lines"][0]["quantity"] == "41"
    assert levels(hub) == [("WIDGET-001", "EAST", 41, 0, 0)]
