"""What a person decides about work that waits for one: try again, skip, mark as sent; acknowledge, resolve.

Each is one transaction with its line in the audit and, for deliveries, its event in the order's timeline. A delivery
that is not waiting (somebody was quicker) is left alone, and False says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import uuid_utils

from hub.domain.errors import Problem, Rejected
from hub.domain.work import WorkItem
from hub.store import audit, tables, tables_trade
from hub.store.db import Db
from hub.store.queue import add_work

WAITING = tables.STUCK
LONGEST_REASON = 500


def retry(db: Db, delivery_id: str, *, who: str, rebuild: bool = False) -> bool:
    """Let a delivery be tried again at once: the same bytes, or built anew with today's mapping and data.

    What is in doubt keeps its bytes and its doubt, so that the connection looks or asks before anything is sent twice.
    """
    found = _waiting(db, delivery_id)
    if found is None:
        return False
    doubted = found.state == "in_doubt"
    if rebuild and doubted:
        raise _wrong("retry", "a delivery in doubt is resent as it was; they may have it already")
    message_id = "" if rebuild else found.message_id
    db.run(
        "UPDATE deliveries SET state = :state, message_id = :message, problem = '' WHERE id = :id",
        state="in_doubt" if doubted else "planned", message=message_id, id=delivery_id,
    )  # fmt: skip
    released = db.run(
        "UPDATE work SET status = 'queued', due_us = :now, starts = 0, attempts = 0, epoch = epoch + 1, "
        "reason = :reason WHERE subject_id = :id AND task = 'send' AND status <> 'running'",
        now=db.now_us(), reason=f"retry asked by {who}", id=delivery_id,
    )  # fmt: skip
    if not released:
        _queue_again(db, found)
    _note(db, found, who, "retried", {"with": "today's mapping" if rebuild else "the same bytes"})
    _close_causes(db, found)
    return True


def skip(db: Db, delivery_id: str, *, who: str, reason: str) -> bool:
    """Give a delivery up, for a stated reason; what waits behind it goes on."""
    reason = _reason(reason)
    found = _waiting(db, delivery_id)
    if found is None:
        return False
    _end(db, found, "skipped", found.reference, f"skipped by {who}: {reason}")
    _note(db, found, who, "skipped", {"reason": reason})
    _close_causes(db, found)
    return True


def mark_sent(db: Db, delivery_id: str, *, who: str, reason: str, reference: str = "") -> bool:
    """Take a person's word that they have it, with their id for it where it is known."""
    reason, reference = _reason(reason), reference.strip()[:200]
    found = _waiting(db, delivery_id)
    if found is None:
        return False
    _end(db, found, "delivered", reference or found.reference, "")
    if reference:
        link = (found.connection, found.send, reference, found.subject_id, "secondary")
        columns = ("connection", "kind", "external_id", "our_id", "role")
        db.insert_new(tables_trade.links, columns, [link])
    _note(db, found, who, "marked_sent", {"reason": reason, "reference": reference})
    _close_causes(db, found)
    return True


def decide_incident(db: Db, incident_id: str, state: str, *, who: str, note: str = "") -> bool:
    """Acknowledge an open incident (it gets an owner), say that it is being mended, or resolve it.

    A cause that is not gone opens a new incident when it strikes again.
    """
    if state not in ("acknowledged", "fixing", "resolved"):
        raise _wrong("state", f"{state!r} is none of acknowledged, fixing, resolved")
    row = db.one("SELECT state, title, owner FROM incidents WHERE id = :id", id=incident_id)
    if row is None or row.state not in ("open", "acknowledged", "fixing") or row.state == state:
        return False
    db.run(
        "UPDATE incidents SET state = :state, owner = :owner WHERE id = :id",
        state=state, owner=row.owner if state == "resolved" and row.owner else who, id=incident_id,
    )  # fmt: skip
    audit.append(db, who, f"incident.{state}", incident_id, row.state, note.strip()[:LONGEST_REASON] or row.title)
    return True


