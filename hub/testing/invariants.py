"""What must hold of a hub once it is quiet, whatever happened to it: one function that looks at the record itself.

I1 nothing accepted is lost. I2 each order once. I3 stock adds up. I4 each document delivered under one key, and the
partner has exactly what we think it has. I5 order is kept per order and partner. I6 control numbers never repeat and
no number is unexplained. I7 lines equal header on both sides. I9 nothing is stuck.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from hub.domain.checks import prove_totals
from hub.domain.invoice import Invoice
from hub.domain.money import ZERO, to_micros
from hub.domain.order import Order
from hub.store.config import load_config
from hub.store.db import Db
from hub.store.store import Store

SETTLED = ("delivered", "acknowledged")
KEPT = ("parked", "in_doubt", "dead", "waiting")
"""Work that a person must decide about."""
ENDED = ("applied", "partly_applied", "rejected", "quarantined", "duplicate")
OPEN = ("open", "acknowledged", "fixing")
_ENDED_DELIVERY = (*SETTLED, "refused", "dead", "superseded", "skipped", "parked", "in_doubt")


@dataclass(frozen=True, kw_only=True)
class Received:
    """One arrival at a partner: our key, and the money its document states and adds up to, where the test knows it."""

    key: str
    header: Decimal | None = None
    lines: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the outside knows: events that were answered 2xx, orders that must be there, what partners got in turn."""

    accepted: frozenset[tuple[str, str]]
    expected: frozenset[tuple[str, str]] | None
    received: Mapping[str, Sequence[Received]]


def check(
    store: Store,
    *,
    accepted: Iterable[tuple[str, str]] = (),
    expected: Iterable[tuple[str, str]] | None = None,
    received_by_partner: Mapping[str, Sequence[Received]] | None = None,
) -> list[str]:
    """Return what is wrong, one sentence each, beginning with the invariant's number; empty where all holds.

    `accepted`: (connection, event id) of everything that was answered with 2xx. `expected`: (account, external id) of
    every order there must be, no more and no less. `received_by_partner`: arrivals in order, repeats included, by
    connection.
    """
    facts = Facts(
        accepted=frozenset(accepted),
        expected=None if expected is None else frozenset(expected),
        received=received_by_partner or {},
    )
    return store.read(lambda db: [f"{name} {text}" for name, find in INVARIANTS for text in find(db, facts)])


def accepted_is_kept(db: Db, facts: Facts) -> Iterable[str]:
    """I1: every accepted event is a message; every message ended, or a person was told."""
    known = {(row[0], row[1]) for row in db.all("SELECT connection, event_id FROM messages WHERE event_id IS NOT NULL")}
    for connection, event_id in sorted(facts.accepted - known):
        yield f"{connection} was told 2xx for event {event_id}, and no message has it"
    incidents = {row[0] for row in db.all("SELECT connection FROM incidents")}
    kept = {
        row[0] for row in db.all(f"SELECT subject_id FROM work WHERE status IN {KEPT} AND task IN ('ingest', 'frame')")
    }
    documents = {row[0] for row in db.all("SELECT message_id FROM documents")}
    for message_id, connection, state in db.all("SELECT id, connection, state FROM messages WHERE direction = 'in'"):
        if state not in ENDED and message_id not in kept:
            yield f"message {message_id} of {connection} is {state} and nothing will end it"
        if (
            state in ("rejected", "quarantined", "partly_applied") or message_id in kept
        ) and connection not in incidents:
            yield f"message {message_id} of {connection} is {state} and no incident says so"
        if state in ("applied", "partly_applied", "rejected") and message_id not in documents:
            yield f"message {message_id} of {connection} is {state} and has no document"


def orders_are_applied_once(db: Db, facts: Facts) -> Iterable[str]:
    """I2: an external order is one order, received once; and they are exactly the expected ones."""
    found = [
        (row[0], row[1]) for row in db.all("SELECT account, external_id FROM orders ORDER BY account, external_id")
    ]
    yield from (f"order {each} is there twice" for each in _repeated(found))
    if facts.expected is not None:
        yield from (f"order {each} is missing" for each in sorted(facts.expected - set(found)))
        yield from (f"order {each} is there and was not sent" for each in sorted(set(found) - facts.expected))
    sql = (
        "SELECT o.external_id, count(e.id) FROM orders o LEFT JOIN events e ON e.order_id = o.id "
        "AND e.name = 'order.received' GROUP BY o.id, o.external_id HAVING count(e.id) <> 1"
    )
    for external_id, count in db.all(sql):
        yield f"order {external_id} was received {count} times"


