"""Everything at once, by seeded dice; and what a full disk, a silent database and the last unit do."""

from __future__ import annotations

import random
import resource
import signal
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from hub.domain.connection import ConnectionConfig
from hub.domain.order import Order
from hub.domain.stock import Item, Location, StockMovement
from hub.store.config import bump_version
from hub.store.db import Db
from hub.store.unit import Ledger, Unit
from hub.testing.chaos import Chaos, chaos
from hub.testing.invariants import check
from hub.testing.serve import Answer, Call, answer_json
from tests.faults.driver import HubProcess, System, address, by_way_of, order_body, shop, until

pytestmark = pytest.mark.faults
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Misfortune:
    """Dice that hurt a running system, one blow at a time."""

    def __init__(self, system: System, seed: int, line: Chaos | None) -> None:
        self.system = system
        self.dice = random.Random(seed)
        self.line = line
        self.more = {"HUB_DATABASE_URL": by_way_of(line.port, system.database_url)} if line else {}
        self.web = system.web(**self.more)
        self.workers = [system.worker(**self.more), system.worker(**self.more)]
        self.blows: list[Callable[[], None]] = [self.kill_worker, self.kill_web, self.freeze_worker]
        if line is not None:
            self.blows += [line.cut, self.database_gone, self.redis_forgets]

    def strike(self) -> None:
        """Do one harm."""
        self.dice.choice(self.blows)()

    def kill_worker(self) -> None:
        at = self.dice.randrange(2)
        self.workers[at].kill()
        self.workers[at] = self.system.worker(**self.more)

    def kill_web(self) -> None:
        self.web.kill()
        self.web = self.system.web(**self.more)

    def freeze_worker(self) -> None:
        """Stop a worker for longer than its lease, with the other at work."""
        frozen: HubProcess = self.dice.choice(self.workers)
        frozen.signal(signal.SIGSTOP)
        threading.Event().wait(2)
        frozen.signal(signal.SIGCONT)

    def database_gone(self) -> None:
        assert self.line is not None
        self.line.down()
        threading.Event().wait(0.5)
        self.line.up()

    def redis_forgets(self) -> None:
        assert self.system.redis is not None
        self.system.redis.flush()


def test_nothing_is_lost_or_repeated_whatever_the_dice_do(system: System) -> None:
    # given a partner that fails one time in eight, before or after it took the document
    dice, guard = random.Random(7), threading.Lock()

    def sometimes(_: Call) -> Answer | None:
        with guard:
            failing = dice.random() < 0.06
        return answer_json({"error": "try again"}, 503, {"Retry-After": "0"}) if failing else None

    system.sink.before = system.sink.after = sometimes
    names = [f"Z-{at}" for at in range(60)]
    through = chaos(*address(system.database_url)) if system.kind == "postgres" else nullcontext(None)
    with through as line:
        misfortune = Misfortune(system, 20261122, line)
        # when three senders bring orders, each repeating until it is answered, while one blow follows another
        rest = iter(names)

        def send() -> None:
            while (name := next_of(rest, guard)) is not None:
                system.send(order_body(name, 2), f"event-{name}", seconds=60)
                threading.Event().wait(0.4)

        senders = [threading.Thread(target=send) for _ in range(3)]
        for each in senders:
            each.start()
        for _ in range(8):
            misfortune.strike()
        for each in senders:
            each.join(60)
        system.quiet(40)
    # then every order is there once, and the partner has exactly them
    system.verify(names)


def next_of(names: object, guard: threading.Lock) -> str | None:
    with guard:
        return next(names, None)  # type: ignore[call-overload,no-any-return]


