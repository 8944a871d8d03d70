"""A hub without its outside: a real record, the operations, and a small company to try them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
import pytest

from hub.domain.config import Config
from hub.domain.connection import Agreement, ConnectionConfig, Partner
from hub.domain.event import Event
from hub.domain.order import Order, OrderLine, Skus, Source
from hub.domain.party import Address, Party
from hub.domain.route import Route
from hub.domain.stock import Item, Listing, Location, StockMovement
from hub.operations import built_in
from hub.pipeline.operate import operate
from hub.pipeline.services import Services
from hub.store import db
from hub.store.store import Store
from hub.store.tables import metadata
from hub.store.unit import Ledger, Unit

R = TypeVar("R")
PLACED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

CONNECTIONS = {
    each.name: each
    for each in (
        ConnectionConfig(name="shop", connector="rest", channel="web", source_kind="web"),
        ConnectionConfig(name="market", connector="rest", channel="market", source_kind="marketplace"),
        ConnectionConfig(name="edi", connector="folder", fulfilled_by="elsewhere", items="any", partner="north"),
        ConnectionConfig(name="erp", connector="rest", options={"publish_stock": False}),
        ConnectionConfig(name="parcel", connector="carrier"),
        ConnectionConfig(name="acme", connector="folder", partner="acme", options={"publish_stock": False}),
        ConnectionConfig(name="other_supplier", connector="folder", partner="other"),
        ConnectionConfig(name="logistics", connector="folder", partner="logistics"),
    )
}
LOCATIONS = {
    each.id: each
    for each in (
        Location(
            id="hamburg",
            code="HH",
            carrier="parcel",
            address=Address(country="DE", region="HH", latitude=53.55, longitude=9.99),
        ),
        Location(
            id="munich",
            code="MUC",
            carrier="parcel",
            address=Address(country="DE", region="BY", latitude=48.14, longitude=11.58),
        ),
        Location(id="outside", code="3PL", kind="3pl", connection="logistics", priority=200),
        Location(id="acme_store", code="ACME", kind="supplier", connection="acme", priority=300),
    )
}
CONFIG = Config(
    version=1,
    connections=CONNECTIONS,
    partners={"north": Partner(name="north"), "acme": Partner(name="acme")},
    agreements=(Agreement(connection="shop", direction="out", document="stock", codec="json"),),
    locations=LOCATIONS,
    seller=Party(name="Our Company", kind="self"),
    settings={"gs1.company_prefix": "4012345"},
)


class Company:
    """The record and what may happen to it, one call per batch."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.config = CONFIG
        self.decide: Any = None
        self.ledger = Ledger(store, lambda: self.config)

    def happen(self, work: Callable[[Unit], Any]) -> list[Event]:
        """Run `work` and then the operations, in one transaction; return every event."""
        services: Any = Services(
            store=self.ledger,
            config=lambda: self.config,
            clock=None,
            doorbell=None,
            codecs={},
            translation=None,
            opened=None,
            operations=built_in(self.decide),
        )  # type: ignore[arg-type]

        def transaction(unit: Unit) -> list[Event]:
            work(unit)
            operate(services, unit)
            return list(unit.events)

        return self.ledger.transact(transaction)

    def receive(self, *orders: Order) -> list[Event]:
        """Orders arrive, as the pipeline hands them over."""

        def work(unit: Unit) -> None:
            for order in orders:
                unit.put(order)
                unit.emit(
                    "order.received",
                    order_id=order.id,
                    subject_kind="order",
                    subject_id=order.id,
                    origin=order.source.connection,
                )

        return self.happen(work)

    def hear(
        self,
        name: str,
        document: Any = None,
        *,
        origin: str = "",
        order_id: str = "",
        subject: tuple[str, str] = ("", ""),
        detail: dict[str, Any] | None = None,
    ) -> list[Event]:
        """One event happens, with its document."""

        def work(unit: Unit) -> None:
            event = unit.emit(
                name, origin=origin, order_id=order_id, subject_kind=subject[0], subject_id=subject[1], detail=detail
            )
            if document is not None:
                unit.attached[event.id] = document

        return self.happen(work)

    def has(self, item: Item, listings: Sequence[Listing] = (), **stock: str) -> None:
        """An item exists, with this much of it in each place."""
        encode = msgspec.json.Encoder(decimal_format="string").encode

        def rows(d: db.Db) -> None:
            d.run(
                "INSERT INTO items (id, sku, gtin, doc) VALUES (:id, :sku, :gtin, :doc)",
                id=item.id,
                sku=item.sku,
                gtin=item.gtin,
                doc=encode(item).decode(),
            )
            for each in listings:
                d.run(
                    "INSERT INTO listings (connection, sku, item_id, doc) VALUES (:connection, :sku, :item_id, :doc)",
                    connection=each.connection,
                    sku=each.sku,
                    item_id=each.item_id,
                    doc=encode(each).decode(),
                )

        def opening(unit: Unit) -> None:
            for place, quantity in stock.items():
                unit.move(
                    StockMovement(
                        id=unit.new_id(),
                        item_id=item.id,
                        location_id=place,
                        kind="receipt",
                        on_hand_delta=Decimal(quantity),
                        at=PLACED,
                    )
                )

        self.store.write(rows)
        self.ledger.transact(opening)

    def arrives(self, item_id: str, place: str, quantity: str) -> None:
        """More of an item is received, without anybody being told."""

        def work(unit: Unit) -> None:
            unit.stock([item_id])
            unit.move(
                StockMovement(
                    id=unit.new_id(),
                    item_id=item_id,
                    location_id=place,
                    kind="receipt",
                    on_hand_delta=Decimal(quantity),
                    at=PLACED,
                )
            )

        self.ledger.transact(work)

    def route(self, *routes: Route) -> None:
        """An admin adds routes."""
        self.config = msgspec.structs.replace(self.config, routes=(*self.config.routes, *routes))

    def set(self, name: str, value: Any) -> None:
        """An admin changes a setting."""
        self.config = msgspec.structs.replace(self.config, settings={**self.config.settings, name: value})

    def stored(self, number: str) -> Order:
        """Return an order as stored."""
        return self.load(Order, f"order-{number}")

    def below(self, kind: type[R], number: str) -> list[R]:
        """Return the records of a kind that belong to an order, as stored."""
        order_id = f"order-{number}"
        return self.ledger.look(lambda unit: unit.below(kind, [order_id])[order_id])

    def load(self, kind: type[R], record_id: str) -> R:
        """Return one record as stored."""
        return self.ledger.look(lambda unit: unit.load(kind, [record_id])[record_id])

    def level(self, item_id: str, place: str) -> tuple[str, str]:
        """Return (on hand, reserved) as stored."""
        [found] = [x for x in self.ledger.look(lambda unit: unit.stock_seen([item_id])) if x.location_id == place]
        return str(found.on_hand), str(found.reserved)

    def incidents(self) -> list[tuple[str, int]]:
        """Return (fingerprint, count) of open incidents."""
        sql = "SELECT fingerprint, count FROM incidents WHERE state = 'open' ORDER BY fingerprint"
        return [(row[0], row[1]) for row in self.store.read(lambda d: d.all(sql))]

    def settle(self) -> None:
        """Invariant: movements add up to levels, and nothing is promised twice."""
        wrong = self.store.read(
            lambda d: d.all(
                "SELECT l.item_id, l.location_id FROM stock_levels l LEFT JOIN (SELECT item_id, location_id, "
                "sum(on_hand_delta) AS hand, sum(reserved_delta) AS held FROM stock_movements "
                "GROUP BY item_id, location_id) m ON m.item_id = l.item_id AND m.location_id = l.location_id "
                "WHERE coalesce(m.hand, 0) <> l.on_hand OR coalesce(m.held, 0) <> l.reserved OR l.on_hand < l.reserved"
            )
        )
        assert wrong == []

    @staticmethod
    def line(number: str, item: str, ordered: str, price: str = "10.00", **more: Any) -> OrderLine:
        """Return an order line of one of our items."""
        return OrderLine(
            line_no=number,
            item_id=item,
            ordered=Decimal(ordered),
            unit_price=Decimal(price),
            sku=Skus(seller=item.upper()),
            **more,
        )

    @staticmethod
    def order(number: str, *lines: OrderLine, connection: str = "shop", **more: Any) -> Order:
        """Return an order as the pipeline has stored it."""
        return Order(
            **{
                "id": f"order-{number}",
                "number": number,
                "account": connection,
                "external_id": f"x-{number}",
                "source": Source(connection=connection, external_id=f"x-{number}"),
                "lines": lines,
                "currency": "EUR",
                "received_at": PLACED,
                "ship_to": Address(name="A Buyer", city="Hamburg", country="DE", region="HH"),
                **more,
            }
        )

    @staticmethod
    def names(events: Sequence[Event]) -> list[str]:
        """Return the names of events."""
        return [event.name for event in events]


@pytest.fixture
def make_company(new_database: Callable[..., str]) -> Callable[[], Any]:
    """Companies of their own, on SQLite, for tests that need many."""

    @contextmanager
    def make() -> Iterator[Company]:
        store = Store(new_database("sqlite"))
        metadata.create_all(store.engine)
        try:
            yield Company(store)
        finally:
            store.close()

    return make


@pytest.fixture
def company(upgraded_url: str) -> Iterator[Company]:
    """A company with two warehouses, a 3PL, a supplier, two shops and an EDI partner."""
    store = Store(upgraded_url)
    yield Company(store)
    store.close()
