"""What the pipeline and the operations ask of the store: one unit of work, set-based, flushed once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from hub.domain.config import Config
from hub.domain.event import Event
from hub.domain.inbox import DocumentRow, FrameRow, GroupRow, MessageEnd
from hub.domain.incident import Incident
from hub.domain.link import Link
from hub.domain.message import Incoming, Message
from hub.domain.order import Order
from hub.domain.route import Delivery, ExpectedReceipt, Leg
from hub.domain.stock import Item, Listing, StockLevel, StockMovement
from hub.domain.work import Claim, WorkItem

R = TypeVar("R")
T = TypeVar("T")


class Arrival(Protocol):
    """A stored message, new or seen before."""

    @property
    def message_id(self) -> str:
        """Return the id under which it is stored."""

    @property
    def repeated(self) -> bool:
        """Say whether it had been stored before."""


class Records(Protocol):
    """Records, read through an identity map; `put` and `emit` are written in bulk when the unit is flushed."""

    now: datetime
    config: Config
    events: list[Event]
    attached: dict[str, Any]
    """Event id -> the document that caused it, for the operations of this unit."""

    def new_id(self) -> str:
        """Return a fresh UUIDv7 as text."""

    def load(self, kind: type[R], ids: Iterable[str]) -> dict[str, R]:
        """Return the records of a kind that exist, by id."""

    def below(self, kind: type[R], order_ids: Iterable[str]) -> dict[str, list[R]]:
        """Return the records of a kind that belong to orders, by order id, oldest first."""

    def numbered(self, kind: type[R], numbers: Iterable[str]) -> dict[str, R]:
        """Return the records of a kind that have one of these numbers, by number."""

    def load_named(self, kind: str, ids: Iterable[str]) -> Mapping[str, Any]:
        """Return records by the name that events and deliveries give their kind (order, shipment, invoice, …)."""

    def known_orders(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Order]:
        """Return the orders that exist, by (account, external id)."""

    def put(self, record: Any) -> None:
        """Store a record: version 0 is new, any other must still be the stored version when the unit is flushed."""

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
        """Note that something happened; operations and routes hear it in this same transaction."""

    def numbers(self, scope: str, count: int) -> int:
        """Take `count` numbers of a series in one statement and return the first."""

    def links(self, links: Iterable[Link]) -> None:
        """Store our id beside theirs; a link that exists stays."""

    def linked(self, connection: str, kind: str, external_ids: Iterable[str]) -> dict[str, str]:
        """Return our ids by theirs."""

    def external_ids(self, connection: str, kind: str, our_ids: Iterable[str]) -> dict[str, str]:
        """Return their primary ids by ours."""

    def incident(self, incident: Incident) -> None:
        """Open an incident, or count it where its fingerprint is open already."""

    def resolve(self, fingerprints: Iterable[str]) -> None:
        """Close incidents whose cause is gone."""

    def later(self, items: Iterable[WorkItem]) -> None:
        """Add work."""

    def plan(self, legs: Iterable[Leg]) -> None:
        """Turn legs into deliveries with their work; a leg of one event to one connection is planned once."""

    def planned_lanes(self) -> set[str]:
        """Return the lanes that get work when this unit commits."""


class Goods(Protocol):
    """Items and stock."""

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Return items by id."""

    def listings(self, connection: str, skus: Iterable[str]) -> dict[str, str]:
        """Return item ids by what a connection (or partner) calls them."""

    def items_by_sku(self, skus: Iterable[str]) -> dict[str, str]:
        """Return item ids by our own SKU."""

    def items_by_gtin(self, gtins: Iterable[str]) -> dict[str, str]:
        """Return item ids by GTIN (14 digits)."""

    def channels(self, item_ids: Iterable[str]) -> list[Listing]:
        """Return every listing of these items."""

    def stock(self, item_ids: Iterable[str]) -> list[StockLevel]:
        """Return and lock the stock rows of these items, in (item, location) order."""

    def stock_at(self, location_ids: Iterable[str]) -> list[StockLevel]:
        """Return and lock every stock row of these locations, in (item, location) order."""

    def stock_rows(self, keys: Iterable[tuple[str, str]]) -> None:
        """Make and lock the rows of these (item, location) that are not there yet."""

    def counted(self, item_id: str, location_id: str, at: datetime) -> None:
        """Note the source time of a count that was applied, so that an older one has no effect."""

    def waiting(self, item_ids: Iterable[str], limit: int) -> list[str]:
        """Return the orders that wait for these items, oldest first."""

    def stock_seen(self, item_ids: Iterable[str]) -> list[StockLevel]:
        """Return stock rows without locking them."""

    def move(self, movement: StockMovement) -> None:
        """Append a movement; the level changes by its deltas when the unit is flushed, all at once."""


