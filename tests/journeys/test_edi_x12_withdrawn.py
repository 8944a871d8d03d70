"""The hub as buyer takes a purchase order back by 860 and hears the supplier's 865; and its stock goes out as 846."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from hub.pipeline.operate import operate
from hub.pipeline.route import route
from hub.ports.records import Unit

from .conftest import HUB, LOCATIONS, STOCKED, Company
from .test_edi_buyer import HUB as BUYER_HUB
from .test_edi_buyer import ITEMS, ORDER, SHOP
from .x12_partners import ROUTE, interchange, partner, segments

Found = Callable[[Mapping[str, str]], Company]

BUYER = {
    "hub.toml": BUYER_HUB,
    "routes.toml": ROUTE.format(on="purchase_order.approved", to="target", send="purchase_order")
    + ROUTE.format(on="purchase_order.cancelled", to="target", send="purchase_order_cancel"),
    "items.csv": ITEMS,
    "connections/shop.toml": SHOP,
    "partners/maker.toml": partner(
        "maker", {"865": "change_acknowledgement"}, {"850": "purchase_order", "860_cancel": "purchase_order_cancel"}
    ),
}


def withdrawn(company: Found) -> Company:
    """A company whose customer ordered what a supplier sends, and took the order back."""
    buyer = company(BUYER)
    buyer.take("shop", json.dumps(ORDER).encode())
    buyer.work()
    [order] = buyer.orders()

    def cancel(unit: Unit) -> None:
        unit.emit("order.cancel_requested", order_id=order.id, subject_kind="order", subject_id=order.id)
        operate(buyer.hub.services, unit)
        route(buyer.hub.services, unit)

    buyer.hub.ledger.transact(cancel)
    buyer.work()
    return buyer


def test_an_order_that_is_taken_back_is_taken_back_from_the_supplier(company: Found) -> None:
    buyer = withdrawn(company)

    [text] = buyer.texts("maker", "purchase_order_cancel")
    lines = segments(text)
    assert lines[0].startswith("BCH*01*DS*PO-000001***")
    assert [line for line in lines if line.startswith("POC*")] == ["POC*1*DI*3**EA*12.50**VP*WIDGET-001"]


@pytest.mark.parametrize(
    ("code", "titles"),
    [("AC", []), ("RJ", ["maker will not withdraw PO-000001: it is on the truck"])],
    ids=["taken back", "refused"],
)
def test_the_supplier_says_whether_they_take_it_back(company: Found, code: str, titles: list[str]) -> None:
    buyer = withdrawn(company)
    reason = ("REF*ZZ**it is on the truck", "ACK*IR*0*EA") if code == "RJ" else ("ACK*IA*0*EA",)

    answer = (f"BCA*00*{code}*PO-000001***20261120***S-1*20261122", "POC*1*DI*3**EA", *reason, "CTT*1")
    buyer.take("maker", interchange("865", *answer))
    buyer.work()

    assert [row[0] for row in buyer.rows("SELECT title FROM incidents")] == titles
    named = buyer.rows("SELECT name FROM events WHERE name = 'purchase_order.change_acknowledged'")
    assert len(named) == 1


def test_an_answer_about_a_purchase_order_of_nobody_is_told(company: Found) -> None:
    buyer = company(BUYER)

    buyer.take("maker", interchange("865", "BCA*00*AC*PO-777***20261120", "CTT*0"))
    buyer.work()

    [(title,)] = buyer.rows("SELECT title FROM incidents")
    assert title == "maker: an answer to a change of PO-777, which is no purchase order to them"


def test_what_we_have_goes_out_as_846_when_stock_moves(company: Found) -> None:
    files = {
        "hub.toml": HUB,
        "routes.toml": ROUTE.format(on="stock_report.published", to="target", send="stock"),
        "locations.toml": LOCATIONS + '[[location]]\ncode = "EAST"\nkind = "3pl"\nconnection = "eastwh"\n',
        "items.csv": STOCKED["items.csv"],
        "listings.csv": "connection,sku,item\nmarket,M-1,WIDGET-001\n",
        "partners/eastwh.toml": partner("eastwh", {"846": "stock"}),
        "partners/market.toml": partner("market", {}, {"846": "stock"}),
    }
    hub = company(files)

    hub.take("eastwh", interchange("846", "BIA*00*SI*INV-1*20261122", "LIN*1*VP*WIDGET-001", "QTY*33*41*EA", "CTT*1"))
    hub.work()

    [text] = hub.texts("market", "stock")
    assert [line for line in segments(text) if line.startswith(("LIN*", "QTY*"))] == ["LIN*1*VP*M-1", "QTY*33*41*EA"]
