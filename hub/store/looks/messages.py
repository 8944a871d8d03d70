"""Messages: what crossed the wire, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.store.db import Db
from hub.store.inbox import CHUNK
from hub.store.looks import overview
from hub.store.looks.orders import PAGE, Page

_ROW = "id, connection, partner, direction, kind, name, size, content_type, received_us, state"
UNSETTLED = ("received", "framed", "quarantined", "partly_applied", "rejected", "duplicate")
RECENT = 5_000


def messages(db: Db, *, state: str = "", after: str = "", most: int = PAGE) -> Page:
    """Return messages, the newest first, from a cursor (their id) on; a state that needs a look has its own index."""
    if state in UNSETTLED:
        received, _, message_id = after.partition("_")
        start = "AND (received_us < :received OR (received_us = :received AND id < :id)) " if after else ""
        values: dict[str, Any] = (
            {"received": int(received) if received.isdecimal() else 0, "id": message_id} if after else {}
        )
        where = f"{overview.UNSETTLED} AND state = :state {start}ORDER BY received_us DESC, id DESC"
        found = db.all(f"SELECT {_ROW} FROM messages WHERE {where} LIMIT :most", state=state, most=most + 1, **values)
        last = f"{found[most - 1].received_us}_{found[most - 1].id}" if len(found) > most else ""
        return Page(rows=found[:most], after=last)
    start = "WHERE id < :after " if after else ""
    values = {"after": after} if after else {}
    found = db.all(f"SELECT {_ROW} FROM messages {start}ORDER BY id DESC LIMIT :most", most=most + 1, **values)
    return Page(rows=found[:most], after=found[most - 1].id if len(found) > most else "")


def message(db: Db, message_id: str) -> Any:
    """Return a message without its bytes, or None."""
    return db.one(
        f"SELECT {_ROW}, event_id, control_key, order_key, sha256, chunks, frames_left, problems FROM messages "
        "WHERE id = :id",
        id=message_id,
    )  # fmt: skip


def head(db: Db, message_id: str, most: int) -> bytes:
    """Return the first bytes of a message, at most so many."""
    row = db.one("SELECT chunks, substr(body, 1, :most) AS body FROM messages WHERE id = :id", most=most, id=message_id)
    if row is None or not row.chunks:
        return bytes(row.body or b"") if row else b""
    chunks = db.all(
        "SELECT body FROM message_chunks WHERE message_id = :id AND no < :last ORDER BY no",
        id=message_id, last=-(-most // CHUNK),
    )  # fmt: skip
    return b"".join(bytes(each.body) for each in chunks)[:most]


def documents(db: Db, message_id: str, most: int = 200) -> list[Any]:
    """Return the first documents of a message."""
    return db.all(
        "SELECT id, ordinal, kind, set_id, state, subject_id, reference, mapping_sha, result FROM documents "
        "WHERE message_id = :id ORDER BY ordinal LIMIT :most",
        id=message_id, most=most,
    )  # fmt: skip


def work_of(db: Db, subject_id: str) -> list[Any]:
    """Return the work that is queued, running or parked for a message or a delivery."""
    return db.all(
        "SELECT id, lane, task, status, due_us, attempts, reason FROM work WHERE subject_id = :id ORDER BY id LIMIT 20",
        id=subject_id,
    )


def last_seen(db: Db) -> Mapping[tuple[str, str], int]:
    """Return when each connection last had a message, by (connection, direction), among the last RECENT messages."""
    rows = db.all(
        "SELECT connection, direction, max(received_us) AS at_us FROM "
        f"(SELECT connection, direction, received_us FROM messages ORDER BY id DESC LIMIT {RECENT}) recent "
        "GROUP BY connection, direction"
    )
    return {(row.connection, row.direction): row.at_us for row in rows}
