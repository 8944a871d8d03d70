"""Orders are accepted, or held with one incident per cause."""

from __future__ import annotations

from typing import Any

from hub.domain.order import Hold
from hub.domain.stock import Item, Listing


def test_an_order_that_nothing_holds_is_accepted(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")

    events = company.receive(company.order("1", company.line("1", "cup", "2")))

    assert company.names(events)[:3] == ["order.received", "order.accepted", "order.allocated"]
    assert company.stored("1").acceptance == "accepted"


def test_two_orders_held_by_one_unknown_sku_are_one_incident_counted_twice(company: Any) -> None:
    hold = Hold(code="unmapped_sku", value="NEW-1", reason="no item is known for NEW-1")
    one, two = (company.order(n, company.line("1", "", "1"), holds=(hold,)) for n in ("1", "2"))

    events = company.receive(one, two)

    assert company.names(events) == ["order.received", "order.received", "order.held", "order.held"]
    assert company.incidents() == [("hold/unmapped_sku/shop/NEW-1", 2)]
    assert company.stored("1").acceptance == "received"


def test_releasing_an_unknown_sku_before_it_is_mapped_changes_nothing(company: Any) -> None:
    hold = Hold(code="unmapped_sku", value="NEW-1", reason="no item is known for NEW-1")
    line = company.line("1", "", "1")
    company.receive(company.order("1", _with_sku(line, "NEW-1"), holds=(hold,)))

    events = company.hear("order.release_requested", order_id="order-1")

    assert company.names(events) == ["order.release_requested"]
    assert company.incidents() == [("hold/unmapped_sku/shop/NEW-1", 1)]


def test_a_mapped_sku_lets_the_order_go_on_and_closes_the_incident(company: Any) -> None:
    hold = Hold(code="unmapped_sku", value="NEW-1", reason="no item is known for NEW-1")
    company.receive(company.order("1", _with_sku(company.line("1", "", "1"), "NEW-1"), holds=(hold,)))
    company.has(Item(id="cup", sku="CUP"), [Listing(connection="shop", sku="NEW-1", item_id="cup")], hamburg="5")

    events = company.hear("order.release_requested", order_id="order-1", detail={"by": "Ada"})

    assert company.names(events)[:4] == [
        "order.release_requested", "order.released", "order.accepted", "order.allocated",
    ]  # fmt: skip
    stored = company.stored("1")
    assert (stored.lines[0].item_id, stored.holds[0].released_by) == ("cup", "Ada")
    assert company.incidents() == []


def test_each_hold_is_released_alone(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    holds = (Hold(code="fraud", reason="a doubt"), Hold(code="address", reason="no street"))
    company.receive(company.order("1", company.line("1", "cup", "1"), holds=holds))

    first = company.hear("order.release_requested", order_id="order-1", detail={"codes": ["fraud"]})
    second = company.hear("order.release_requested", order_id="order-1", detail={"codes": ["address"]})

    assert company.names(first) == ["order.release_requested", "order.released"]
    assert "order.accepted" in company.names(second)


def test_an_order_that_a_person_refuses_is_rejected_even_while_it_is_held(company: Any) -> None:
    company.receive(company.order("1", company.line("1", "cup", "1"), holds=(Hold(code="fraud", reason="a doubt"),)))

    events = company.hear("order.reject_requested", order_id="order-1")

    assert company.names(events)[:2] == ["order.reject_requested", "order.rejected"]
    assert company.stored("1").acceptance == "rejected"


def test_an_order_that_somebody_else_fulfils_is_accepted_and_left_alone(company: Any) -> None:
    events = company.receive(company.order("1", company.line("1", "", "1"), connection="edi"))

    assert company.names(events)[:2] == ["order.received", "order.accepted"]
    assert "order.backordered" not in company.names(events)


def _with_sku(line: Any, sku: str) -> Any:
    from msgspec.structs import replace

    return replace(line, sku=replace(line.sku, seller=sku))
