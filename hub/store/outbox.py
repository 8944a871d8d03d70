"""Deliveries: planned with the event that caused them, begun before they are sent, ended with what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import uuid_utils

from hub.domain.config import Config
from hub.domain.message import Message
from hub.domain.route import Delivery, ExpectedReceipt, Leg
from hub.domain.texts import shown
from hub.domain.work import WorkItem
from hub.store import tables
from hub.store.db import Db
from hub.store.inbox import MESSAGE_COLUMNS, messages_by_id, stored_row
from hub.store.queue import add_work
from hub.store.types import from_us, to_us

LEG = (
    "connection", "send", "subject_kind", "subject_id", "event_id", "order_id", "order_key", "route", "lane", "partner",
)  # fmt: skip
_leg_values = attrgetter(*LEG)


class OutboxPart:
    """The `Outbox` port, and `plan` and `later` of `Records`."""

    db: Db
    now: datetime
    config: Config

    def __init__(self) -> None:
        self._legs: dict[tuple[str, str, str, str], Leg] = {}
        self._work: list[WorkItem] = []

    def later(self, items: Iterable[WorkItem]) -> None:
        """Add work at the flush."""
        self._work.extend(items)

    def plan(self, legs: Iterable[Leg]) -> None:
        """Turn legs into deliveries with their work at the flush."""
        for leg in legs:
            self._legs.setdefault((leg.event_id, leg.connection, leg.send, leg.subject_id), leg)

    def planned_lanes(self) -> set[str]:
        """Return the lanes that get work when this unit commits."""
        return {leg.lane for leg in self._legs.values()} | {item.lane for item in self._work}

    def flush_outbox(self) -> None:
        """Write deliveries, their work and all other work."""
        now = to_us(self.now)
        rows = []
        items = [(item, now) for item in self._work]
        for leg in self._legs.values():
            delivery_id = str(uuid_utils.uuid7())
            rows.append((delivery_id, "planned", now, *_leg_values(leg)))
            key = f"out/{leg.connection}/{leg.order_key}" if leg.order_key else None
            item = WorkItem(
                task="send",
                subject_id=delivery_id,
                lane=leg.lane,
                order_key=key,
                connection=leg.connection,
                partner=leg.partner,
            )
            items.append((item, now))
        self.db.insert(tables.deliveries, ("id", "state", "created_us", *LEG), rows)
        add_work(self.db, items)
        self._legs.clear()
        self._work.clear()

    def deliveries(self, ids: Iterable[str]) -> dict[str, Delivery]:
        """Return deliveries by id."""
        columns = f"id, state, attempts, message_id, reference, problem, {', '.join(LEG)}"
        sql = f"SELECT {columns} FROM deliveries WHERE {self.db.among('id', 'keys')}"
        return {row[0]: _delivery(row) for row in self.db.all(sql, keys=self.db.array(sorted(set(ids))))}

    def outgoing(self, message_ids: Iterable[str]) -> dict[str, Message]:
        """Return the messages that were built for deliveries, with their bodies."""
        return messages_by_id(self.db, [each for each in message_ids if each])

    def begin(self, begun: Sequence[tuple[Delivery, Message | None]]) -> None:
        """Mark an attempt as begun, and store the message where it was built now."""
        now = to_us(self.now)
        built = [stored_row(message, "sent") for _, message in begun if message is not None]
        self.db.insert(tables.messages, MESSAGE_COLUMNS, built)
        rows = [(d.id, "begun", d.attempts + 1, d.message_id, now) for d, _ in begun]
        self.db.update(tables.deliveries, ("id",), ("state", "attempts", "message_id", "begun_us"), rows)
        self.db.insert(
            tables.attempts, ("delivery_id", "no", "begun_us"), [(d.id, d.attempts + 1, now) for d, _ in begun]
        )

    def end(self, ended: Sequence[tuple[Delivery, str, str]]) -> None:
        """Store (delivery with its new state, outcome, detail) for the attempt under way."""
        now = to_us(self.now)
        rows = [(d.id, d.state, d.reference, shown(d.problem, 2000), now) for d, _, _ in ended]
        self.db.update(tables.deliveries, ("id",), ("state", "reference", "problem", "ended_us"), rows)
        tries = [(d.id, d.attempts, now, outcome, shown(detail, 2000)) for d, outcome, detail in ended if d.attempts]
        self.db.update(tables.attempts, ("delivery_id", "no"), ("ended_us", "outcome", "detail"), tries)

    def control_numbers(self, scope: str, count: int, *, delivery_ids: Sequence[str]) -> list[int]:
        """Take control numbers, each noted with the delivery it is for."""
        last = self.db.one(
            "INSERT INTO control_numbers (scope, value) VALUES (:scope, :count) "
            "ON CONFLICT (scope) DO UPDATE SET value = control_numbers.value + :count RETURNING value",
            scope=scope, count=count,
        )[0]  # fmt: skip
        taken = list(range(last - count + 1, last + 1))
        notes = [(scope, no, delivery_ids[at % len(delivery_ids)]) for at, no in enumerate(taken)]
        self.db.insert(tables.controls_issued, ("scope", "number", "delivery_id"), notes)
        return taken

    def redo(self, event_ids: Iterable[str], *, rebuild: bool) -> set[str]:
        """Queue the ended deliveries of these causes again; `rebuild` writes them anew, else the same bytes go."""
        found = self.db.all(
            "UPDATE deliveries SET state = 'planned'" + (", message_id = ''" if rebuild else "")
            + f" WHERE {self.db.among('event_id', 'keys')} AND state IN ('delivered', 'acknowledged') "
            f"RETURNING id, lane, connection, partner",
            keys=self.db.array(sorted(set(event_ids))),
        )  # fmt: skip
        self._work += [
            WorkItem(task="send", subject_id=row[0], lane=row[1], connection=row[2], partner=row[3]) for row in found
        ]
        return {row[0] for row in found}

    def again(self, delivery_ids: Iterable[str]) -> None:
        """Queue delivered ones again, the same bytes under the same key: what proves their arrival did not come."""
        found = self.db.all(
            f"UPDATE deliveries SET state = 'planned' WHERE {self.db.among('id', 'keys')} AND state = 'delivered' "
            "RETURNING id, lane, connection, partner",
            keys=self.db.array(sorted(set(delivery_ids))),
        )
        self._work += [
            WorkItem(task="send", subject_id=row[0], lane=row[1], connection=row[2], partner=row[3]) for row in found
        ]

    def planned_before(self, event_ids: Iterable[str]) -> set[tuple[str, str]]:
        """Return (cause, subject) of the deliveries that these causes have already."""
        sql = f"SELECT event_id, subject_id FROM deliveries WHERE {self.db.among('event_id', 'keys')}"
        return {(row[0], row[1]) for row in self.db.all(sql, keys=self.db.array(sorted(set(event_ids))))}

    def issued(self, numbers: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Return the delivery that each control number (scope, number) was taken for."""
        wanted = set(numbers)
        if not wanted:
            return {}
        values = self.db.array(sorted({number for _, number in wanted}))
        sql = (
            f"SELECT scope, number, delivery_id FROM controls_issued WHERE {self.db.among('scope', 'scopes')} "
            f"AND {self.db.among('number', 'numbers')}"
        )
        rows = self.db.all(sql, scopes=self.db.array(sorted({scope for scope, _ in wanted})), numbers=values)
        return {(row[0], row[1]): row[2] for row in rows if (row[0], row[1]) in wanted}

    def expect(self, receipts: Sequence[ExpectedReceipt]) -> None:
        """Note what they owe us for deliveries that were just written; a document written anew begins a new clock."""
        names = ("delivery_id", "kind", "connection", "partner", "control_key", "due_us", "state")
        rows = [
            (r.delivery_id, r.kind, r.connection, r.partner, r.subject_id, to_us(r.due_at), r.state) for r in receipts
        ]
        self.db.insert_new(tables.expected_receipts, names, rows)
        again = [(row[0], row[1], row[5], row[6]) for row in rows]
        self.db.update(tables.expected_receipts, ("delivery_id", "kind"), ("due_us", "state"), again)

    def awaiting(self, kind: str, connections: Iterable[str], subjects: Iterable[str]) -> list[str]:
        """Return the deliveries of these records for which a receipt of a kind has not come."""
        sql = (
            f"SELECT delivery_id FROM expected_receipts WHERE {self.db.among('connection', 'connections')} "
            f"AND {self.db.among('control_key', 'subjects')} AND kind = :kind AND state IN ('due', 'overdue')"
        )
        named = {
            "connections": self.db.array(sorted(set(connections))),
            "subjects": self.db.array(sorted(set(subjects))),
        }
        return [row[0] for row in self.db.all(sql, kind=kind, **named)]

    def came(self, receipts: Sequence[tuple[str, str, str, str]]) -> set[tuple[str, str]]:
        """Store (delivery, kind, state, detail) of what came; return (connection, kind) that are not late any more."""
        self.db.update(tables.expected_receipts, ("delivery_id", "kind"), ("state", "detail"), receipts)
        keys = self.db.array(sorted({delivery_id for delivery_id, _, _, _ in receipts}))
        which = "SELECT DISTINCT connection, kind FROM expected_receipts WHERE "
        touched = {(row[0], row[1]) for row in self.db.all(which + self.db.among("delivery_id", "keys"), keys=keys)}
        late = self.db.all(which + "state = 'overdue'") if touched else []
        return touched - {(row[0], row[1]) for row in late}

    def judge(self, judged: Sequence[Delivery]) -> None:
        """Store what their receiver said of deliveries that had ended; their attempts and times stay."""
        rows = [(each.id, each.state, each.problem[:2000]) for each in judged]
        self.db.update(tables.deliveries, ("id",), ("state", "problem"), rows)

    def undoubt(self, delivery_ids: Iterable[str]) -> None:
        """Take deliveries off the queue whose doubt is over, because their receiver spoke of them."""
        keys = self.db.array(sorted(set(delivery_ids)))
        self.db.run(f"DELETE FROM work WHERE task = 'send' AND {self.db.among('subject_id', 'keys')}", keys=keys)

    def has_overdue(self) -> bool:
        """Say whether `overdue` would find anything."""
        sql = f"SELECT 1 WHERE EXISTS (SELECT 1 FROM expected_receipts WHERE {_LATE})"
        return self.db.one(sql, now=self.db.now_us()) is not None

    def overdue(self) -> list[ExpectedReceipt]:
        """Mark what was not acknowledged in time, and return it."""
        columns = "delivery_id, kind, due_us, connection, partner, state"
        sql = f"UPDATE expected_receipts SET state = 'overdue' WHERE {_LATE} RETURNING {columns}"
        names = ("delivery_id", "kind", "due_at", "connection", "partner", "state")
        return [
            ExpectedReceipt(**dict(zip(names, (*row[:2], from_us(row[2]), *row[3:]), strict=True)))
            for row in self.db.all(sql, now=self.db.now_us())
        ]


_LATE = (
    "state = 'due' AND due_us <= :now AND delivery_id IN "
    "(SELECT id FROM deliveries WHERE state IN ('delivered', 'acknowledged'))"
)


def _delivery(row: Any) -> Delivery:
    leg = Leg(**dict(zip(LEG, row[6:], strict=True)))
    return Delivery(
        id=row[0], leg=leg, state=row[1], attempts=row[2], message_id=row[3], reference=row[4], problem=row[5]
    )
