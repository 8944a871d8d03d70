"""Stock is promised once, nearest place first, and what nobody has is said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.domain.order import Order
from hub.domain.party import Address
from hub.domain.purchase import PurchaseOrder
from hub.domain.shipment import Candidate, FulfillmentOrder, SourcingDecision
from hub.domain.stock import Item, Reservation, StockReport, StockReportLine


def test_the_last_unit_goes_to_one_of_two_orders_and_the_other_is_backordered(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="1")

    events = company.receive(*(company.order(n, company.line("1", "cup", "1")) for n in ("1", "2")))

    assert [(e.name, e.order_id) for e in events if e.name in ("order.allocated", "order.backordered")] == [
        ("order.allocated", "order-1"),
        ("order.backordered", "order-2"),
    ]
    assert company.level("cup", "hamburg") == ("1", "1")
    assert company.stored("2").lines[0].backordered == Decimal(1)
    company.settle()


def test_a_more_urgent_order_is_served_first(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="1")

    company.receive(
        company.order("1", company.line("1", "cup", "1")), company.order("2", company.line("1", "cup", "1"), priority=5)
    )

    assert company.stored("1").lines[0].backordered == Decimal(1)
    assert company.stored("2").lines[0].allocated == Decimal(1)


def test_two_lines_of_one_item_are_summed(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="3", munich="4")

    company.receive(company.order("1", company.line("1", "cup", "2"), company.line("2", "cup", "2")))

    assert company.level("cup", "munich") == ("4", "4")
    assert company.level("cup", "hamburg") == ("3", "0")
    assert [each.target for each in company.below(FulfillmentOrder, "1")] == ["munich"]


def test_the_nearest_place_that_has_everything_is_chosen_and_the_runner_up_kept(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="9", munich="9")
    to = Address(country="DE", latitude=52.52, longitude=13.40)

    company.receive(company.order("1", company.line("1", "cup", "2"), ship_to=to))

    [asked] = company.below(FulfillmentOrder, "1")
    decision = asked.decision
    assert (asked.target, decision.chosen, decision.runner_up) == ("hamburg", "hamburg", "munich")
    assert [(each.target, each.reason) for each in decision.candidates] == [
        ("hamburg", "1 of 1 items in full, 255 km away, priority 100"),
        ("munich", "1 of 1 items in full, 504 km away, priority 100"),
    ]


def test_what_a_place_lacks_comes_from_the_next_and_what_none_has_from_the_supplier(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", supplier="other_supplier", cost=Decimal("4.20")), hamburg="2", munich="1")

    events = company.receive(company.order("1", company.line("1", "cup", "5")))

    assert [(each.target, each.lines[0].quantity) for each in company.below(FulfillmentOrder, "1")] == [
        ("hamburg", Decimal(2)),
        ("munich", Decimal(1)),
    ]
    [bought] = company.below(PurchaseOrder, "1")
    assert (bought.number, bought.supplier, bought.lines[0].quantity, bought.lines[0].cost) == (
        "PO-000001", "other_supplier", Decimal(2), Decimal("4.20"),
    )  # fmt: skip
    [approved] = [each for each in events if each.name == "purchase_order.approved"]
    assert approved.detail["target"] == "other_supplier"
    assert "order.allocated" in company.names(events)
    assert company.stored("1").lines[0].allocated == Decimal(5)


def test_a_supplier_who_tells_their_stock_is_asked_only_for_what_they_have(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", supplier="acme"), acme_store="3")

    company.receive(company.order("1", company.line("1", "cup", "5")))

    [bought] = company.below(PurchaseOrder, "1")
    assert bought.lines[0].quantity == Decimal(3)
    assert company.level("cup", "acme_store") == ("3", "3")
    assert company.stored("1").lines[0].backordered == Decimal(2)


def test_a_third_party_warehouse_is_told_by_its_connection(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), outside="3")

    events = company.receive(company.order("1", company.line("1", "cup", "3")))

    [opened] = [each for each in events if each.name == "fulfillment_order.opened"]
    assert opened.detail == {"target": "logistics", "number": "FO-000001"}
    assert company.below(FulfillmentOrder, "1")[0].target_kind == "3pl"


def test_a_plug_in_may_choose_the_place(company: Any) -> None:
    def decide(_order: Order, found: tuple[Candidate, ...]) -> SourcingDecision:
        return SourcingDecision(rules_version="mine/1", chosen=found[-1].target, reasons=("always the last",))

    company.decide = decide
    company.has(Item(id="cup", sku="CUP"), hamburg="9", munich="9")

    company.receive(company.order("1", company.line("1", "cup", "1")))

    [asked] = company.below(FulfillmentOrder, "1")
    assert (asked.target, asked.decision.reasons) == ("munich", ("always the last",))


def test_an_order_that_is_kept_together_waits_for_what_its_place_lacks(company: Any) -> None:
    company.set("source.split", False)
    company.has(Item(id="cup", sku="CUP"), hamburg="2", munich="2")

    company.receive(company.order("1", company.line("1", "cup", "4")))

    assert [each.target for each in company.below(FulfillmentOrder, "1")] == ["hamburg"]
    assert company.stored("1").lines[0].backordered == Decimal(2)


def test_a_service_needs_no_stock(company: Any) -> None:
    company.has(Item(id="set_up", sku="SETUP", kind="service"))
    company.has(Item(id="cup", sku="CUP"), hamburg="1")

    events = company.receive(company.order("1", company.line("1", "cup", "1"), company.line("2", "set_up", "1")))

    assert "order.allocated" in company.names(events)
    assert [each.line_no for each in company.below(Reservation, "1")] == ["1"]


def test_asking_again_allocates_only_what_is_still_missing(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="1")
    company.receive(company.order("1", company.line("1", "cup", "3")))
    company.arrives("cup", "hamburg", "1")

    more = company.hear("order.reallocate_requested", order_id="order-1")
    none = company.hear("order.reallocate_requested", order_id="order-1")

    assert "order.backordered" in company.names(more)
    assert company.names(none) == ["order.reallocate_requested"]
    assert (company.stored("1").lines[0].allocated, company.stored("1").lines[0].backordered) == (
        Decimal(2),
        Decimal(1),
    )
    company.settle()


def test_orders_that_wait_go_on_in_turn_when_stock_is_counted(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="1")
    company.receive(*(company.order(n, company.line("1", "cup", "2")) for n in ("1", "2", "3")))
    found = StockReport(lines=(StockReportLine(sku="CUP", quantity=Decimal(4)),), location="HH")

    events = company.hear("stock.received", found, origin="erp")

    assert [(e.name, e.order_id) for e in events if e.name in ("order.allocated", "order.backordered")] == [
        ("order.allocated", "order-1"),
        ("order.allocated", "order-2"),
    ]
    assert company.stored("3").lines[0].backordered == Decimal(2)
    assert "acknowledgement.issued" not in company.names(events)
    company.settle()


def test_what_a_cancelled_order_gives_back_goes_to_the_order_that_waits(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="1")
    company.receive(*(company.order(n, company.line("1", "cup", "1")) for n in ("1", "2")))

    company.hear("order.cancel_requested", order_id="order-1")

    assert company.stored("2").lines[0].allocated == Decimal(1)
    assert [each.state for each in company.below(Reservation, "2")] == ["released", "held"]
    company.settle()


def test_a_cancelled_order_waits_no_more(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"))
    company.receive(company.order("1", company.line("1", "cup", "1")))
    company.hear("order.cancel_requested", order_id="order-1")
    found = StockReport(lines=(StockReportLine(sku="CUP", quantity=Decimal(4)),), location="HH")

    events = company.hear("stock.received", found, origin="erp")

    assert company.names(events) == ["stock.received", "stock.changed"]
    assert company.level("cup", "hamburg") == ("4", "0")
