"""Counts come in, availability goes out, and the movements always add up to the levels."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hub.domain.stock import Item, Listing, StockReport, StockReportLine

MORNING = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def report(*lines: tuple[str, str], at: datetime = NOON, location: str = "HH", **more: Any) -> StockReport:
    return StockReport(
        lines=tuple(StockReportLine(sku=sku, quantity=Decimal(quantity)) for sku, quantity in lines),
        at=at, location=location, **more,
    )  # fmt: skip


def published(company: Any, events: list[Any]) -> dict[str, list[tuple[str, str]]]:
    found = {}
    for event in events:
        if event.name == "stock_report.published":
            stored = company.load(StockReport, event.subject_id)
            assert event.detail["target"] not in found
            found[event.detail["target"]] = [(line.sku, str(line.quantity)) for line in stored.lines]
    return found


def test_a_count_sets_the_level_and_is_kept_as_a_movement(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")

    company.hear("stock.received", report(("CUP", "12")), origin="erp")

    assert company.level("cup", "hamburg") == ("12", "0")
    company.settle()


def test_a_count_that_is_older_than_the_last_one_is_ignored(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    company.hear("stock.received", report(("CUP", "12"), at=NOON), origin="erp")

    events = company.hear("stock.received", report(("CUP", "3"), at=MORNING), origin="erp")

    assert company.names(events) == ["stock.received"]
    assert company.level("cup", "hamburg") == ("12", "0")


def test_a_count_of_nothing_for_a_new_item_is_remembered_with_its_time(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"))
    company.hear("stock.received", report(("CUP", "0"), at=NOON), origin="erp")

    company.hear("stock.received", report(("CUP", "3"), at=MORNING), origin="erp")

    assert company.level("cup", "hamburg") == ("0", "0")


def test_unknown_skus_are_one_incident_and_the_others_are_applied(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")

    company.hear("stock.received", report(("NOPE", "1"), ("CUP", "8"), ("WHAT", "2")), origin="erp")

    assert company.incidents() == [("stock/erp/unknown_sku", 1)]
    assert company.level("cup", "hamburg") == ("8", "0")


def test_a_complete_report_puts_what_it_does_not_list_at_zero(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5", munich="5")
    company.has(Item(id="pot", sku="POT"), hamburg="5")

    company.hear("stock.received", report(("CUP", "4"), complete=True), origin="erp")

    assert company.level("cup", "hamburg") == ("4", "0")
    assert company.level("cup", "munich") == ("5", "0")
    assert company.level("pot", "hamburg") == ("0", "0")
    company.settle()


def test_a_supplier_counts_their_own_place_by_their_own_names(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), [Listing(connection="acme", sku="A-CUP", item_id="cup")])

    company.hear("stock.received", report(("A-CUP", "40"), location=""), origin="acme")

    assert company.level("cup", "acme_store") == ("40", "0")


def test_a_count_below_what_is_promised_goes_to_a_person(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    company.receive(company.order("1", company.line("1", "cup", "4")))

    company.hear("stock.received", report(("CUP", "1")), origin="erp")

    assert company.incidents() == [("stock/erp/oversold/cup/hamburg", 1)]


def test_a_batch_makes_one_report_per_channel_less_the_buffer_and_under_the_cap(company: Any) -> None:
    company.has(
        Item(id="cup", sku="CUP"),
        [
            Listing(connection="shop", sku="S-CUP", item_id="cup", buffer=Decimal(2)),
            Listing(connection="market", sku="M-CUP", item_id="cup", cap=Decimal(3)),
            Listing(connection="erp", sku="E-CUP", item_id="cup"),
        ],
        hamburg="6",
        munich="4",
    )
    pot = Listing(connection="shop", sku="S-POT", item_id="pot", buffer=Decimal(9))
    company.has(Item(id="pot", sku="POT"), [pot], hamburg="8")

    events = company.receive(
        company.order("1", company.line("1", "cup", "1"), company.line("2", "pot", "1")),
        company.order("2", company.line("1", "cup", "2")),
    )

    assert published(company, events) == {"shop": [("S-CUP", "5"), ("S-POT", "0")], "market": [("M-CUP", "3")]}


def test_a_count_and_an_order_in_one_batch_make_one_report_with_the_last_word(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), [Listing(connection="shop", sku="S-CUP", item_id="cup")], hamburg="1")
    company.has(Item(id="pot", sku="POT"), [Listing(connection="shop", sku="S-POT", item_id="pot")], hamburg="1")
    order = company.order("1", company.line("1", "cup", "2"))

    def both(unit: Any) -> None:
        event = unit.emit("stock.received", origin="erp")
        unit.attached[event.id] = report(("CUP", "10"), ("POT", "3"))
        unit.put(order)
        unit.emit("order.received", order_id=order.id, subject_kind="order", subject_id=order.id)

    events = company.happen(both)

    assert published(company, events) == {"shop": [("S-CUP", "8"), ("S-POT", "3")]}


def test_publishing_can_be_switched_off(company: Any) -> None:
    company.set("stock.publish", False)
    company.has(Item(id="cup", sku="CUP"), [Listing(connection="shop", sku="S-CUP", item_id="cup")], hamburg="9")

    events = company.receive(company.order("1", company.line("1", "cup", "2")))

    assert published(company, events) == {}


def test_a_low_item_is_said_once_and_forgotten_when_there_is_enough(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP", reorder_point=Decimal(5)), hamburg="6")

    events = company.receive(company.order("1", company.line("1", "cup", "2")))
    low = company.incidents()
    company.hear("stock.received", report(("CUP", "50")), origin="erp")

    assert "stock.low" in company.names(events)
    assert (low, company.incidents()) == ([("stock_low/cup", 1)], [])
