"""Rate budgets that all processes share: when a connection may be called again, moved on a block at a time."""

from __future__ import annotations

from hub.ports import Rate
from hub.store.db import Db
from hub.store.store import Store

_NAME = "hub: rate"
_MOVE = """
INSERT INTO notes (connection, name, value) VALUES (:connection, :name, CAST({floor} + :cost AS TEXT))
ON CONFLICT (connection, name) DO UPDATE SET value = CAST(
    CASE WHEN CAST(notes.value AS BIGINT) > {floor} THEN CAST(notes.value AS BIGINT) ELSE {floor} END + :cost AS TEXT)
RETURNING CAST(value AS BIGINT) - {clock}
"""


class StoredRates:
    """The `Slots` of budgets, in the database. One statement for each block of calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, name: str, rate: Rate, count: int) -> float:
        """Take a block of calls; return in how many seconds the first is due, below 0 where it was before now."""
        interval = int(1e6 / rate.per_second)
        cost = interval * count
        left = self._store.write_unsynced(lambda db: _move(db, name, -interval * rate.burst, cost))
        return (left - cost + interval) / 1e6

    def pause(self, name: str, seconds: float) -> None:
        """Give no call to anybody for so long."""
        self._store.write_unsynced(lambda db: _move(db, name, int(seconds * 1e6), 0))


def _move(db: Db, name: str, floor: int, cost: int) -> int:
    """Move the time on by `cost`, from now + `floor` at least; return how far it is from now, in microseconds."""
    sql = _MOVE.format(clock=db.clock, floor=f"({db.clock} + :floor)")
    return int(db.one(sql, connection=name, name=_NAME, floor=floor, cost=cost)[0])
