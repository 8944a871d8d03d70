"""What is kept beside the messages that are taken in: calls as they came, receipts that were given and got."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import uuid_utils

from hub.domain.config import Config
from hub.domain.message import Incoming, Message
from hub.domain.route import Leg
from hub.domain.texts import named, shown
from hub.domain.work import WorkItem
from hub.store import tables
from hub.store.db import Db
from hub.store.inbox import CHUNK, MESSAGE_COLUMNS, Arrived, Batch, messages_by_id, store_batches
from hub.store.outbox import LEG
from hub.store.types import to_us


class KeptPart:
    """The `Kept` port."""

    db: Db
    now: datetime
    config: Config
    _work: list[WorkItem]

    def arrive(self, connection: str, partner: str, lane: str, messages: Sequence[Incoming]) -> list[Arrived]:
        """Store messages with their work within this unit, as `Store.take_in` does alone."""
        if not messages:
            return []
        return store_batches(self.db, [Batch(connection, partner, lane, tuple(messages))])[0]

    def keep(self, messages: Sequence[Message], state: str) -> None:
        """Store messages that nobody works on; an event id that is taken raises, and the unit runs again."""
        chunks: list[tuple[str, int, bytes]] = []
        rows = [_row(each, state, chunks) for each in messages]
        self.db.insert(tables.messages, MESSAGE_COLUMNS, rows)
        self.db.insert(tables.message_chunks, ("message_id", "no", "body"), chunks)

    def kept(self, connection: str, event_ids: Iterable[str]) -> dict[str, Message]:
        """Return the messages of a connection that have these event ids, with their bodies."""
        sql = f"SELECT id FROM messages WHERE connection = :connection AND {self.db.among('event_id', 'keys')}"
        wanted = {named(each): each for each in event_ids}
        ids = [row[0] for row in self.db.all(sql, connection=connection, keys=self.db.array(sorted(wanted)))]
        return {wanted[each.event_id]: each for each in messages_by_id(self.db, ids).values()}

    def plan_written(self, leg: Leg, message_id: str) -> None:
        """Plan a delivery whose bytes are kept already."""
        delivery_id = str(uuid_utils.uuid7())
        row = (delivery_id, "planned", to_us(self.now), message_id, *(getattr(leg, name) for name in LEG))
        self.db.insert(tables.deliveries, ("id", "state", "created_us", "message_id", *LEG), [row])
        item = WorkItem(
            task="send", subject_id=delivery_id, lane=leg.lane, connection=leg.connection, partner=leg.partner
        )
        self._work.append(item)

    def is_open(self, fingerprint: str) -> bool:
        """Say whether there is an open incident of this cause."""
        sql = "SELECT 1 FROM incidents WHERE fingerprint = :fingerprint AND state IN ('open', 'acknowledged', 'fixing')"
        return self.db.one(sql, fingerprint=fingerprint) is not None


def _row(message: Message, state: str, chunks: list[tuple[str, int, bytes]]) -> tuple[Any, ...]:
    body = message.body
    count = -(-len(body) // CHUNK) if len(body) > CHUNK else 0
    chunks += [(message.id, no, body[no * CHUNK : (no + 1) * CHUNK]) for no in range(count)]
    return (
        message.id, message.connection, message.partner, message.direction, message.kind,
        named(message.event_id) or None, None, named(message.order_key), shown(message.content_type),
        shown(message.name), len(body), hashlib.sha256(body).hexdigest(),
        to_us(message.received_at), state, count, 0, None if count else body, "", "",
    )  # fmt: skip
