"""The unit of work: everything one transaction reads and writes, flushed once, table by table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError

from hub.domain.config import Config
from hub.domain.message import Incoming
from hub.domain.work import Claim
from hub.store.db import Db
from hub.store.goods import GoodsPart
from hub.store.inbox import Arrived, Batch, InboxPart, store_batches
from hub.store.incidents import IncidentsPart
from hub.store.kept import KeptPart
from hub.store.outbox import OutboxPart
from hub.store.queue import QueuePart, claim, due_tasks
from hub.store.records import RecordsPart
from hub.store.store import Store
from hub.store.types import from_us

T = TypeVar("T")


class Unit(RecordsPart, GoodsPart, InboxPart, OutboxPart, KeptPart, IncidentsPart, QueuePart):
    """One transaction's view of the store: the `hub.ports.records.Unit` port."""

    def __init__(self, db: Db, now: datetime, config: Config) -> None:
        self.db = db
        self.now = now
        self.config = config
        for part in (RecordsPart, GoodsPart, InboxPart, OutboxPart, IncidentsPart, QueuePart):
            part.__init__(self)

    def flush(self) -> None:
        """Write all that was put, emitted and planned; stock last, so that its locks are held shortest."""
        self.flush_records()
        self.flush_inbox()
        self.flush_outbox()
        self.flush_queue()
        self.flush_incidents()
        self.flush_goods()


class Ledger:
    """The `hub.ports.records.Store` port on a database. `config` returns the snapshot that units are run under."""

    def __init__(
        self, store: Store, config: Callable[[], Config], crash: Callable[[str], None] = lambda _point: None
    ) -> None:
        self.store = store
        self.config = config

        def handle(db: Db, batches: list[Batch]) -> list[list[Arrived]]:
            arrived = store_batches(db, batches)
            crash("stored")
            return arrived

        self._take_in = handle

    def transact(self, work: Callable[[Unit], T]) -> T:
        """Run, flush and commit; durable when it returns. A key that was taken meanwhile makes it run once more."""
        config = self.config()

        def run(db: Db) -> T:
            unit = Unit(db, from_us(db.now_us()), config)
            result = work(unit)
            unit.flush()
            return result

        try:
            return self.store.write(run)
        except IntegrityError:
            return self.store.write(run)  # somebody committed the same key after we looked; now we see theirs

    def look(self, query: Callable[[Unit], T]) -> T:
        """Run a query; puts are not flushed."""
        config = self.config()
        return self.store.read(lambda db: query(Unit(db, from_us(db.now_us()), config)))

    def take_in(
        self,
        connection: str,
        partner: str,
        lane: str,
        messages: Sequence[Incoming],
        cursor: tuple[str, str] | None = None,
    ) -> Sequence[Arrived]:
        """Store messages and their work durably, grouped with whatever else waits, with the cursor of a pull."""
        batch = Batch(connection, partner, lane, tuple(messages), cursor)
        arrived: list[Arrived] = self.store.write_batched(self._take_in, batch)
        return arrived

    def due(self, lane: str, tasks: Sequence[str]) -> list[str]:
        """Return the kinds of task that something is due of, in the order given."""
        return self.store.read(lambda db: due_tasks(db, lane, tasks))

    def claim(
        self,
        lane: str,
        task: str,
        limit: int,
        owner: str,
        lease_seconds: float,
        busy: Collection[str] | None = None,
    ) -> list[Claim]:
        """Lease due rows; when none are fresh, one that was started before, alone. With `busy`: of one connection."""
        return self.store.write_unsynced(lambda db: _claim(db, lane, task, limit, owner, lease_seconds, busy))


def _claim(db: Db, *arguments: Any) -> list[Claim]:
    lane, task, limit, owner, lease_seconds, busy = arguments
    fresh = claim(db, lane, task, limit, owner, lease_seconds, alone=False, busy=busy)
    return fresh or claim(db, lane, task, 1, owner, lease_seconds, alone=True, busy=busy)
