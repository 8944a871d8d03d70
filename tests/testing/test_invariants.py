"""Every invariant can fail: a good record is silent, and each thing that is broken in it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from hub.domain.config import Config
from hub.domain.inbox import DocumentRow, MessageEnd
from hub.domain.invoice import Invoice, InvoiceLine
from hub.domain.message import Incoming, Message, Receipt
from hub.domain.order import Order, OrderLine, Totals
from hub.domain.route import Leg
from hub.domain.stock import StockMovement
from hub.store.store import Store
from hub.store.tables import metadata
from hub.store.unit import Ledger, Unit
from hub.testing.invariants import INVARIANTS, Received, check

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
GOOD = Received(key="", header=Decimal("25.00"), lines=Decimal("25.00"))


class Record:
    """A small, quiet hub: one order in, two documents out about it, one stock promise, three control numbers."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ledger = Ledger(store, Config)
        self.message = self.ledger.take_in("shop", "", "document", [Incoming(body=b"{}", event_id="event-1")])[
            0
        ].message_id
        [claim] = self.ledger.claim("document", "ingest", 1, "w", 60)
        self.ledger.transact(lambda unit: self._apply(unit, claim))
        self._send()
        sql = "SELECT id FROM deliveries ORDER BY created_us, id"
        self.created, self.changed = [row[0] for row in self.store.read(lambda db: db.all(sql))]

    def _apply(self, unit: Unit, claim: Any) -> None:
        unit.fence([claim])
        line = OrderLine(line_no="1", ordered=Decimal(2), unit_price=Decimal("12.50"), item_id="widget")
        totals = Totals(grand=Decimal("25.00"))
        unit.put(
            Order(id="o1", number="1", account="shop", external_id="1", lines=(line,), totals=totals, currency="EUR")
        )
        unit.put(_invoice(Decimal("25.00")))
        unit.move(_moved("receipt", on_hand_delta=Decimal(5)))
        unit.move(_moved("allocation", reserved_delta=Decimal(2)))
        unit.add_documents(
            [DocumentRow(id="d1", message_id=self.message, ordinal=0, kind="order", state="applied", connection="shop")]
        )
        unit.end_messages([MessageEnd(message_id=self.message, state="applied")])
        unit.emit("order.received", order_id="o1")
        for name in ("order.accepted", "order.changed"):
            event = unit.emit(name, order_id="o1")
            leg = Leg(
                connection="sink",
                send="order",
                subject_kind="order",
                subject_id="o1",
                event_id=event.id,
                order_key="o1",
            )
            unit.plan([leg])
        unit.control_numbers("x12/us/interchange", 3, delivery_ids=["for-a-delivery"])

    def _send(self) -> None:
        for _ in range(2):
            [claim] = self.ledger.claim("document", "send", 1, "w", 60)
            self.ledger.transact(lambda unit, claim=claim: self._begin(unit, claim))
            self.ledger.transact(lambda unit, claim=claim: self._end(unit, claim))

    def _begin(self, unit: Unit, claim: Any) -> None:
        delivery = unit.deliveries([claim.subject_id])[claim.subject_id]
        sent = Message(
            id=f"m-{delivery.id}", connection="sink", direction="out", kind="order", received_at=AT, body=b"{}"
        )
        unit.begin([(msgspec.structs.replace(delivery, message_id=sent.id), sent)])

    def _end(self, unit: Unit, claim: Any) -> None:
        unit.fence([claim])
        delivery = unit.deliveries([claim.subject_id])[claim.subject_id]
        receipt = Receipt(reference="S1")
        unit.end(
            [(msgspec.structs.replace(delivery, state="delivered", reference="S1"), "delivered", receipt.reference)]
        )

    def run(self, sql: str) -> None:
        """Break something."""
        self.store.write(lambda db: db.run(sql))

    def check(self, **given: Any) -> list[str]:
        """Check, with what the outside knows where the test says nothing else."""
        arrivals = [arrived(GOOD, self.created), arrived(GOOD, self.changed)]
        facts: dict[str, Any] = {
            "accepted": [("shop", "event-1")],
            "expected": [("shop", "1")],
            "received_by_partner": {"sink": arrivals},
        }
        return check(self.store, **{**facts, **given})


def arrived(received: Received, key: str) -> Received:
    """Return this arrival under another key."""
    return Received(key=key, header=received.header, lines=received.lines)


def _moved(kind: Any, **deltas: Decimal) -> StockMovement:
    return StockMovement(id=f"move-{kind}", item_id="widget", location_id="hamburg", kind=kind, at=AT, **deltas)


def _invoice(grand: Decimal) -> Invoice:
    line = InvoiceLine(line_no="1", quantity=Decimal(2), unit_price=Decimal("12.50"), amount=Decimal("25.00"))
    return Invoice(id="i1", number="R1", order_id="o1", lines=(line,), totals=Totals(grand=grand), currency="EUR")


@pytest.fixture
def record(database_url: str) -> Iterator[Record]:
    """A record in which all holds."""
    store = Store(database_url)
    metadata.create_all(store.engine)
    yield Record(store)
    store.close()


@pytest.fixture(scope="module")
def sqlite(new_database: Callable[..., str]) -> Iterator[Callable[[], Record]]:
    """Records of their own, on SQLite."""
    stores: list[Store] = []

    def make() -> Record:
        store = Store(new_database("sqlite"))
        stores.append(store)
        metadata.create_all(store.engine)
        return Record(store)

    yield make
    for each in stores:
        each.close()


def test_a_record_in_which_all_holds_is_silent(record: Record) -> None:
    assert record.check() == []


