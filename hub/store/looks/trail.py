"""The trail of one order, from the bytes that came in to the receipts of what went out, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.store.db import Db
from hub.store.looks.orders import MOST_ROWS

_STAGES = ("message", "document", "event", "delivery", "attempt", "receipt")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened. `kind` is one of message, document, event, delivery, attempt, receipt."""

    at_us: int
    kind: str
    name: str
    state: str = ""
    text: str = ""
    connection: str = ""
    message_id: str = ""
    delivery_id: str = ""
    subject_id: str = ""


def trail(db: Db, order_id: str) -> list[Step]:
    """Return every step of an order, the oldest first; each query is led by an index and bounded."""
    events = db.all(f"SELECT * FROM events WHERE order_id = :id ORDER BY id LIMIT {MOST_ROWS}", id=order_id)
    documents = db.all(f"SELECT * FROM documents WHERE subject_id = :id ORDER BY id LIMIT {MOST_ROWS}", id=order_id)
    deliveries = db.all(f"SELECT * FROM deliveries WHERE order_id = :id ORDER BY id LIMIT {MOST_ROWS}", id=order_id)
    came = {row.message_id for row in (*events, *documents) if row.message_id}
    steps = [
        *_messages(db, came),
        *(_document(row) for row in documents),
        *(_event(row) for row in events),
        *(_delivery(row) for row in deliveries),
        *_attempts(db, {row.id: row for row in deliveries}),
        *_receipts(db, {row.id for row in deliveries}),
    ]
    return sorted(steps, key=lambda step: (step.at_us, _STAGES.index(step.kind)))


def _messages(db: Db, ids: Iterable[str]) -> list[Step]:
    rows = db.all(
        "SELECT id, connection, kind, name, size, content_type, received_us, state FROM messages "
        f"WHERE {db.among('id', 'keys')}",
        keys=db.array(sorted(ids)),
    )
    return [
        Step(
            at_us=row.received_us, kind="message", name="message.received", state=row.state, connection=row.connection,
            message_id=row.id, text=" · ".join(filter(None, (row.name, f"{row.size:,} bytes", row.content_type))),
        )
        for row in rows
    ]  # fmt: skip


def _document(row: Any) -> Step:
    return Step(
        at_us=row.created_us, kind="document", name=f"{row.kind} read", state=row.state, connection=row.connection,
        message_id=row.message_id, text=" ".join(filter(None, (row.set_id, row.reference))), subject_id=row.id,
    )  # fmt: skip


def _event(row: Any) -> Step:
    detail: Mapping[str, Any] = msgspec.json.decode(row.detail) if row.detail else {}
    return Step(
        at_us=row.at_us, kind="event", name=row.name, connection=row.origin, text=_in_words(detail),
        subject_id=row.subject_id, delivery_id=row.subject_id if row.subject_kind == "delivery" else "",
    )  # fmt: skip


def _in_words(detail: Mapping[str, Any]) -> str:
    shown = []
    for name, value in sorted(detail.items()):
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if value not in ("", None, [], {}):
            shown.append(f"{name}: {text}")
    return " · ".join(shown)[:500]


def _delivery(row: Any) -> Step:
    return Step(
        at_us=row.created_us, kind="delivery", name=f"{row.send} planned", state=row.state, connection=row.connection,
        delivery_id=row.id, text=f"route {row.route}" if row.route else "", subject_id=row.subject_id,
    )  # fmt: skip


def _attempts(db: Db, deliveries: Mapping[str, Any]) -> list[Step]:
    rows = db.all(
        f"SELECT * FROM attempts WHERE {db.among('delivery_id', 'keys')} ORDER BY begun_us LIMIT {MOST_ROWS}",
        keys=db.array(sorted(deliveries)),
    )
    found = []
    for row in rows:
        delivery = deliveries[row.delivery_id]
        common = {"connection": delivery.connection, "delivery_id": row.delivery_id, "message_id": delivery.message_id}
        found.append(
            Step(at_us=row.begun_us, kind="attempt", name=f"{delivery.send}, attempt {row.no} begun", **common)
        )
        if row.ended_us is not None:
            state = row.outcome if row.outcome == "delivered" else "failed"
            text = f"their id: {row.detail}" if state == "delivered" and row.detail else row.detail
            found.append(
                Step(
                    at_us=row.ended_us,
                    kind="receipt",
                    name=f"{delivery.send}, attempt {row.no}: {row.outcome}",
                    state=state,
                    text=text,
                    **common,
                )
            )
    return found


def _receipts(db: Db, delivery_ids: Iterable[str]) -> list[Step]:
    """Return the acknowledgements that are still owed for what was sent."""
    rows = db.all(
        f"SELECT * FROM expected_receipts WHERE {db.among('delivery_id', 'keys')} ORDER BY due_us LIMIT {MOST_ROWS}",
        keys=db.array(sorted(delivery_ids)),
    )
    return [
        Step(
            at_us=row.due_us, kind="receipt", name=f"{row.kind} expected", state=row.state, connection=row.connection,
            delivery_id=row.delivery_id, text=row.detail,
        )
        for row in rows
    ]  # fmt: skip
