"""The queue of record: rows are claimed under a lease, fenced by an epoch, and gone when they are done.

A lease is no durable point, and its commit does not wait for the disk. A machine that stops may forget it: then the row
is claimed again. The epoch is the moment of the claim, so that no claim, forgotten or not, can pass for another.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from hub.domain.incident import Incident
from hub.domain.texts import shown
from hub.domain.work import Claim, WorkItem
from hub.store import tables
from hub.store.db import Db, Row
from hub.store.incidents import open_incident
from hub.store.types import to_us

FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 900.0
MOST_STARTS = 5
_COLUMNS = "id, lane, task, subject_id, part, order_key, epoch, starts, attempts, connection, partner, reason"
_READY = """
    lane = :lane AND task = :task AND status = 'queued' AND due_us <= {clock} {starts}
    AND (order_key IS NULL OR NOT EXISTS (
        SELECT 1 FROM work earlier WHERE earlier.order_key = work.order_key AND earlier.id < work.id))
"""
_FIRST = "ORDER BY due_us, id LIMIT"
_TAKE = (
    "UPDATE work SET status = 'running', owner = :owner, lease_us = {clock} + :lease, epoch = {clock}, "
    "starts = starts + 1 WHERE {unsynced} AND id IN (SELECT id FROM work WHERE {ready} {first} :limit{skip}) "
    f"RETURNING {_COLUMNS}"
)


def add_work(db: Db, items: Sequence[tuple[WorkItem, int]]) -> None:
    """Queue items; each comes with the time from which it is due where it names none."""
    rows = [
        (
            item.lane, item.task, item.subject_id, item.part, item.order_key, "queued",
            now if item.due_at is None else to_us(item.due_at), item.connection, item.partner, item.reason,
        )
        for item, now in items
    ]  # fmt: skip
    db.insert(tables.work, _ADDED, rows)


_ADDED = (
    "lane", "task", "subject_id", "part", "order_key", "status", "due_us", "connection", "partner", "reason",
)  # fmt: skip


def claim(
    db: Db,
    lane: str,
    task: str,
    limit: int,
    owner: str,
    lease_seconds: float,
    *,
    alone: bool,
    busy: Collection[str] | None = None,
) -> list[Claim]:
    """Lease due rows by database time, in one statement. Rows that were started before (a crash) come one at a time.

    No row is started more than `MOST_STARTS` times: `bury_deadly` takes what ended its workers so often.
    With `busy`, all rows are of one connection: that of the row which is due for longest, and none of these.
    """
    starts = f"AND starts BETWEEN 1 AND {MOST_STARTS - 1}" if alone else "AND starts = 0"
    ready = _READY.format(clock=db.clock, starts=starts)
    values: dict[str, Any] = {}
    if busy is not None:
        if busy:
            ready += f"AND NOT ({db.among('connection', 'busy')})"
            values["busy"] = db.array(sorted(busy))
        ready += f" AND connection = (SELECT connection FROM work WHERE {ready} {_FIRST} 1)"
    skip = " FOR UPDATE SKIP LOCKED" if db.postgres else ""
    rows = db.all(
        _TAKE.format(clock=db.clock, unsynced=db.unsynced, ready=ready, first=_FIRST, skip=skip), lane=lane, task=task,
        limit=1 if alone else limit, owner=owner, lease=int(lease_seconds * 1e6), **values,
    )  # fmt: skip
    return [_claim(row) for row in sorted(rows)]


def _claim(row: Any) -> Claim:
    work_id, lane, task, subject_id, part, order_key, epoch, starts, attempts, connection, partner, reason = row
    return Claim(
        id=work_id, lane=lane, task=task, subject_id=subject_id, part=part, order_key=order_key, epoch=epoch,
        starts=starts, attempts=attempts, connection=connection, partner=partner, reason=reason,
    )  # fmt: skip


def due_tasks(db: Db, lane: str, tasks: Sequence[str]) -> list[str]:
    """Return the kinds of task that something is due of, in the order given: a read that takes no lock."""
    queued = f"SELECT 1 FROM work WHERE lane = :lane AND status = 'queued' AND due_us <= {db.clock}"
    looks = ", ".join(f"EXISTS ({queued} AND task = :task{at})" for at in range(len(tasks)))
    row = db.one(f"SELECT {looks}", lane=lane, **{f"task{at}": task for at, task in enumerate(tasks)})
    return [task for task, found in zip(tasks, row, strict=True) if found]


def requeue_expired(db: Db) -> int:
    """Give back rows whose worker let the lease run out; they come back alone, with their start counted.

    A row that was started too often without an end is kept for a person instead, with one incident.
    """
    now = db.now_us()
    bury_deadly(db, now)
    return db.run("UPDATE work SET status = 'queued' WHERE status = 'running' AND lease_us < :now", now=now)


def bury_deadly(db: Db, now: int) -> int:
    """Take rows out of the queue that ended `MOST_STARTS` workers; their messages and deliveries say so."""
    reason = f"it was started {MOST_STARTS} times and its worker ended each time"
    rows = db.all(
        "UPDATE work SET status = 'dead', reason = :reason "
        "WHERE status = 'running' AND lease_us < :now AND starts >= :most "
        "RETURNING id, task, subject_id, connection, partner",
        reason=reason, now=now, most=MOST_STARTS,
    )  # fmt: skip
    for work_id, task, subject_id, connection, partner in rows:
        kind = "delivery" if task == "send" else "connection" if task == "pull" else "message"
        if task == "ingest":
            db.run("UPDATE messages SET state = 'quarantined' WHERE id = :id AND state = 'received'", id=subject_id)
        elif task == "send":
            sql = "UPDATE deliveries SET state = 'dead', problem = :reason WHERE id = :id"
            db.run(sql, id=subject_id, reason=reason)
        open_incident(db, now, Incident(
            fingerprint=f"dead/{subject_id}",
            kind="internal",
            severity="critical",
            title=f"{connection or 'the hub'}: {kind} {subject_id} ends every worker that takes it",
            detail=f"work row {work_id} ({task}): {reason}",
            next_action=f"look at the {kind} and the log of the workers, mend the cause, then replay or skip it",
            connection=connection,
            partner=partner,
            subject_kind=kind,
            subject_id=subject_id,
        ))  # fmt: skip
    return len(rows)


def due_lanes(db: Db) -> list[str]:
    """Return the lanes in which something is due."""
    rows = db.all("SELECT DISTINCT lane FROM work WHERE status = 'queued' AND due_us <= :now", now=db.now_us())
    return [row[0] for row in rows]


def backoff(attempts: int) -> float:
    """Return seconds to wait before attempt number `attempts` + 1: doubling, with full jitter on its upper half."""
    longest = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempts, 20))
    return float(longest * (0.5 + random.random() / 2))


class QueuePart:
    """The `Queue` port."""

    db: Db
    now: datetime

    def __init__(self) -> None:
        self._back: list[Row] = []
        self._parked: list[Row] = []

    def fence(self, claims: Sequence[Claim]) -> set[int]:
        """Take these rows off the queue and return the ids that were still ours."""
        return {row[0] for row in self._ours(claims, "DELETE FROM work", "RETURNING id")}

    def renew(self, claims: Sequence[Claim], seconds: float) -> set[int]:
        """Keep these rows until the transaction ends, for `seconds` from now where their lease is shorter by a quarter.

        Returns the ids that are still ours.
        """
        now, lease = self.db.now_us(), int(seconds * 1e6)
        lock = "FOR NO KEY UPDATE" if self.db.postgres else ""
        rows = self._ours(claims, "SELECT id, lease_us FROM work", lock)
        short = [row[0] for row in rows if row[1] < now + lease * 3 // 4]
        if short:
            sql = f"UPDATE work SET lease_us = :lease WHERE {self.db.among('id', 'keys')}"
            self.db.run(sql, lease=now + lease, keys=self.db.array(short))
        return {row[0] for row in rows}

    def _ours(self, claims: Sequence[Claim], action: str, ending: str) -> list[Any]:
        """Run a statement on the rows that nobody took meanwhile: once for each epoch, of which there is mostly one."""
        by_epoch: dict[int, list[int]] = {}
        for claim in claims:
            by_epoch.setdefault(claim.epoch, []).append(claim.id)
        sql = f"{action} WHERE status = 'running' AND epoch = :epoch AND {self.db.among('id', 'keys')} {ending}"
        found: list[Any] = []
        for epoch, ids in sorted(by_epoch.items()):
            found += self.db.all(sql, epoch=epoch, keys=self.db.array(sorted(ids)))
        return found

    def put_back(self, claims: Sequence[Claim], *, after: float | None, reason: str) -> None:
        """Queue rows again at the flush, after so many seconds, by backoff where None; their starts are forgiven."""
        now = self.db.now_us()
        waits = [backoff(each.attempts) if after is None else after for each in claims]
        self._back += [
            (each.id, each.epoch, "queued", 0, each.attempts + 1, now + int(wait * 1e6), shown(reason, 2000))
            for each, wait in zip(claims, waits, strict=True)
        ]

    def park(self, claims: Sequence[Claim], *, status: str, reason: str) -> None:
        """Keep rows for a person at the flush; they hold their key until they are resolved."""
        self._parked += [(each.id, each.epoch, status, shown(reason, 2000)) for each in claims]

    def flush_queue(self) -> None:
        """Write what goes back and what is kept: a statement for each, whatever the number of rows and reasons."""
        self.db.update(tables.work, ("id", "epoch"), ("status", "starts", "attempts", "due_us", "reason"), self._back)
        self.db.update(tables.work, ("id", "epoch"), ("status", "reason"), self._parked)
        self._back.clear()
        self._parked.clear()
