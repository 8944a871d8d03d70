"""A batch costs as many statements as a pair, and no sequence of orders promises what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.shipment import Package, Shipment
from hub.domain.stock import Item
from hub.store import db


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []
    hear = seen.append
    db.on_statement.append(hear)
    try:
        yield seen
    finally:
        db.on_statement.remove(hear)


def _orders(company: Any, prefix: str, count: int) -> list[Any]:
    return [
        company.order(f"{prefix}{n}", company.line("1", "cup", "1"), company.line("2", "pot", "1"))
        for n in range(count)
    ]


def test_two_hundred_orders_take_as_many_statements_as_two(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="1000")
    company.has(Item(id="pot", sku="POT"), munich="1000")

    with statements() as few:
        company.receive(*_orders(company, "a", 2))
    with statements() as many:
        company.receive(*_orders(company, "b", 200))

    assert len(many) == len(few)
    company.settle()


def test_two_hundred_labels_take_as_many_statements_as_two(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="1000")
    company.has(Item(id="pot", sku="POT"), hamburg="1000")
    company.receive(*_orders(company, "a", 202))

    def labels(first: int, last: int) -> Any:
        def work(unit: Any) -> None:
            for number in range(first, last + 1):
                event = unit.emit("label.received", origin="parcel")
                unit.attached[event.id] = Shipment(number=f"SH-{number:06d}", packages=(Package(tracking_number="T"),))

        return work

    with statements() as few:
        company.happen(labels(1, 2))
    with statements() as many:
        company.happen(labels(3, 202))

    assert len(many) == len(few)
    assert company.level("cup", "hamburg") == ("798", "0")
    company.settle()


def test_four_channels_at_once_get_no_more_than_there_is(company: Any) -> None:
    company.has(Item(id="cup", sku="CUP"), hamburg="5")
    batches = [
        [company.order(f"{channel}{n}", company.line("1", "cup", "1")) for n in range(3)]
        for channel in ("a", "b", "c", "d")
    ]

    with ThreadPoolExecutor(max_workers=4) as threads:
        heard = list(threads.map(lambda batch: company.names(company.receive(*batch)), batches, timeout=60))

    assert sum(names.count("order.allocated") for names in heard) == 5
    assert sum(names.count("order.backordered") for names in heard) == 7
    assert company.level("cup", "hamburg") == ("5", "5")
    company.settle()


quantities = st.decimals(min_value=0, max_value=6, places=1)
wishes = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["cup", "pot"]), st.decimals(min_value="0.1", max_value=5, places=1)),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stock=st.fixed_dictionaries({f"{i}/{p}": quantities for i in ("cup", "pot") for p in ("hamburg", "munich")}),
    orders=wishes,
    cancelled=st.sets(st.integers(0, 5)),
)
def test_no_more_is_promised_than_is_there_and_movements_add_up(
    make_company: Any, stock: dict[str, Decimal], orders: list[Any], cancelled: set[int]
) -> None:
    with make_company() as company:
        for item in ("cup", "pot"):
            company.has(
                Item(id=item, sku=item.upper()), **{p: str(stock[f"{item}/{p}"]) for p in ("hamburg", "munich")}
            )
        company.receive(
            *(
                company.order(str(n), *(company.line(str(at), item, str(q)) for at, (item, q) in enumerate(lines)))
                for n, lines in enumerate(orders)
            )
        )
        company.settle()
        for n in sorted(cancelled & set(range(len(orders)))):
            company.hear("order.cancel_requested", order_id=f"order-{n}")
        company.settle()
        for n in set(range(len(orders))) - cancelled:
            for line in company.stored(str(n)).lines:
                assert line.allocated + line.backordered == line.ordered