def stock_adds_up(db: Db, _facts: Facts) -> Iterable[str]:
    """I3: the movements are the level, and no more is promised than there is."""
    moved = {
        (row[0], row[1]): (row[2], row[3])
        for row in db.all(
            "SELECT item_id, location_id, CAST(sum(on_hand_delta) AS bigint), CAST(sum(reserved_delta) AS bigint) "
            "FROM stock_movements GROUP BY item_id, location_id"
        )
    }
    levels = db.all("SELECT item_id, location_id, on_hand, reserved FROM stock_levels ORDER BY item_id, location_id")
    for item, place, on_hand, reserved in levels:
        sums = moved.pop((item, place), (0, 0))
        if sums != (on_hand, reserved):
            yield f"{item} at {place} has (on hand, reserved) {(on_hand, reserved)}, its movements add up to {sums}"
        if reserved < 0:
            yield f"{item} at {place} has {reserved} reserved"
        if on_hand - reserved < 0:
            yield f"{item} at {place} promises more than it has: {reserved} of {on_hand}"
    yield from (f"{item} at {place} has movements and no level" for item, place in sorted(moved))


def deliveries_match_the_partner(db: Db, facts: Facts) -> Iterable[str]:
    """I4: a delivered document has attempts that follow each other, and the partner has those keys and no others."""
    delivered: dict[str, set[str]] = {}
    tried = _attempts(db)
    sql = "SELECT id, connection, send, state, attempts, message_id FROM deliveries ORDER BY created_us, id"
    known: dict[str, set[str]] = {}
    for delivery_id, connection, send, state, count, message_id in db.all(sql):
        attempts = tried.get(delivery_id, [])
        name = f"delivery {delivery_id} ({send} to {connection})"
        if attempts:
            known.setdefault(connection, set()).add(delivery_id)
        if [each[0] for each in attempts] != list(range(1, count + 1)):
            yield f"{name} counts {count} attempts and has {[each[0] for each in attempts]}"
        if state in SETTLED:
            delivered.setdefault(connection, set()).add(delivery_id)
            if not any(each[3] == "delivered" for each in attempts):
                yield f"{name} is {state} and no attempt delivered it"
            if not message_id:
                yield f"{name} is {state} and what was sent is not kept"
    for connection, arrivals in facts.received.items():
        keys = {each.key for each in arrivals}
        yield from (f"{connection} never got {key}" for key in sorted(delivered.get(connection, set()) - keys))
        yield from (
            f"{connection} got {key}, which was never begun" for key in sorted(keys - known.get(connection, set()))
        )


def order_is_kept(db: Db, facts: Facts) -> Iterable[str]:
    """I5: at each partner, what concerns one order was begun only after all that came before it had ended."""
    tried = _attempts(db)
    sql = (
        "SELECT id, connection, order_key, state, ended_us FROM deliveries "
        "WHERE order_key <> '' ORDER BY created_us, id"
    )
    last: dict[tuple[str, str], tuple[str, str, int]] = {}
    place: dict[str, tuple[tuple[str, str], int]] = {}
    for at, (delivery_id, connection, key, state, ended) in enumerate(db.all(sql)):
        before = last.get((connection, key))
        attempts = tried.get(delivery_id, [])
        if before is not None and attempts and (before[1] not in _ENDED_DELIVERY or attempts[0][1] < before[2]):
            yield f"delivery {delivery_id} to {connection} of {key} was begun before {before[0]} had ended"
        last[connection, key] = (delivery_id, state, ended)
        place[delivery_id] = ((connection, key), at)
    for connection, arrivals in facts.received.items():
        reached: dict[tuple[str, str], int] = {}
        for arrival in dict.fromkeys(each.key for each in arrivals):
            if arrival in place:
                key, at = place[arrival]
                if reached.setdefault(key, at) > at:
                    yield f"{connection} got {arrival} after a later document of the same order"
                reached[key] = max(reached[key], at)


def control_numbers_are_explained(db: Db, _facts: Facts) -> Iterable[str]:
    """I6: within a scope the numbers run from 1 without repeat or gap, and each says what it was for."""
    last = {row[0]: row[1] for row in db.all("SELECT scope, value FROM control_numbers")}
    taken: dict[str, list[int]] = {}
    for scope, number, message_id, delivery_id in db.all(
        "SELECT scope, number, message_id, delivery_id FROM controls_issued"
    ):
        taken.setdefault(scope, []).append(number)
        if not message_id and not delivery_id:
            yield f"control number {number} of {scope} says not what it was for"
    for scope, numbers in sorted(taken.items()):
        yield from (f"control number {each} of {scope} was used twice" for each in _repeated(numbers))
        missing = sorted(set(range(1, max(last.get(scope, 0), *numbers) + 1)) - set(numbers))
        if missing:
            yield f"control numbers {missing[:10]} of {scope} are not explained"
        if last.get(scope, 0) < max(numbers):
            yield f"{scope} counts to {last.get(scope, 0)} and gave out {max(numbers)}: the next would repeat"


