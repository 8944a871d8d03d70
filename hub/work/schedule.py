"""What happens by the clock: pulls that are due become work, at most one row per connection and kind."""

from __future__ import annotations

from hub.domain.config import Config
from hub.domain.work import WorkItem
from hub.store.db import Db
from hub.store.queue import add_work


def tick(db: Db, config: Config) -> int:
    """Queue every pull that is due; two schedulers at once queue it once. Return how many were queued."""
    now = db.now_us()
    queued = 0
    for connection in config.connections.values():
        if connection.state not in ("active", "testing", "degraded"):
            continue
        for kind, seconds in connection.pull_every.items():
            if _due(db, connection.name, kind, now, seconds):
                item = WorkItem(
                    task="pull", subject_id=f"{connection.name}/{kind}", lane=connection.priority_lane,
                    connection=connection.name, partner=connection.partner,
                )  # fmt: skip
                add_work(db, [(item, now)])
                queued += 1
    return queued


def _due(db: Db, connection: str, kind: str, now: int, seconds: int) -> bool:
    """Take the turn: true for exactly one caller per interval, and only while no earlier pull is still waiting."""
    db.run(
        "INSERT INTO cursors (connection, kind, cursor, next_us) VALUES (:connection, :kind, '', 0) "
        "ON CONFLICT (connection, kind) DO NOTHING",
        connection=connection, kind=kind,
    )  # fmt: skip
    taken = db.run(
        "UPDATE cursors SET next_us = :next WHERE connection = :connection AND kind = :kind AND next_us <= :now "
        "AND NOT EXISTS (SELECT 1 FROM work WHERE subject_id = :subject AND task = 'pull')",
        next=now + seconds * 1_000_000, connection=connection, kind=kind, now=now, subject=f"{connection}/{kind}",
    )  # fmt: skip
    return taken == 1
