"""The tables of the pipeline: what came in, what is to be done, what went out, what went wrong.

Ids are UUIDv7 text made by us (no round trip), times are UTC microseconds, JSON is text. `work.id` is the one
id made by the database: it is the order of arrival that `order_key` keeps.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()
Serial = BigInteger().with_variant(Integer, "sqlite")
STUCK = ("refused", "parked", "dead", "in_doubt")
"""The states in which a delivery waits for a person."""
ROOMY = {"fillfactor": 35}
"""For rows that are changed soon after they were stored: their new version lies beside them and moves no index."""
CHURNED = {"autovacuum_vacuum_scale_factor": 0.0, "autovacuum_vacuum_threshold": 2000}
"""For the queue, whose rows come and go: what is gone is swept away by count, not by a share of the table."""


def string(name: str, *, null: bool = False, **options: object) -> Column[str]:
    """Return a text column that is NOT NULL with '' as default, or nullable."""
    if null:
        return Column(name, Text, nullable=True)
    return Column(name, Text, nullable=False, server_default="", **options)  # type: ignore[arg-type]


def number(name: str, *, null: bool = False) -> Column[int]:
    """Return a BIGINT column: a count, micros or microseconds."""
    return Column(name, BigInteger, nullable=null, server_default=None if null else "0")


def partial(name: str, *columns: Column[Any], where: str, unique: bool = False) -> Index:
    """Return an index of the rows that fulfil a condition; the others cost nothing."""
    return Index(name, *columns, unique=unique, postgresql_where=text(where), sqlite_where=text(where))


messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    string("connection"),
    string("partner"),
    string("direction"),
    string("kind"),
    string("event_id", null=True),
    string("control_key", null=True),
    string("order_key"),
    string("content_type"),
    string("name"),
    number("size"),
    string("sha256"),
    number("received_us"),
    string("state"),
    number("chunks"),
    number("frames_left"),
    Column("body", LargeBinary, nullable=True),
    string("envelope"),
    string("problems"),
)
partial("messages_event", messages.c.connection, messages.c.event_id, where="event_id IS NOT NULL", unique=True)
partial("messages_control", messages.c.connection, messages.c.control_key, where="control_key IS NOT NULL")
partial("messages_unsettled", messages.c.state, messages.c.received_us, where="state <> 'applied' AND state <> 'sent'")

message_chunks = Table(
    "message_chunks",
    metadata,
    string("message_id"),
    number("no"),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("message_id", "no"),
)

frames = Table(
    "frames",
    metadata,
    string("message_id"),
    number("first"),
    number("start"),
    number("length"),
    number("count"),
    Column("context", LargeBinary, nullable=True),
    PrimaryKeyConstraint("message_id", "first"),
)

message_groups = Table(
    "message_groups",
    metadata,
    string("message_id"),
    number("place"),
    string("facts"),
    PrimaryKeyConstraint("message_id", "place"),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),
    string("message_id"),
    number("ordinal"),
    string("kind"),
    string("set_id"),
    string("connection"),
    string("partner"),
    string("state"),
    string("mapping_sha"),
    string("subject_id"),
    string("reference"),
    string("result"),
    number("created_us"),
    UniqueConstraint("message_id", "ordinal", name="documents_ordinal"),
)
Index("documents_subject", documents.c.subject_id)

work = Table(
    "work",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    string("lane"),
    string("task"),
    string("subject_id"),
    number("part"),
    string("order_key", null=True),
    string("status"),
    string("outcome"),
    number("due_us"),
    number("starts"),
    number("attempts"),
    number("lease_us"),
    number("epoch"),
    string("owner"),
    string("connection"),
    string("partner"),
    string("reason"),
    sqlite_autoincrement=True,
    postgresql_with=CHURNED,
)
partial("work_due", work.c.lane, work.c.task, work.c.due_us, work.c.id, where="status = 'queued'")
partial("work_key", work.c.order_key, work.c.id, where="order_key IS NOT NULL")
partial("work_running", work.c.id, where="status = 'running'")
Index("work_subject", work.c.subject_id)

events = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    string("name"),
    number("at_us"),
    string("order_id"),
    string("subject_kind"),
    string("subject_id"),
    string("origin"),
    string("message_id"),
    string("partner"),
    string("detail"),
)
Index("events_order", events.c.order_id, events.c.id)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    string("event_id"),
    string("order_id"),
    string("route"),
    string("connection"),
    string("send"),
    string("subject_kind"),
    string("subject_id"),
    string("order_key"),
    string("lane"),
    string("partner"),
    string("state"),
    number("attempts"),
    string("message_id"),
    string("reference"),
    string("problem"),
    number("created_us"),
    number("begun_us"),
    number("ended_us"),
    Column("stuck", Text, Computed(f"CASE WHEN state IN {STUCK} THEN state END", persisted=True)),
    UniqueConstraint("event_id", "connection", "send", "subject_id", name="deliveries_leg"),
    postgresql_with=ROOMY,
)
"""`stuck` is the state where it waits for a person. No other state is in an index: begun and ended change none."""
Index("deliveries_order", deliveries.c.order_id)
partial("deliveries_stuck", deliveries.c.stuck, deliveries.c.connection, where="stuck IS NOT NULL")

attempts = Table(
    "attempts",
    metadata,
    string("delivery_id"),
    number("no"),
    number("begun_us"),
    number("ended_us", null=True),
    string("outcome"),
    string("detail"),
    PrimaryKeyConstraint("delivery_id", "no"),
    postgresql_with=ROOMY,
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    string("fingerprint"),
    string("class"),
    string("severity"),
    string("title"),
    string("detail"),
    string("next_action"),
    string("connection"),
    string("partner"),
    string("subject_kind"),
    string("subject_id"),
    string("state"),
    string("owner"),
    number("count"),
    number("first_us"),
    number("last_us"),
)
partial("incidents_open", incidents.c.fingerprint, where="state IN ('open', 'acknowledged', 'fixing')", unique=True)

cursors = Table(
    "cursors",
    metadata,
    string("connection"),
    string("kind"),
    string("cursor"),
    number("updated_us"),
    number("next_us"),
    string("problem"),
    PrimaryKeyConstraint("connection", "kind"),
)

control_numbers = Table(
    "control_numbers",
    metadata,
    Column("scope", Text, primary_key=True),
    number("value"),
)

controls_issued = Table(
    "controls_issued",
    metadata,
    string("scope"),
    number("number"),
    string("message_id"),
    string("delivery_id"),
    PrimaryKeyConstraint("scope", "number"),
)

expected_receipts = Table(
    "expected_receipts",
    metadata,
    string("delivery_id"),
    string("kind"),
    string("connection"),
    string("partner"),
    string("control_key"),
    number("due_us"),
    string("state"),
    string("detail"),
    PrimaryKeyConstraint("delivery_id", "kind"),
)
Index("expected_receipts_control", expected_receipts.c.connection, expected_receipts.c.control_key)
partial("expected_receipts_due", expected_receipts.c.due_us, where="state = 'due'")

processes = Table(
    "processes",
    metadata,
    Column("id", Text, primary_key=True),
    string("role"),
    string("lanes"),
    number("started_us"),
    number("seen_us"),
)