def test_a_worker_that_is_asked_to_end_finishes_what_is_under_way(system: System) -> None:
    system.web()
    names = [f"E-{at}" for at in range(20)]
    for name in names:
        system.send(order_body(name), f"event-{name}")
    ending = system.worker()
    until(lambda: system.sink.arrivals, 10, "the first arrival")
    ending.signal(signal.SIGTERM)
    until(lambda: ending.ended_by is not None, 15, "the worker to end")
    assert ending.ended_by == 0
    assert system.rows("SELECT id FROM work WHERE status = 'running'") == []
    assert system.rows("SELECT id FROM deliveries WHERE state = 'begun'") == []
    system.worker()
    system.quiet(10)
    system.verify(names)
    assert len(system.sink.arrivals) == len(names)


def test_on_a_full_disk_nothing_is_accepted_and_it_recovers_when_there_is_room(on_sqlite: System) -> None:
    system = on_sqlite
    web = system.web()
    assert system.post(order_body("Q-1"), "event-1") == 202
    # when files cannot grow any more
    unlimited = resource.prlimit(web.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(web.pid, resource.RLIMIT_FSIZE, (4096, unlimited[1]))
    refused = [system.post(order_body("Q-2", notes=["x" * 20_000]), "event-2") for _ in range(3)]
    assert refused == [503] * 3
    assert system.rows("SELECT event_id FROM messages") == [("event-1",)]
    # and there is room again
    resource.prlimit(web.pid, resource.RLIMIT_FSIZE, unlimited)
    system.send(order_body("Q-2"), "event-2")
    system.worker()
    system.quiet(10)
    system.verify(["Q-1", "Q-2"])


def test_the_last_unit_is_promised_once_to_32_that_want_it_at_once(system: System) -> None:
    system.configure(
        shop(items="known", fulfilled_by="hub"),
        ConnectionConfig(name="sink", connector="rest", settings={"base_url": f"{system.sink_url}/sink"}),
    )
    system.store.write(_one_widget)
    Ledger(system.store, lambda: None).transact(_receive)  # type: ignore[arg-type,return-value]
    system.web()
    system.worker()
    system.worker()
    names = [f"L-{at}" for at in range(32)]
    gate = threading.Barrier(len(names))
    statuses: list[int] = []

    def buy(name: str) -> None:
        gate.wait(10)
        body = {"id": name, "total": "10.00", "lines": [{"sku": "WIDGET", "quantity": 1, "price": "10.00"}]}
        statuses.append(system.post(msgspec.json.encode(body), f"event-{name}"))

    buyers = [threading.Thread(target=buy, args=(name,)) for name in names]
    for each in buyers:
        each.start()
    for each in buyers:
        each.join(30)
    assert statuses == [202] * 32
    system.quiet(30)
    # then one order has it, 31 wait, and the record says so everywhere
    orders = [msgspec.json.decode(row[0], type=Order) for row in system.rows("SELECT doc FROM orders")]
    assert sorted(order.lines[0].allocated for order in orders) == [0] * 31 + [1]
    assert sorted(order.lines[0].backordered for order in orders) == [0] + [1] * 31
    assert system.rows("SELECT on_hand, reserved FROM stock_levels") == [(1_000_000, 1_000_000)]
    assert system.rows("SELECT count(*) FROM reservations WHERE state = 'held'") == [(1,)]
    assert check(system.store, accepted=system.accepted, expected=[("shop", name) for name in names]) == []


def _one_widget(db: Db) -> None:
    encode = msgspec.json.Encoder(decimal_format="string").encode
    item, place = Item(id="widget", sku="WIDGET"), Location(id="hamburg", code="HH")
    db.run("INSERT INTO items (id, sku, doc) VALUES ('widget', 'WIDGET', :doc)", doc=encode(item).decode())
    db.run("INSERT INTO locations (id, code, doc) VALUES ('hamburg', 'HH', :doc)", doc=encode(place).decode())
    bump_version(db)


def _receive(unit: Unit) -> None:
    unit.move(
        StockMovement(
            id="first", item_id="widget", location_id="hamburg", kind="receipt", on_hand_delta=Decimal(1), at=AT
        )
    )
