"""Records through an identity map: read once, changed in memory, written once per table at the flush."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import uuid_utils

from hub.domain.config import Config
from hub.domain.errors import RetryLater
from hub.domain.event import Event
from hub.domain.link import Link
from hub.domain.order import Order
from hub.store import tables, tables_trade
from hub.store.db import Db
from hub.store.specs import KINDS, SPECS, encoder
from hub.store.types import to_us

R = TypeVar("R")


class RecordsPart:
    """The `Records` port: load, put, emit, links and series of numbers."""

    db: Db
    now: datetime
    config: Config

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.attached: dict[str, Any] = {}
        self._known: dict[tuple[type, str], Any] = {}
        self._read: dict[tuple[type, str], int] = {}
        self._changed: dict[tuple[type, str], Any] = {}
        self._links: list[Link] = []
        self._flushed = 0

    def new_id(self) -> str:
        """Return a fresh UUIDv7 as text."""
        return str(uuid_utils.uuid7())

    def load(self, kind: type[R], ids: Iterable[str]) -> dict[str, R]:
        """Return the records of a kind that exist, by id."""
        wanted = set(ids)
        missing = [each for each in wanted if (kind, each) not in self._known]
        if missing:
            self._fetch(kind, self.db.among("id", "keys"), missing)
        return {each: self._known[kind, each] for each in wanted if (kind, each) in self._known}

    def below(self, kind: type[R], order_ids: Iterable[str]) -> dict[str, list[R]]:
        """Return the records of a kind that belong to orders, by order id, oldest first."""
        wanted = sorted(set(order_ids))
        if wanted:
            self._fetch(kind, self.db.among("order_id", "keys"), wanted)
        found: dict[str, list[R]] = {each: [] for each in wanted}
        for (known_kind, _), record in sorted(self._known.items(), key=lambda entry: entry[0][1]):
            if known_kind is kind and record.order_id in found:
                found[record.order_id].append(record)
        return found

    def numbered(self, kind: type[R], numbers: Iterable[str]) -> dict[str, R]:
        """Return the records of a kind that have one of these numbers, by number."""
        wanted = set(numbers)
        if wanted:
            self._fetch(kind, self.db.among("number", "keys"), sorted(wanted))
        return {r.number: r for (k, _), r in self._known.items() if k is kind and r.number in wanted}

    def load_named(self, kind: str, ids: Iterable[str]) -> Mapping[str, Any]:
        """Return records by the name that events and deliveries give their kind."""
        return self.load(KINDS[kind], ids) if kind in KINDS else {}

    def known_orders(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Order]:
        """Return the orders that exist, by (account, external id)."""
        by_account: dict[str, list[str]] = {}
        for account, external_id in identities:
            by_account.setdefault(account, []).append(external_id)
        for account, external_ids in by_account.items():
            self._fetch(
                Order, f"account = :account AND {self.db.among('external_id', 'keys')}", external_ids, account=account
            )
        orders = (record for (kind, _), record in self._known.items() if kind is Order)
        return {(order.account, order.external_id): order for order in orders}

    def put(self, record: Any) -> None:
        """Store a record at the flush; its version must still be the one that was read."""
        key = (type(record), record.id)
        if key not in self._read:
            self._read[key] = record.version
        self._known[key] = record
        self._changed[key] = record

    def emit(
        self,
        name: str,
        *,
        order_id: str = "",
        subject_kind: str = "",
        subject_id: str = "",
        origin: str = "",
        message_id: str = "",
        partner: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> Event:
        """Note that something happened."""
        event = Event(
            id=self.new_id(), name=name, at=self.now, order_id=order_id, subject_kind=subject_kind,
            subject_id=subject_id, origin=origin, message_id=message_id, partner=partner, detail=dict(detail or {}),
        )  # fmt: skip
        self.events.append(event)
        return event

    def numbers(self, scope: str, count: int) -> int:
        """Take `count` numbers of a series in one statement and return the first."""
        taken = self.db.one(_TAKE, scope=scope, count=count)
        return int(taken[0]) - count + 1

    def links(self, links: Iterable[Link]) -> None:
        """Store our id beside theirs at the flush; a link that exists stays."""
        self._links.extend(links)

    def linked(self, connection: str, kind: str, external_ids: Iterable[str]) -> dict[str, str]:
        """Return our ids by theirs."""
        wanted = self.db.array(sorted(set(external_ids)))
        among = self.db.among("external_id", "keys")
        sql = f"SELECT external_id, our_id FROM links WHERE connection = :connection AND kind = :kind AND {among}"
        return {row[0]: row[1] for row in self.db.all(sql, connection=connection, kind=kind, keys=wanted)}

    def external_ids(self, connection: str, kind: str, our_ids: Iterable[str]) -> dict[str, str]:
        """Return their primary ids by ours."""
        wanted = self.db.array(sorted(set(our_ids)))
        sql = (
            "SELECT our_id, external_id FROM links WHERE connection = :connection AND kind = :kind "
            f"AND role = 'primary' AND {self.db.among('our_id', 'keys')}"
        )
        return {row[0]: row[1] for row in self.db.all(sql, connection=connection, kind=kind, keys=wanted)}

    def _fetch(self, kind: type, where: str, keys: list[str], **values: Any) -> None:
        spec = SPECS[kind]
        rows = self.db.all(
            f"SELECT id, version, doc FROM {spec.table.name} WHERE {where}{spec.only}",
            keys=self.db.array(keys),
            **values,
        )
        for record_id, version, doc in rows:
            key = (kind, record_id)
            if key not in self._known:
                record = spec.decode(doc)
                is_told = record.version == version
                self._known[key] = record if is_told else msgspec.structs.replace(record, version=version)
                self._read[key] = version

    def flush_records(self) -> None:
        """Write every changed record, event and link: one statement per table and kind of change."""
        by_kind: dict[type, list[Any]] = {}
        for (kind, _), record in self._changed.items():
            by_kind.setdefault(kind, []).append(record)
        for kind, records in by_kind.items():
            self._flush_kind(kind, records)
        if orders := by_kind.get(Order):
            self._flush_holds(orders)
        self._changed.clear()
        self._flush_links()
        self._flush_events()

    def _flush_kind(self, kind: type, records: list[Any]) -> None:
        spec = SPECS[kind]
        extra, made = ((), ()) if kind is Order else (("created_us",), (to_us(self.now),))
        created, updates = [], []
        for record in records:
            key = (kind, record.id)
            read = self._read[key]
            stored = msgspec.structs.replace(record, version=read + 1)
            doc = encoder.encode(stored).decode()
            if read == 0:
                created.append((record.id, 1, doc, *made, *spec.values(record)))
            else:
                updates.append((record.id, read, read + 1, doc, *spec.values(record)))
            self._read[key] = read + 1
            self._known[key] = stored
        self.db.insert(spec.table, ("id", "version", "doc", *extra, *spec.columns), created)
        if updates and self.db.update_versioned(spec.table, ("doc", *spec.columns), updates) != len(updates):
            raise RetryLater(f"a {spec.table.name} row changed while it was worked on; the batch runs again", after=0)

    def _flush_holds(self, orders: list[Order]) -> None:
        """Keep one row per open hold, so that one mended cause finds all that it held."""
        seen = [order.id for order in orders if order.holds and order.version]
        if seen:
            self.db.run(f"DELETE FROM holds WHERE {self.db.among('order_id', 'keys')}", keys=self.db.array(seen))
        rows = {(o.id, h.code, h.value): to_us(self.now) for o in orders for h in o.open_holds}
        self.db.insert(
            tables_trade.holds, ("order_id", "code", "value", "placed_us"), [(*key, at) for key, at in rows.items()]
        )

    def _flush_links(self) -> None:
        if not self._links:
            return
        rows = [(k.connection, k.kind, k.external_id, k.our_id, k.role) for k in self._links]
        self.db.insert_new(tables_trade.links, ("connection", "kind", "external_id", "our_id", "role"), rows)
        self._links.clear()

    def _flush_events(self) -> None:
        fresh = self.events[self._flushed :]
        self._flushed = len(self.events)
        rows = [
            (e.id, e.name, to_us(e.at), e.order_id, e.subject_kind, e.subject_id, e.origin, e.message_id, e.partner,
             encoder.encode(e.detail).decode() if e.detail else "")
            for e in fresh
        ]  # fmt: skip
        self.db.insert(tables.events, _EVENT_COLUMNS, rows)


_EVENT_COLUMNS = (
    "id", "name", "at_us", "order_id", "subject_kind", "subject_id", "origin", "message_id", "partner", "detail",
)  # fmt: skip
_TAKE = (
    "INSERT INTO control_numbers (scope, value) VALUES (:scope, :count) "
    "ON CONFLICT (scope) DO UPDATE SET value = control_numbers.value + :count RETURNING value"
)
