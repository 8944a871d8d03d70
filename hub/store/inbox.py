"""Messages in: stored raw before anything else, in chunks where they are large, repeats dropped by their own id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
import uuid_utils

from hub.domain.inbox import DocumentRow, FrameRow, GroupRow, MessageEnd
from hub.domain.message import Incoming, Message
from hub.domain.texts import LONGEST_NAME, encoded, is_storable, named, shown
from hub.domain.work import WorkItem
from hub.store import tables
from hub.store.db import Db
from hub.store.queue import add_work
from hub.store.types import from_us, to_us

CHUNK = 512 * 1024
_ENVELOPE = (
    "id, connection, direction, kind, received_us, partner, event_id, order_key, content_type, name, size, sha256"
)
MESSAGE_COLUMNS = (
    "id", "connection", "partner", "direction", "kind", "event_id", "control_key", "order_key", "content_type", "name",
    "size", "sha256", "received_us", "state", "chunks", "frames_left", "body", "envelope", "problems",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arrived:
    """A stored message, new or seen before."""

    message_id: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one call: one sender's request, or one page of a pull with its cursor."""

    connection: str
    partner: str
    lane: str
    messages: tuple[Incoming, ...]
    cursor: tuple[str, str] | None = None


def store_batches(db: Db, batches: list[Batch]) -> list[list[Arrived]]:
    """Store what several callers brought, in a fixed number of statements; repeats get their first id back."""
    now = db.now_us()
    batches = [replace(each, messages=tuple(map(fitting, each.messages))) for each in batches]
    known = _known(db, batches)
    rows: list[tuple[Any, ...]] = []
    chunks: list[tuple[str, int, bytes]] = []
    items: list[tuple[WorkItem, int]] = []
    results = []
    for batch in batches:
        arrived = []
        for incoming in batch.messages:
            key = (batch.connection, incoming.event_id)
            if incoming.event_id and key in known:
                arrived.append(Arrived(known[key], True))
                continue
            message_id = str(uuid_utils.uuid7())
            if incoming.event_id:
                known[key] = message_id
            rows.append(_row(message_id, batch, incoming, now, chunks))
            items.append((_work(message_id, batch, incoming), now))
            arrived.append(Arrived(message_id, False))
        results.append(arrived)
    db.insert(tables.messages, MESSAGE_COLUMNS, rows)
    db.insert(tables.message_chunks, ("message_id", "no", "body"), chunks)
    add_work(db, items)
    _move_cursors(db, batches, now)
    return results


def fitting(incoming: Incoming) -> Incoming:
    """Return a message whose names can be stored, whatever its sender wrote into them; its body stays as it came."""
    told = incoming.event_id + incoming.order_key + incoming.control_key
    told += incoming.kind + incoming.name + incoming.content_type
    if len(told) <= LONGEST_NAME and is_storable(told):
        return incoming
    fields = {
        "event_id": named(incoming.event_id), "order_key": named(incoming.order_key),
        "control_key": named(incoming.control_key), "kind": shown(incoming.kind), "name": shown(incoming.name),
        "content_type": shown(incoming.content_type),
    }  # fmt: skip
    return msgspec.structs.replace(incoming, **fields)


def _known(db: Db, batches: list[Batch]) -> dict[tuple[str, str], str]:
    by_connection: dict[str, set[str]] = {}
    for batch in batches:
        by_connection.setdefault(batch.connection, set()).update(m.event_id for m in batch.messages if m.event_id)
    known = {}
    sql = f"SELECT event_id, id FROM messages WHERE connection = :connection AND {db.among('event_id', 'keys')}"
    for connection, event_ids in by_connection.items():
        if event_ids:
            for event_id, message_id in db.all(sql, connection=connection, keys=db.array(sorted(event_ids))):
                known[connection, event_id] = message_id
    return known