class Inbox(Protocol):
    """Messages in, and what became of them."""

    def messages(self, ids: Iterable[str]) -> dict[str, Message]:
        """Return messages with their bodies."""

    def frames(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[FrameRow, Message, bytes]]:
        """Return (frame, its message without body, the frame's bytes) by (message id, first)."""

    def add_frames(self, frames: Sequence[FrameRow], state: Mapping[str, str]) -> None:
        """Store the frames of messages, with the work to do them; `state` is each message's envelope as JSON."""

    def frames_done(self, message_ids: Sequence[str]) -> list[str]:
        """Count frames off (one per entry) and return the ids of the messages whose last frame this was."""

    def add_documents(self, rows: Sequence[DocumentRow]) -> None:
        """Store what became of documents."""

    def wake(self, subject_ids: Sequence[str]) -> Sequence[WorkItem]:
        """Return the work to take messages in again whose document waits for one of these subjects."""

    def documents_of(self, message_id: str) -> list[DocumentRow]:
        """Return the documents of a message by ordinal."""

    def results(self, message_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return the stored results of the documents of messages, by ordinal."""

    def add_groups(self, rows: Iterable[GroupRow]) -> None:
        """Store the envelopes of groups; one that is stored already stays."""

    def groups(self, message_ids: Iterable[str]) -> dict[str, list[GroupRow]]:
        """Return the groups of messages by place."""

    def reused(self, message_ids: Iterable[str]) -> set[str]:
        """Return the messages whose control number came before on their connection, with other bytes, and was taken."""

    def end_messages(self, ends: Sequence[MessageEnd]) -> None:
        """Store how messages ended."""

    def take_messages(self, arrivals: Sequence[tuple[Message, Sequence[WorkItem]]]) -> None:
        """Store messages that came as answers to deliveries, with their work."""

    def cursor(self, connection: str, kind: str) -> str:
        """Return where the last pull of a kind stopped; empty at the beginning."""


class Outbox(Protocol):
    """Deliveries and their attempts."""

    def deliveries(self, ids: Iterable[str]) -> dict[str, Delivery]:
        """Return deliveries by id."""

    def outgoing(self, message_ids: Iterable[str]) -> dict[str, Message]:
        """Return the messages that were built for deliveries, with their bodies."""

    def begin(self, begun: Sequence[tuple[Delivery, Message | None]]) -> None:
        """Mark an attempt as begun, and store the message where it was built now."""

    def end(self, ended: Sequence[tuple[Delivery, str, str]]) -> None:
        """Store (delivery with its new state, outcome, detail) for the attempt under way."""

    def control_numbers(self, scope: str, count: int, *, delivery_ids: Sequence[str]) -> list[int]:
        """Take control numbers, each noted with the delivery it is for."""

    def redo(self, event_ids: Iterable[str], *, rebuild: bool) -> set[str]:
        """Queue the ended deliveries of these causes again; `rebuild` writes them anew, else the same bytes go."""

    def planned_before(self, event_ids: Iterable[str]) -> set[tuple[str, str]]:
        """Return (cause, subject) of the deliveries that these causes have already."""

    def issued(self, numbers: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Return the delivery that each control number (scope, number) was taken for."""

    def expect(self, receipts: Sequence[ExpectedReceipt]) -> None:
        """Note what they owe us for deliveries that were just written; a document written anew begins a new clock."""

    def awaiting(self, kind: str, connections: Iterable[str], subjects: Iterable[str]) -> list[str]:
        """Return the deliveries of these records for which a receipt of a kind has not come."""

    def came(self, receipts: Sequence[tuple[str, str, str, str]]) -> set[tuple[str, str]]:
        """Store (delivery, kind, state, detail) of what came; return (connection, kind) that are not late any more."""

    def judge(self, judged: Sequence[Delivery]) -> None:
        """Store what their receiver said of deliveries that had ended; their attempts and times stay."""

    def undoubt(self, delivery_ids: Iterable[str]) -> None:
        """Take deliveries off the queue whose doubt is over, because their receiver spoke of them."""

    def has_overdue(self) -> bool:
        """Say whether `overdue` would find anything."""

    def overdue(self) -> list[ExpectedReceipt]:
        """Mark what was not acknowledged in time, and return it."""

    def again(self, delivery_ids: Iterable[str]) -> None:
        """Queue delivered ones again, the same bytes under the same key: what proves their arrival did not come."""


class Kept(Protocol):
    """What is kept beside the messages that are taken in."""

    def arrive(self, connection: str, partner: str, lane: str, messages: Sequence[Incoming]) -> Sequence[Arrival]:
        """Store messages with their work within this unit, as `Store.take_in` does alone."""

    def keep(self, messages: Sequence[Message], state: str) -> None:
        """Store messages that nobody works on; an event id that is taken raises, and the unit runs again."""

    def kept(self, connection: str, event_ids: Iterable[str]) -> dict[str, Message]:
        """Return the messages of a connection that have these event ids, with their bodies."""

    def plan_written(self, leg: Leg, message_id: str) -> None:
        """Plan a delivery whose bytes are kept already."""

    def is_open(self, fingerprint: str) -> bool:
        """Say whether there is an open incident of this cause."""


class Queue(Protocol):
    """The claims that this unit acts on."""

    def fence(self, claims: Sequence[Claim]) -> set[int]:
        """Take these rows off the queue and return the ids that were still ours; others belong to somebody else."""

    def renew(self, claims: Sequence[Claim], seconds: float) -> set[int]:
        """Lengthen leases and return the ids that are still ours."""

    def put_back(self, claims: Sequence[Claim], *, after: float | None, reason: str) -> None:
        """Queue rows again after so many seconds (None: backoff with jitter by the number of attempts)."""

    def park(self, claims: Sequence[Claim], *, status: str, reason: str) -> None:
        """Keep rows for a person; they hold their key until they are resolved."""


class Unit(Records, Goods, Inbox, Outbox, Kept, Queue, Protocol):
    """Everything one transaction may do."""


class Store(Protocol):
    """The record. A closure given to `transact` may run twice and does no I/O."""

    def transact(self, work: Callable[[Unit], T]) -> T:
        """Run, flush and commit; durable when it returns."""

    def look(self, query: Callable[[Unit], T]) -> T:
        """Run a query without a transaction of its own; puts are not flushed."""

    def take_in(
        self,
        connection: str,
        partner: str,
        lane: str,
        messages: Sequence[Incoming],
        cursor: tuple[str, str] | None = None,
    ) -> Sequence[Arrival]:
        """Store messages and their work durably (grouped with others that wait), with the cursor of a pull."""

    def due(self, lane: str, tasks: Sequence[str]) -> list[str]:
        """Return the kinds of task that something is due of, in the order given; takes no lock."""

    def claim(
        self,
        lane: str,
        task: str,
        limit: int,
        owner: str,
        lease_seconds: float,
        busy: Collection[str] | None = None,
    ) -> list[Claim]:
        """Lease due rows, none whose key has an earlier unfinished row.

        With `busy`, the rows are of one connection: the one that has waited longest and is none of these.
        """
