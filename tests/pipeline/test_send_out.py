"""Claimed deliveries go out in windows: begun, sent, recorded. On both databases, with a partner that plays along."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.bootstrap import Hub, build
from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.errors import HubError, Paused, Rejected, RetryLater
from hub.domain.message import Incoming, Outgoing, Receipt
from hub.domain.route import Route
from hub.domain.work import Claim
from hub.pipeline.outbound import send_out
from hub.pipeline.services import Opened, Services
from hub.ports import Connector, Push
from hub.ports.records import Store, Unit
from hub.settings import HubSettings
from hub.store import migrate
from hub.store.config import save_record
from hub.store.db import on_statement
from hub.store.resolve import retry
from hub.testing.invariants import Received, check

LEASE = 60.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """None."""


class Partner:
    """Takes documents; `answer(out)` may say otherwise, by returning or raising."""

    def __init__(self) -> None:
        self.arrivals: list[Outgoing] = []
        self.looked_up: list[str] = []
        self.answer: Callable[[Outgoing], Receipt | None] = lambda _: None
        self.found: Callable[[Outgoing], Receipt | None] = lambda _: None
        self.pushes = {"*": Push(on_doubt="find", parallel=1)}

    def push(self, out: Outgoing) -> Receipt:
        self.arrivals.append(out)
        return self.answer(out) or Receipt(reference=f"theirs-{out.key}")

    def find(self, out: Outgoing) -> Receipt | None:
        self.looked_up.append(out.key)
        return self.found(out)

    def opened(self, name: str) -> Opened:
        connector = Connector(name="fake", title="Fake", settings=Settings, open=lambda *_: self, pushes=self.pushes)
        return Opened(name=name, connector=connector, instance=self)


class Sending:
    """A hub with orders that wait to be sent to one partner."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.partner = hub, Partner()
        self.services: Services = replace(hub.services, opened=self.partner.opened)

    def save(self, kind: str, name: str, record: Any) -> None:
        self.hub.store.write(lambda db: save_record(db, kind, name, record, "test"))

    def take_in(self, *names: str) -> None:
        """Take orders in; their deliveries wait."""
        bodies = [msgspec.json.encode({"id": name, "currency": "EUR", "line_items": LINES}) for name in names]
        given = [
            Incoming(body=body, event_id=f"event-{name}", order_key=name)
            for body, name in zip(bodies, names, strict=True)
        ]
        self.hub.ledger.take_in("shop", "", "document", given)
        while claims := self.hub.ledger.claim("document", "ingest", 500, "test", LEASE):
            self.hub.worker.handlers["ingest"](claims)

    def claim(self, limit: int = 500) -> list[Claim]:
        return self.hub.ledger.claim("document", "send", limit, "test", LEASE)

    def due_now(self) -> None:
        """Let the time come that rows wait for, and let leases run out."""
        self.hub.store.write(
            lambda db: db.run("UPDATE work SET due_us = 1, status = 'queued' WHERE status IN ('running', 'queued')")
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.hub.store.read(lambda db: db.all(sql))]

    def states(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT state, attempts FROM deliveries ORDER BY id")

    def work(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT status, starts FROM work ORDER BY id")

    def verify(self) -> None:
        received = [Received(key=each.key) for each in self.partner.arrivals]
        assert check(self.hub.store, received_by_partner={"erp": received}) == []


LINES = [{"sku": "A", "quantity": 1, "price": "5.00"}]


@pytest.fixture
def sending(database_url: str, tmp_path: Path) -> Iterator[Sending]:
    migrate.upgrade(database_url)
    hub = build(HubSettings(database_url=database_url, var=tmp_path, config=tmp_path))
    made = Sending(hub)
    made.save(
        "connection", "shop", ConnectionConfig(name="shop", connector="webhook", items="any", fulfilled_by="elsewhere")
    )
    made.save("connection", "erp", ConnectionConfig(name="erp", connector="rest"))
    made.save("agreement", "shop/in/order", agreed("shop", "in", "webhook/order.in"))
    made.save("agreement", "erp/out/order", agreed("erp", "out", "rest/order.out", path="/import"))
    made.save("route", "orders", Route(name="orders", on="order.accepted", to="erp", send="order"))
    yield made
    hub.close()


def agreed(connection: str, direction: Any, mapping: str, **envelope: str) -> Agreement:
    return Agreement(
        connection=connection, direction=direction, document="order", codec="json", mapping=mapping, envelope=envelope
    )


def names(count: int) -> Sequence[str]:
    return [f"O-{at:03}" for at in range(count)]


def test_windows_grow_and_everything_is_sent_once_in_order(sending: Sending) -> None:
    begun: list[int] = []
    sql = "SELECT count(*) FROM deliveries WHERE state = 'begun'"

    def crash(point: str) -> None:
        if point == "begun":
            begun.append(sending.rows(sql)[0][0])

    sending.services = replace(sending.services, crash=crash)
    sending.take_in(*names(150))
    send_out(sending.services, sending.claim())
    assert begun == [32, 64, 54]
    told = [msgspec.json.decode(each.body)["reference"] for each in sending.partner.arrivals]
    assert told == names(150)
    assert sending.states() == [("delivered", 1)] * 150
    assert sending.work() == []
    sending.verify()


def test_what_there_was_no_time_for_is_not_in_doubt_and_goes_with_the_next_window(sending: Sending) -> None:
    # given a partner so slow that there is time for one document of each window
    sending.take_in(*names(4))
    left: list[list[tuple[Any, ...]]] = []

    def crash(point: str) -> None:
        if point == "begun":
            left.append(sending.rows("SELECT state, attempts FROM deliveries ORDER BY id"))

    sending.services = replace(sending.services, crash=crash)
    send_out(sending.services, sending.claim(), patience=-1.0)
    # then each goes out once, in order, and is never looked up
    assert [state for state, _ in left[1]] == ["delivered", "begun", "begun", "begun"]
    assert [each.key for each in sending.partner.arrivals] == sorted(each.key for each in sending.partner.arrivals)
    assert len(sending.partner.arrivals) == 4
    assert sending.partner.looked_up == []
    assert sending.states() == [("delivered", 1), ("delivered", 2), ("delivered", 3), ("delivered", 4)]
    outcomes = sending.rows("SELECT outcome, detail FROM attempts ORDER BY delivery_id, no")
    assert outcomes[1][0] == "RetryLater"
    assert "not sent" in outcomes[1][1]
    assert sending.rows("SELECT title FROM incidents") == []
    sending.verify()


def test_what_was_in_doubt_and_there_was_no_time_for_stays_in_doubt(sending: Sending) -> None:
    # given two deliveries that a worker left begun when it died
    sending.take_in(*names(2))

    class Died(Exception):
        pass

    def crash(point: str) -> None:
        if point == "begun":
            raise Died

    claims = sending.claim()
    with pytest.raises(Died):
        send_out(replace(sending.services, crash=crash), claims)
    assert sending.states() == [("begun", 1)] * 2
    # when there is time to look for one of them only in each window
    sending.partner.found = lambda _: Receipt(reference="theirs")
    send_out(sending.services, claims, patience=-1.0)
    # then both were looked up and none was sent
    assert sending.partner.arrivals == []
    assert len(sending.partner.looked_up) == 2
    assert sending.states() == [("delivered", 2), ("delivered", 3)]


def test_a_pause_leaves_the_rest_planned_and_what_was_in_doubt_in_doubt(sending: Sending) -> None:
    sending.take_in(*names(3))

    def pause(_: Outgoing) -> Receipt:
        raise Paused("token expired")

    sending.partner.answer = pause
    send_out(sending.services, sending.claim())
    assert len(sending.partner.arrivals) == 1
    assert sending.states() == [("planned", 1)] * 3
    assert sending.work() == [("queued", 0)] * 3
    assert sending.rows("SELECT fingerprint FROM incidents") == [("connection/erp",)]
    # when the token is there again
    sending.partner.answer = lambda _: None
    sending.due_now()
    send_out(sending.services, sending.claim())
    assert sending.states() == [("delivered", 2)] * 3
    assert sending.partner.looked_up == []
    sending.verify()


def test_a_retry_is_sent_with_what_its_agreement_says(sending: Sending) -> None:
    failures: list[HubError] = [RetryLater("busy", after=0)]

    def busy(_: Outgoing) -> Receipt | None:
        if failures:
            raise failures.pop()
        return None

    sending.partner.answer = busy
    sending.take_in("O-1")
    send_out(sending.services, sending.claim())
    sending.due_now()
    send_out(sending.services, sending.claim())
    first, second = sending.partner.arrivals
    assert first == second
    assert first.meta == {"path": "/import"}


def test_a_look_up_that_is_refused_asks_a_person_and_a_retry_looks_again(sending: Sending) -> None:
    # given a delivery whose worker died, and a partner that refuses to be asked
    sending.take_in("O-1")
    claims = sending.claim()
    sending.hub.store.write(lambda db: db.run("UPDATE deliveries SET state = 'begun'"))

    def refuse(_: Outgoing) -> Receipt:
        raise Rejected("they know no such address")

    sending.partner.found = refuse
    send_out(sending.services, claims)
    # then it is not tried again by itself: a person is asked, in words that say why
    assert sending.partner.arrivals == []
    assert [state for state, _ in sending.states()] == ["in_doubt"]
    assert [status for status, _ in sending.work()] == ["in_doubt"]
    [(severity, subject, detail, action)] = sending.rows(
        "SELECT severity, subject_kind, detail, next_action FROM incidents"
    )
    assert (severity, subject) == ("critical", "delivery")
    assert "they know no such address" in detail
    assert "mend the look-up" in action
    # when the look-up is mended and a person lets it go
    sending.partner.found = lambda _: None
    [(key,)] = sending.rows("SELECT id FROM deliveries")
    assert sending.hub.store.write(lambda db: retry(db, key, who="ann"))
    send_out(sending.services, sending.claim())
    # then it is looked up once more before it is sent
    assert sending.partner.looked_up == [key, key]
    assert [each.key for each in sending.partner.arrivals] == [key]
    assert [state for state, _ in sending.states()] == ["delivered"]
    assert sending.rows("SELECT state FROM incidents") == [("resolved",)]


def test_what_another_worker_took_while_it_was_written_is_not_sent(sending: Sending) -> None:
    # given a window so large that it is written before its transaction
    sending.take_in(*names(70))
    claims = sending.claim()
    [(taken,)] = sending.rows(f"SELECT subject_id FROM work WHERE id = {claims[40].id}")
    steal = f"UPDATE work SET epoch = epoch + 1 WHERE id = {claims[40].id}"
    mapping = sending.services.translation
    begun: list[int] = []

    def crash(point: str) -> None:
        begun.extend([0] if point == "begun" else [])

    def translation(name: str) -> Any:
        if begun and not sending.rows(f"SELECT 1 FROM work WHERE id = {claims[40].id} AND epoch > {claims[40].epoch}"):
            sending.hub.store.write(lambda db: db.run(steal))
        return mapping(name)

    # when its lease runs out and another worker claims one of them meanwhile
    sending.services = replace(sending.services, translation=translation, crash=crash)
    send_out(sending.services, claims)
    # then that one is left to the other worker
    assert taken not in [each.key for each in sending.partner.arrivals]
    assert len(sending.partner.arrivals) == 69
    assert sending.rows("SELECT state, attempts FROM deliveries WHERE attempts = 0") == [("planned", 0)]
    assert [status for status, _ in sending.work()] == ["running"]


class Twice:
    """A store whose every transaction is rolled back once and run again, as after a deadlock."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def transact(self, work: Callable[[Unit], Any]) -> Any:
        def fails(unit: Unit) -> None:
            work(unit)
            raise InterruptedError

        with pytest.raises(InterruptedError):
            self.store.transact(fails)
        return self.store.transact(work)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@pytest.mark.parametrize("count", [3, 70])
def test_a_transaction_that_runs_twice_begins_and_records_once(sending: Sending, count: int) -> None:
    sending.take_in(*names(count))
    store: Any = Twice(sending.services.store)
    failures = [RetryLater("busy", after=0)]

    def busy(_: Outgoing) -> Receipt | None:
        if failures:
            raise failures.pop()
        return None

    sending.partner.answer = busy
    send_out(replace(sending.services, store=store), sending.claim())
    sending.due_now()
    send_out(replace(sending.services, store=store), sending.claim())
    assert len(sending.partner.arrivals) == count + 1
    assert sending.states() == [("delivered", 2), *[("delivered", 1)] * (count - 1)]
    assert sending.work() == []
    sending.verify()


def test_a_document_that_cannot_be_mapped_is_refused_and_the_others_go(sending: Sending) -> None:
    sending.take_in(*names(50))
    mapping = sending.services.translation
    seen: list[str] = []

    class Failing:
        """The mapping, but for one order."""

        def __init__(self, name: str) -> None:
            self.mapping = mapping(name).mapping
            self.inner = mapping(name)

        def outward(self, document: Any) -> Any:
            seen.append(document.external_id)
            if document.external_id == "O-045":
                raise Rejected("it has no colour")
            return self.inner.outward(document)

    translation: Any = Failing
    send_out(replace(sending.services, translation=translation), sending.claim())
    assert sorted(seen) == names(50)
    assert len(sending.partner.arrivals) == 49
    assert sending.rows("SELECT problem, attempts FROM deliveries WHERE state = 'refused'") == [("it has no colour", 0)]
    assert [status for status, _ in sending.work()] == ["parked"]


def test_deliveries_that_fail_go_back_in_one_statement_whatever_each_was_told(sending: Sending) -> None:
    told: list[HubError] = [RetryLater("later", after=5), RetryLater("sometime"), Rejected("no")]

    def refuse(_: Outgoing) -> Receipt:
        raise told[len(sending.partner.arrivals) % len(told)]

    sending.take_in(*names(30))
    sending.partner.answer = refuse
    seen: list[str] = []
    claims = sending.claim()
    on_statement.append(seen.append)
    try:
        send_out(sending.services, claims)
    finally:
        on_statement.remove(seen.append)
    assert seen.count("UPDATE work") == 2
    assert sending.rows("SELECT status, count(*) FROM work GROUP BY status ORDER BY status") == [
        ("parked", 10),
        ("queued", 20),
    ]
    assert sending.rows("SELECT DISTINCT reason FROM work ORDER BY reason") == [("later",), ("no",), ("sometime",)]