def _row(
    message_id: str, batch: Batch, incoming: Incoming, now: int, chunks: list[tuple[str, int, bytes]]
) -> tuple[Any, ...]:
    body: bytes | None = incoming.body
    count = 0
    if len(incoming.body) > CHUNK:
        body = None
        for count, start in enumerate(range(0, len(incoming.body), CHUNK), 1):
            chunks.append((message_id, count - 1, incoming.body[start : start + CHUNK]))
    return (
        message_id, batch.connection, batch.partner, "in", incoming.kind, incoming.event_id or None,
        incoming.control_key or None,
        incoming.order_key, incoming.content_type, incoming.name, len(incoming.body),
        hashlib.sha256(incoming.body).hexdigest(), now, "received", count, 0, body, "", "",
    )  # fmt: skip


def _work(message_id: str, batch: Batch, incoming: Incoming) -> WorkItem:
    key = f"{batch.connection}/{incoming.order_key}" if incoming.order_key else None
    return WorkItem(
        task="ingest", subject_id=message_id, lane=batch.lane, order_key=key, connection=batch.connection,
        partner=batch.partner,
    )  # fmt: skip


def _move_cursors(db: Db, batches: list[Batch], now: int) -> None:
    moved = {(b.connection, b.cursor[0]): b.cursor[1] for b in batches if b.cursor is not None}
    for (connection, kind), cursor in moved.items():
        db.run(
            "INSERT INTO cursors (connection, kind, cursor, updated_us) VALUES (:connection, :kind, :cursor, :now) "
            "ON CONFLICT (connection, kind) DO UPDATE SET cursor = excluded.cursor, updated_us = excluded.updated_us",
            connection=connection, kind=kind, cursor=cursor, now=now,
        )  # fmt: skip


def body_of(db: Db, message_id: str, start: int = 0, length: int | None = None) -> bytes:
    """Return the bytes of a chunked message, or a part of them."""
    first = start // CHUNK
    last = (start + length - 1) // CHUNK if length else 1 << 40
    rows = db.all(
        "SELECT no, body FROM message_chunks WHERE message_id = :id AND no BETWEEN :first AND :last ORDER BY no",
        id=message_id, first=first, last=last,
    )  # fmt: skip
    joined = b"".join(bytes(row[1]) for row in rows)
    offset = start - first * CHUNK
    return joined[offset : offset + length] if length else joined[offset:]


def _message(row: Any, body: bytes) -> Message:
    return Message(
        id=row[0], connection=row[1], direction=row[2], kind=row[3], received_at=from_us(row[4]), partner=row[5],
        event_id=row[6] or "", order_key=row[7], content_type=row[8], name=row[9], size=row[10], sha256=row[11],
        body=body,
    )  # fmt: skip