def money_adds_up(db: Db, facts: Facts) -> Iterable[str]:
    """I7: an order's lines are its total or a hold says they are not; invoices add up; partners were told the same."""
    connections = load_config(db).connections
    for doc, grand in db.all("SELECT doc, grand_micros FROM orders ORDER BY id"):
        order = msgspec.json.decode(doc, type=Order)
        rule = connections[order.source.connection].totals_rule if order.source.connection in connections else "line"
        proof = prove_totals(order)
        held = any(hold.code == "totals_mismatch" for hold in order.holds)
        if rule != "none" and proof is not None and proof.difference != 0 and not held:
            yield f"order {order.number} says {proof.stated}, its lines add up to {proof.computed}"
        if order.totals.grand is not None and to_micros(order.totals.grand) != grand:
            yield f"order {order.number} is {order.totals.grand} and its row says {grand} millionths"
    for (doc,) in db.all("SELECT doc FROM invoices ORDER BY id"):
        yield from _invoice(msgspec.json.decode(doc, type=Invoice))
    for connection, arrivals in facts.received.items():
        for each in arrivals:
            if each.header is not None and each.lines is not None and each.header != each.lines:
                yield f"{connection} got {each.key} with a total of {each.header} and lines of {each.lines}"


def _invoice(invoice: Invoice) -> Iterable[str]:
    if invoice.totals.grand is None:
        return
    lines = sum((line.amount for line in invoice.lines), ZERO)
    extra = sum((each.amount for each in invoice.charges), ZERO) - sum(
        (each.amount for each in invoice.discounts), ZERO
    )
    tax = invoice.totals.tax or ZERO
    if lines + extra + tax != invoice.totals.grand and lines + extra != invoice.totals.grand:
        yield f"invoice {invoice.number} says {invoice.totals.grand}, its lines add up to {lines + extra + tax}"


def nothing_is_stuck(db: Db, _facts: Facts) -> Iterable[str]:
    """I9: no row waits, no lease is held; what is kept for a person has an incident that is open."""
    told = {row[0] for row in db.all(f"SELECT connection FROM incidents WHERE state IN {OPEN}")}
    sql = "SELECT id, task, status, subject_id, connection, reason FROM work ORDER BY id"
    for work_id, task, status, subject_id, connection, reason in db.all(sql):
        name = f"work {work_id} ({task} {subject_id})"
        if status == "running":
            yield f"{name} is still leased"
        elif status == "queued" and task != "timer":
            yield f"{name} still waits: {reason or 'never started'}"
        elif status in KEPT and connection not in told:
            yield f"{name} is {status} and no open incident says so"
    ended = f"{_ENDED_DELIVERY}"
    for delivery_id, connection, state in db.all(
        f"SELECT id, connection, state FROM deliveries WHERE state NOT IN {ended}"
    ):
        yield f"delivery {delivery_id} to {connection} is still {state}"
    for message_id, left in db.all("SELECT id, frames_left FROM messages WHERE frames_left <> 0"):
        yield f"message {message_id} waits for {left} frames"


def _attempts(db: Db) -> dict[str, list[tuple[int, int, int | None, str]]]:
    """Return (number, begun, ended, outcome) of every attempt by delivery, in order."""
    found: dict[str, list[tuple[int, int, int | None, str]]] = {}
    sql = "SELECT delivery_id, no, begun_us, ended_us, outcome FROM attempts ORDER BY delivery_id, no"
    for delivery_id, *attempt in db.all(sql):
        found.setdefault(delivery_id, []).append(tuple(attempt))
    return found


def _repeated(values: Sequence[Any]) -> list[Any]:
    seen: set[Any] = set()
    return [each for each in values if each in seen or seen.add(each)]  # type: ignore[func-returns-value]


INVARIANTS: Sequence[tuple[str, Callable[[Db, Facts], Iterable[str]]]] = (
    ("I1", accepted_is_kept),
    ("I2", orders_are_applied_once),
    ("I3", stock_adds_up),
    ("I4", deliveries_match_the_partner),
    ("I5", order_is_kept),
    ("I6", control_numbers_are_explained),
    ("I7", money_adds_up),
    ("I9", nothing_is_stuck),
)