def resume_work(db: Db, work_id: int, *, who: str) -> bool:
    """Let parked work other than a delivery be tried again at once."""
    row = db.one(
        "SELECT subject_id, reason FROM work WHERE id = :id AND status IN ('parked', 'dead') AND task <> 'send'",
        id=work_id,
    )
    if row is None:
        return False
    db.run(
        "UPDATE work SET status = 'queued', due_us = :now, starts = 0, attempts = 0, epoch = epoch + 1 WHERE id = :id",
        now=db.now_us(), id=work_id,
    )  # fmt: skip
    audit.append(db, who, "work.resume", row.subject_id, "parked", row.reason[:LONGEST_REASON])
    return True


def lane_of(db: Db, delivery_ids: Sequence[str]) -> set[str]:
    """Return the lanes whose bell should ring after these deliveries were let go."""
    rows = db.all(
        f"SELECT DISTINCT lane FROM deliveries WHERE {db.among('id', 'keys')}", keys=db.array(sorted(delivery_ids))
    )
    return {row.lane for row in rows}


def _waiting(db: Db, delivery_id: str) -> Any:
    """Return the delivery if it waits for a person; one that a worker holds at this moment does not."""
    lock = " FOR UPDATE" if db.postgres else ""
    row = db.one(
        "SELECT id, event_id, order_id, order_key, connection, send, subject_kind, subject_id, lane, partner, state, "
        f"message_id, reference FROM deliveries WHERE id = :id{lock}",
        id=delivery_id,
    )
    if row is None or row.state not in WAITING:
        return None
    held = db.one("SELECT 1 FROM work WHERE subject_id = :id AND task = 'send' AND status = 'running'", id=delivery_id)
    return None if held else row


def _end(db: Db, found: Any, state: str, reference: str, problem: str) -> None:
    db.run(
        "UPDATE deliveries SET state = :state, reference = :reference, problem = :problem, ended_us = :now "
        "WHERE id = :id",
        state=state, reference=reference, problem=problem, now=db.now_us(), id=found.id,
    )  # fmt: skip
    db.run("DELETE FROM work WHERE subject_id = :id AND task = 'send'", id=found.id)


def _queue_again(db: Db, found: Any) -> None:
    key = f"out/{found.connection}/{found.order_key}" if found.order_key else None
    item = WorkItem(
        task="send", subject_id=found.id, lane=found.lane, order_key=key, connection=found.connection,
        partner=found.partner, reason="retry",
    )  # fmt: skip
    add_work(db, [(item, db.now_us())])


def _note(db: Db, found: Any, who: str, what: str, detail: dict[str, str]) -> None:
    told = {"by": who, **{name: value for name, value in detail.items() if value}}
    row = (
        str(uuid_utils.uuid7()), f"delivery.{what}", db.now_us(), found.order_id, "delivery", found.id,
        found.partner, msgspec.json.encode(told).decode(),
    )  # fmt: skip
    columns = ("id", "name", "at_us", "order_id", "subject_kind", "subject_id", "partner", "detail")
    db.insert(tables.events, columns, [row])
    audit.append(db, who, f"delivery.{what}", found.id, found.state, msgspec.json.encode(told).decode())


def _close_causes(db: Db, found: Any) -> None:
    """Resolve the doubt about this delivery, and the refusals of its kind once none of them waits any more."""
    fingerprints = [f"doubt/{found.id}", f"dead/{found.id}"]
    left = db.one(
        "SELECT 1 FROM deliveries WHERE stuck IN ('refused', 'parked', 'dead') "
        "AND connection = :connection AND send = :send AND id <> :id LIMIT 1",
        connection=found.connection, send=found.send, id=found.id,
    )  # fmt: skip
    if left is None and found.state != "in_doubt":
        opening = f"out/{found.connection}/{found.send}/"
        rows = db.all(
            "SELECT fingerprint FROM incidents WHERE state IN ('open', 'acknowledged', 'fixing') "
            "AND substr(fingerprint, 1, :length) = :opening",
            length=len(opening), opening=opening,
        )  # fmt: skip
        fingerprints += [row.fingerprint for row in rows]
    db.run(
        "UPDATE incidents SET state = 'resolved', last_us = :now WHERE state IN ('open', 'acknowledged', 'fixing') "
        f"AND {db.among('fingerprint', 'keys')}",
        now=db.now_us(), keys=db.array(fingerprints),
    )  # fmt: skip


def _reason(reason: str) -> str:
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise _wrong("reason", "say why, for whoever looks at this order later")
    return reason


def _wrong(path: str, text: str) -> Rejected:
    return Rejected([Problem(code="decision", path=path, text=text)])