def messages_by_id(db: Db, ids: Iterable[str]) -> dict[str, Message]:
    """Return messages with their bodies, whole."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    sql = f"SELECT {_ENVELOPE}, chunks, body FROM messages WHERE {db.among('id', 'keys')}"
    found = {}
    for row in db.all(sql, keys=db.array(wanted)):
        found[row[0]] = _message(row, body_of(db, row[0]) if row[12] else bytes(row[13] or b""))
    return found


class InboxPart:
    """The `Inbox` port."""

    db: Db
    now: datetime

    def __init__(self) -> None:
        self._documents: list[DocumentRow] = []
        self._groups: dict[tuple[str, int], GroupRow] = {}

    def messages(self, ids: Iterable[str]) -> dict[str, Message]:
        """Return messages with their bodies."""
        return messages_by_id(self.db, ids)

    def frames(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[FrameRow, Message, bytes]]:
        """Return (frame, its message without body, the frame's bytes) by (message id, first)."""
        wanted = set(keys)
        ids = self.db.array(sorted({each[0] for each in wanted}))
        sql = f"SELECT {_ENVELOPE}, chunks FROM messages WHERE {self.db.among('id', 'ids')}"
        heads = {row[0]: (_message(row, b""), row[12]) for row in self.db.all(sql, ids=ids)}
        places = self.db.array(sorted({each[1] for each in wanted}))
        among = f"{self.db.among('f.message_id', 'ids')} AND {self.db.among('f.first', 'places')}"
        found = {}
        for row in self.db.all(f"{_FRAMES} WHERE {among}", ids=ids, places=places):
            message_id, first, start, length, count, context, part = row
            if (message_id, first) in wanted:
                frame = FrameRow(
                    message_id=message_id, first=first, start=start, length=length, count=count,
                    context=bytes(context or b""),
                )  # fmt: skip
                message, chunked = heads[message_id]
                body = body_of(self.db, message_id, start, length) if chunked else bytes(part)
                found[message_id, first] = (frame, message, body)
        return found

    def add_frames(self, frames: Sequence[FrameRow], state: Mapping[str, str]) -> None:
        """Store the frames of messages; `state` is each message's envelope as JSON."""
        rows = [(f.message_id, f.first, f.start, f.length, f.count, f.context) for f in frames]
        self.db.insert(tables.frames, ("message_id", "first", "start", "length", "count", "context"), rows)
        counts: dict[str, int] = {}
        for frame in frames:
            counts[frame.message_id] = counts.get(frame.message_id, 0) + 1
        ends = [(message_id, "framed", count, state.get(message_id, "")) for message_id, count in counts.items()]
        self.db.update(tables.messages, ("id",), ("state", "frames_left", "envelope"), ends)

    def frames_done(self, message_ids: Sequence[str]) -> list[str]:
        """Count frames off and return the ids of the messages whose last frame this was."""
        counts: dict[str, int] = {}
        for message_id in message_ids:
            counts[message_id] = counts.get(message_id, 0) + 1
        finished = []
        for message_id, count in sorted(counts.items()):
            left = self.db.one(
                "UPDATE messages SET frames_left = frames_left - :count WHERE id = :id RETURNING frames_left",
                id=message_id, count=count,
            )  # fmt: skip
            if left is not None and left[0] == 0:
                finished.append(message_id)
        return finished

    def add_documents(self, rows: Sequence[DocumentRow]) -> None:
        """Store what became of documents, at the flush."""
        self._documents.extend(rows)

    def wake(self, subject_ids: Sequence[str]) -> list[WorkItem]:
        """Return the work to take messages in again whose document waits for one of these subjects; they are received.

        A message with other documents beside it is left to a person, whose replay takes in all of it.
        """
        if not subject_ids:
            return []
        rows = self.db.all(
            "SELECT m.id, m.connection, m.partner, d.subject_id FROM documents d "
            "JOIN messages m ON m.id = d.message_id "
            f"WHERE d.state = 'waiting' AND {self.db.among('d.subject_id', 'keys')} AND NOT EXISTS (SELECT 1 FROM "
            "documents other WHERE other.message_id = d.message_id AND other.ordinal <> d.ordinal) "
            "ORDER BY m.received_us, m.id",
            keys=self.db.array(sorted(set(subject_ids))),
        )
        if rows:
            keys = self.db.array([row[0] for row in rows])
            self.db.run(f"DELETE FROM documents WHERE {self.db.among('message_id', 'keys')}", keys=keys)
            self.db.run(f"UPDATE messages SET state = 'received' WHERE {self.db.among('id', 'keys')}", keys=keys)
        return [
            WorkItem(
                task="ingest", subject_id=row[0], order_key=row[3], connection=row[1], partner=row[2], reason="waited"
            )
            for row in rows
        ]

    def documents_of(self, message_id: str) -> list[DocumentRow]:
        """Return the documents of a message by ordinal, with those of this unit."""
        sql = f"SELECT {', '.join(_DOCUMENT_COLUMNS[:-1])} FROM documents WHERE message_id = :id ORDER BY ordinal"
        names = _DOCUMENT_COLUMNS[:-1]
        rows = [DocumentRow(**dict(zip(names, row, strict=True))) for row in self.db.all(sql, id=message_id)]
        return rows + [row for row in self._documents if row.message_id == message_id]

    def results(self, message_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return the stored results of the documents of messages, by ordinal; documents without one are left out."""
        keys = self.db.array(sorted(set(message_ids)))
        sql = (
            f"SELECT message_id, result FROM documents WHERE {self.db.among('message_id', 'keys')} AND result <> '' "
            "ORDER BY message_id, ordinal"
        )
        found: dict[str, list[str]] = {}
        for message_id, result in self.db.all(sql, keys=keys):
            found.setdefault(message_id, []).append(result)
        return found

    def add_groups(self, rows: Iterable[GroupRow]) -> None:
        """Store envelopes at the flush; one that is stored already stays."""
        for row in rows:
            self._groups.setdefault((row.message_id, row.place), row)

    def groups(self, message_ids: Iterable[str]) -> dict[str, list[GroupRow]]:
        """Return the groups of messages by place, with those of this unit."""
        wanted = sorted(set(message_ids))
        sql = f"SELECT message_id, place, facts FROM message_groups WHERE {self.db.among('message_id', 'keys')}"
        found = {
            (row[0], row[1]): GroupRow(message_id=row[0], place=row[1], facts=msgspec.json.decode(row[2]))
            for row in self.db.all(sql, keys=self.db.array(wanted))
        }
        found.update((key, row) for key, row in self._groups.items() if key[0] in wanted)
        return {each: [row for key, row in sorted(found.items()) if key[0] == each] for each in wanted}

    def reused(self, message_ids: Iterable[str]) -> set[str]:
        """Return the messages whose control number came before on their connection, with other bytes, and was taken."""
        sql = (
            f"SELECT id FROM messages WHERE {self.db.among('id', 'keys')} AND EXISTS (SELECT 1 FROM messages earlier "
            "WHERE earlier.connection = messages.connection AND earlier.control_key = messages.control_key "
            "AND earlier.id < messages.id AND earlier.state <> 'quarantined')"
        )
        return {row[0] for row in self.db.all(sql, keys=self.db.array(sorted(set(message_ids))))}

    def end_messages(self, ends: Sequence[MessageEnd]) -> None:
        """Store how messages ended."""
        rows = [(e.message_id, e.state, _problems(e), e.envelope) for e in ends]
        self.db.update(tables.messages, ("id",), ("state", "problems", "envelope"), rows)

    def take_messages(self, arrivals: Sequence[tuple[Message, Sequence[WorkItem]]]) -> None:
        """Store messages that came as answers to deliveries, with their work."""
        now = to_us(self.now)
        self.db.insert(tables.messages, MESSAGE_COLUMNS, [stored_row(message, "received") for message, _ in arrivals])
        add_work(self.db, [(item, now) for _, items in arrivals for item in items])

    def cursor(self, connection: str, kind: str) -> str:
        """Return where the last pull of a kind stopped."""
        sql = "SELECT cursor FROM cursors WHERE connection = :connection AND kind = :kind"
        row = self.db.one(sql, connection=connection, kind=kind)
        return row[0] if row else ""

    def flush_inbox(self) -> None:
        """Write the documents."""
        now = to_us(self.now)
        rows = [(*_document_values(row), now) for row in self._documents]
        self.db.insert(tables.documents, _DOCUMENT_COLUMNS, rows)
        groups = [(g.message_id, g.place, encoded(g.facts)) for g in self._groups.values()]
        self.db.insert_new(tables.message_groups, ("message_id", "place", "facts"), groups)
        self._documents.clear()
        self._groups.clear()


def stored_row(message: Message, state: str) -> tuple[Any, ...]:
    """Return the row of a message that is small enough to lie in one piece."""
    return (
        message.id, message.connection, message.partner, message.direction, message.kind, message.event_id or None,
        None, message.order_key, message.content_type, message.name, len(message.body),
        hashlib.sha256(message.body).hexdigest(), to_us(message.received_at), state, 0, 0, message.body, "", "",
    )  # fmt: skip


def _problems(end: MessageEnd) -> str:
    return encoded(end.problems) if end.problems else ""


_FRAMES = (
    "SELECT f.message_id, f.first, f.start, f.length, f.count, f.context, CASE WHEN m.chunks = 0 THEN "
    "substr(m.body, CAST(f.start + 1 AS integer), CAST(f.length AS integer)) END AS part "
    "FROM frames f JOIN messages m ON m.id = f.message_id"
)
_DOCUMENT_COLUMNS = (
    "id", "message_id", "ordinal", "kind", "set_id", "connection", "partner", "state", "mapping_sha", "subject_id",
    "reference", "result", "created_us",
)  # fmt: skip
_document_values = attrgetter(*_DOCUMENT_COLUMNS[:-1])
