"""Taking received messages in again, after what stopped them was mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.domain.connection import ConnectionConfig
from hub.domain.work import WorkItem
from hub.store import audit
from hub.store.db import Db
from hub.store.queue import add_work

ENVELOPE = "as2"
"""A call that was kept as it came; what lay in it is a message of its own."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What replaying one message would do; `refused` says why it cannot be."""

    message_id: str
    connection: str = ""
    state: str = ""
    documents: int = 0
    applied: int = 0
    order_key: str = ""
    partner: str = ""
    refused: str = ""


def plan_replay(db: Db, ids: Sequence[str]) -> list[Replay]:
    """Look at messages, in the order in which they were received. What was applied already will be seen as a repeat."""
    wanted = sorted(set(ids))
    sql = (
        "SELECT id, connection, state, direction, order_key, partner, kind, "
        "(SELECT count(*) FROM documents d WHERE d.message_id = messages.id), "
        "(SELECT count(*) FROM documents d WHERE d.message_id = messages.id AND d.state = 'applied'), "
        "(SELECT count(*) FROM work w WHERE w.subject_id = messages.id AND w.task IN ('ingest', 'frame') "
        " AND w.status IN ('queued', 'running')) "
        f"FROM messages WHERE {db.among('id', 'keys')} ORDER BY received_us, id"
    )
    found = [
        Replay(
            message_id=row[0], connection=row[1], state=row[2], order_key=row[4], partner=row[5], documents=row[7],
            applied=row[8], refused=_refused(row[3], row[6], row[9]),
        )
        for row in db.all(sql, keys=db.array(wanted))
    ]  # fmt: skip
    known = {each.message_id for each in found}
    return [
        *found,
        *(Replay(message_id=each, refused="there is no such message") for each in wanted if each not in known),
    ]


def _refused(direction: str, kind: str, working: int) -> str:
    if direction != "in":
        return "it was sent by us; retry its delivery instead"
    if kind == ENVELOPE:
        return "it is the envelope of another message; replay that, or ask the sender to send again if it was refused"
    return "it is queued or being worked on already" if working else ""


def messages_in(db: Db, connection: str, states: Sequence[str], most: int) -> list[str]:
    """Return the oldest messages of a connection that are in one of these states."""
    rows = db.all(
        f"SELECT id FROM messages WHERE connection = :connection AND direction = 'in' AND {db.among('state', 'keys')} "
        "ORDER BY received_us, id LIMIT :most",
        connection=connection, keys=db.array(states), most=most,
    )  # fmt: skip
    return [row[0] for row in rows]


def replay(db: Db, ids: Sequence[str], connections: Mapping[str, ConnectionConfig], *, who: str) -> list[Replay]:
    """Put messages back to received and queue them; returns what was refused too. Their old results are removed."""
    _hold(db, ids)
    planned = plan_replay(db, ids)
    good = [each for each in planned if not each.refused]
    keys = db.array([each.message_id for each in good])
    for statement in (
        f"DELETE FROM documents WHERE {db.among('message_id', 'keys')}",
        f"DELETE FROM frames WHERE {db.among('message_id', 'keys')}",
        f"DELETE FROM work WHERE task IN ('ingest', 'frame') AND {db.among('subject_id', 'keys')}",
        f"UPDATE messages SET state = 'received', frames_left = 0, problems = '' WHERE {db.among('id', 'keys')}",
    ):
        db.run(statement, keys=keys)
    now = db.now_us()
    add_work(db, [(_work(each, connections.get(each.connection)), now) for each in good])
    for each in good:
        audit.append(db, who, "message.replay", each.message_id, each.state, "received")
    return planned


def _hold(db: Db, ids: Sequence[str]) -> None:
    """Wait until nobody else is replaying any of these: what they queue is seen by the plan that follows."""
    if db.postgres:
        sql = f"SELECT id FROM messages WHERE {db.among('id', 'keys')} ORDER BY id FOR NO KEY UPDATE"
        db.all(sql, keys=db.array(sorted(set(ids))))


def _work(each: Replay, connection: ConnectionConfig | None) -> WorkItem:
    key = f"{each.connection}/{each.order_key}" if each.order_key else None
    lane = connection.priority_lane if connection else "document"
    return WorkItem(
        task="ingest", subject_id=each.message_id, lane=lane, order_key=key, connection=each.connection,
        partner=each.partner, reason="replay",
    )  # fmt: skip
