"""A change names lines and what becomes of each; what it leaves out stays as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.domain.order import OrderLine, Skus
from hub.domain.order_change import OrderChange
from hub.domain.stock import Item


def changed(company: Any, *lines: OrderLine) -> Any:
    """Order three cups at 5 and two plates at 7, change that, and return the order."""
    company.has(Item(id="cup", sku="CUP"), hamburg="9")
    company.has(Item(id="plate", sku="PLATE"), hamburg="9")
    first = company.line("1", "cup", "3", "5.00", description="Cup")
    second = company.line("2", "plate", "2", "7.00")
    order = company.order("1", first, second)
    company.receive(order)
    change = OrderChange(id="change-1", number=order.number, purpose="change", lines=lines, order_id=order.id)
    company.hear("order.change_received", change, order_id="order-1")
    return company.stored("1")


def line(number: str, change: Any, ordered: str = "0", **more: Any) -> OrderLine:
    """One line of a change."""
    return OrderLine(line_no=number, change=change, ordered=Decimal(ordered), **more)


def test_a_price_alone_leaves_quantity_item_and_words(company: Any) -> None:
    order = changed(company, line("1", "changed", unit_price=Decimal("4.50")))

    cup = order.lines[0]
    assert (cup.ordered, cup.unit_price, cup.item_id, cup.description) == (3, Decimal("4.50"), "cup", "Cup")
    assert order.lines[1].ordered == 2
    company.settle()


def test_a_zero_that_was_written_takes_the_line_away(company: Any) -> None:
    order = changed(company, line("1", "changed", extensions={"edi": {"quantity": "0"}}))

    assert (order.lines[0].ordered, order.lines[0].cancelled, order.lines[0].allocated) == (3, 3, 0)
    company.settle()


def test_an_unchanged_line_stays_whatever_else_it_says(company: Any) -> None:
    order = changed(company, line("2", "unchanged", "99", unit_price=Decimal(1)))

    assert (order.lines[1].ordered, order.lines[1].unit_price) == (2, Decimal(7))
    company.settle()


def test_a_change_of_a_line_that_is_not_there_holds_the_order(company: Any) -> None:
    order = changed(company, line("9", "deleted"), line("3", "added", "1", item_id="cup", sku=Skus(seller="CUP")))

    assert [(each.code, each.value) for each in order.open_holds] == [("partner", "9")]
    assert [each.line_no for each in order.lines] == ["1", "2", "3"]