def test_repeats_of_one_key_at_the_partner_are_no_fault(record: Record) -> None:
    arrivals = [arrived(GOOD, key) for key in (record.created, record.created, record.changed, record.created)]
    assert record.check(received_by_partner={"sink": arrivals}) == []


BROKEN = {
    "I1 shop was told 2xx for event event-1, and no message has it": "UPDATE messages SET event_id = 'other' "
    "WHERE direction = 'in'",
    "is received and nothing will end it": "UPDATE messages SET state = 'received' WHERE direction = 'in'",
    "is quarantined and no incident says so": "UPDATE messages SET state = 'quarantined' WHERE direction = 'in'",
    "is applied and has no document": "DELETE FROM documents",
    "I2 order ('shop', '1') is missing": "DELETE FROM orders",
    "I2 order ('shop', '2') is there and was not sent": "INSERT INTO orders "
    "(id, account, external_id, doc, grand_micros) SELECT 'o2', account, '2', doc, grand_micros FROM orders",
    "I2 order 1 was received 2 times": "INSERT INTO events (id, name, order_id) "
    "VALUES ('again', 'order.received', 'o1')",
    "I3 widget at hamburg has (on hand, reserved) (6000000, 2000000)": "UPDATE stock_levels "
    "SET on_hand = on_hand + 1000000",
    "its movements add up to (5000000, 3000000)": "UPDATE stock_movements SET reserved_delta = 3000000 "
    "WHERE id = 'move-allocation'",
    "I3 widget at hamburg promises more than it has": "UPDATE stock_levels SET on_hand = 1000000",
    "I3 widget at hamburg has movements and no level": "DELETE FROM stock_levels",
    "counts 2 attempts and has [1]": "UPDATE deliveries SET attempts = 2",
    "is delivered and no attempt delivered it": "UPDATE attempts SET outcome = 'InDoubt'",
    "is delivered and what was sent is not kept": "UPDATE deliveries SET message_id = ''",
    "I5 delivery": "UPDATE attempts SET begun_us = begun_us - 60000000",
    "had ended": "UPDATE deliveries SET state = 'planned' WHERE id = (SELECT min(id) FROM deliveries)",
    "I6 control numbers [2] of x12/us/interchange are not explained": "DELETE FROM controls_issued WHERE number = 2",
    "I6 control number 2 of x12/us/interchange says not what it was for": "UPDATE controls_issued SET delivery_id = '' "
    "WHERE number = 2",
    "gave out 3: the next would repeat": "UPDATE control_numbers SET value = 2",
    "I7 order 1 is 25.00 and its row says 1 millionths": "UPDATE orders SET grand_micros = 1",
    "I7 order 1 says 26.00, its lines add up to 25.00": "UPDATE orders SET grand_micros = 26000000, "
    "doc = replace(doc, '25.00', '26.00')",
    "I7 invoice R1 says 24.00, its lines add up to 25.00": "UPDATE invoices "
    """SET doc = replace(doc, '"grand":"25.00"', '"grand":"24.00"')""",
    "still waits: never started": "INSERT INTO work (task, status, subject_id) VALUES ('ingest', 'queued', 'x')",
    "is still leased": "INSERT INTO work (task, status, subject_id) VALUES ('ingest', 'running', 'x')",
    "is parked and no open incident says so": "INSERT INTO work (task, status, subject_id, connection) "
    "VALUES ('send', 'parked', 'x', 'sink')",
    "to sink is still begun": "UPDATE deliveries SET state = 'begun'",
    "waits for 2 frames": "UPDATE messages SET frames_left = 2 WHERE direction = 'in'",
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_what_is_broken_is_named(sqlite: Callable[[], Record], sentence: str) -> None:
    broken = sqlite()
    broken.run(BROKEN[sentence])
    assert any(sentence in each for each in broken.check()), broken.check()


def test_every_invariant_has_something_that_breaks_it(sqlite: Callable[[], Record]) -> None:
    found: set[str] = set()
    for sql in BROKEN.values():
        broken = sqlite()
        broken.run(sql)
        found |= {each.split()[0] for each in broken.check()}
    assert found == {name for name, _ in INVARIANTS}


def test_a_document_that_the_partner_never_got_is_named(sqlite: Callable[[], Record]) -> None:
    record = sqlite()
    wrong = record.check(received_by_partner={"sink": [arrived(GOOD, record.created)]})
    assert wrong == [f"I4 sink never got {record.changed}"]


def test_a_document_that_we_never_sent_is_named(sqlite: Callable[[], Record]) -> None:
    record = sqlite()
    arrivals = [arrived(GOOD, key) for key in (record.created, record.changed, "unknown")]
    assert record.check(received_by_partner={"sink": arrivals}) == ["I4 sink got unknown, which was never begun"]


def test_documents_that_arrive_in_another_order_are_named(sqlite: Callable[[], Record]) -> None:
    record = sqlite()
    arrivals = [arrived(GOOD, record.changed), arrived(GOOD, record.created)]
    wrong = record.check(received_by_partner={"sink": arrivals})
    assert wrong == [f"I5 sink got {record.created} after a later document of the same order"]


def test_a_partner_that_was_told_another_total_is_named(sqlite: Callable[[], Record]) -> None:
    record = sqlite()
    other = Received(key=record.created, header=Decimal("25.00"), lines=Decimal("24.99"))
    wrong = record.check(received_by_partner={"sink": [other, arrived(GOOD, record.changed)]})
    assert wrong == [f"I7 sink got {record.created} with a total of 25.00 and lines of 24.99"]
