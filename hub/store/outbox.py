"""Deliveries: planned with the event that caused them, begun before they are sent, ended with what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import uuid_utils

from hub.domain.config import Config
from hub.domain.message import Message
from hub.domain.route import Delivery, Leg
from hub.domain.work import WorkItem
from hub.store import tables
from hub.store.db import Db
from hub.store.inbox import MESSAGE_COLUMNS, messages_by_id, stored_row
from hub.store.queue import add_work
from hub.store.types import to_us

_LEG = (
    "connection", "send", "subject_kind", "subject_id", "event_id", "order_id", "order_key", "route", "lane", "partner",
)  # fmt: skip


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
            rows.append((delivery_id, "planned", now, *(getattr(leg, name) for name in _LEG)))
            key = f"out/{leg.connection}/{leg.order_key}" if leg.order_key else None
            items.append((WorkItem(task="send", subject_id=delivery_id, lane=leg.lane, order_key=key, connection=leg.connection, partner=leg.partner), now))  # fmt: skip
        self.db.insert(tables.deliveries, ("id", "state", "created_us", *_LEG), rows)
        add_work(self.db, items)
        self._legs.clear()
        self._work.clear()

    def deliveries(self, ids: Iterable[str]) -> dict[str, Delivery]:
        """Return deliveries by id."""
        sql = f"SELECT id, state, attempts, message_id, reference, problem, {', '.join(_LEG)} FROM deliveries WHERE {self.db.among('id', 'keys')}"
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
        self.db.insert(tables.attempts, ("delivery_id", "no", "begun_us"), [(d.id, d.attempts + 1, now) for d, _ in begun])

    def end(self, ended: Sequence[tuple[Delivery, str, str]]) -> None:
        """Store (delivery with its new state, outcome, detail) for the attempt under way."""
        now = to_us(self.now)
        rows = [(d.id, d.state, d.reference, d.problem[:2000], now) for d, _, _ in ended]
        self.db.update(tables.deliveries, ("id",), ("state", "reference", "problem", "ended_us"), rows)
        tries = [(d.id, d.attempts, now, outcome, detail[:2000]) for d, outcome, detail in ended if d.attempts]
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


def _delivery(row: Any) -> Delivery:
    leg = Leg(**dict(zip(_LEG, row[6:], strict=True)))
    return Delivery(id=row[0], leg=leg, state=row[1], attempts=row[2], message_id=row[3], reference=row[4], problem=row[5])
