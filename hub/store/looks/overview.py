"""The six numbers, and how much waits where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from hub.domain.work import LANES, Task
from hub.store.db import Db
from hub.store.tables import STUCK

MOST = 10_000
"""Counting stops here; a page then shows `10,000+`."""
DAY_US = 86_400_000_000
OPEN_INCIDENTS = "('open', 'acknowledged', 'fixing')"
UNDER_WAY = ("planned", "begun")
UNSENT = (
    "work w JOIN deliveries d ON d.id = w.subject_id "
    "WHERE w.task = 'send' AND w.status IN ('queued', 'running') AND d.state"
)
"""Where deliveries are looked for that go on by themselves: the queue holds them, and is as small as what waits."""
UNSETTLED = "state <> 'applied' AND state <> 'sent'"
TASKS: tuple[str, ...] = get_args(Task)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What the overview says at a glance. A count above MOST means more than that; ages are in seconds."""

    orders_today: int
    open_incidents: int
    overdue: int
    stuck: int
    oldest: int | None
    down: int


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Work that is due in one lane and of one task: how many rows (up to MOST), and since when (seconds)."""

    lane: str
    task: str
    depth: int
    oldest: int | None


def numbers(db: Db, down: int) -> Numbers:
    """Return the six numbers; `down` comes from the configuration and the incidents of connections."""
    now = db.now_us()
    return Numbers(
        orders_today=_count(db, "orders WHERE received_us >= :since", since=now - now % DAY_US),
        open_incidents=_count(db, f"incidents WHERE state IN {OPEN_INCIDENTS}"),
        overdue=_count(db, "expected_receipts WHERE state = 'due' AND due_us < :now", now=now),
        stuck=stuck(db),
        oldest=max((each.oldest for each in lanes(db) if each.oldest is not None), default=None),
        down=down,
    )


def stuck(db: Db) -> int:
    """Return how much waits for a person: deliveries, and received work that was parked."""
    return _count(db, "deliveries WHERE stuck IS NOT NULL") + _count(
        db, "work WHERE status = 'parked' AND task <> 'send'"
    )


def lanes(db: Db) -> list[Lane]:
    """Return what is due now, one index seek per lane and task."""
    now = db.now_us()
    parts: list[str] = []
    values: dict[str, str] = {}
    for at, (lane, task) in enumerate((lane, task) for lane in LANES for task in TASKS):
        due = f"FROM work WHERE status = 'queued' AND lane = :lane{at} AND task = :task{at} AND due_us <= :now"
        parts.append(
            f"SELECT {at} AS place, (SELECT count(*) FROM (SELECT 1 {due} LIMIT {MOST + 1}) due{at}) AS depth, "
            f"(SELECT min(due_us) {due}) AS oldest"
        )
        values |= {f"lane{at}": lane, f"task{at}": task}
    found = []
    for row in db.all(" UNION ALL ".join(parts), now=now, **values):
        lane, task = LANES[row.place // len(TASKS)], TASKS[row.place % len(TASKS)]
        age = None if row.oldest is None else (now - row.oldest) // 1_000_000
        found.append(Lane(lane=lane, task=task, depth=row.depth, oldest=age))
    return found


def waiting(db: Db, most: int = 50) -> list[Any]:
    """Return work that failed and will be tried again, the soonest first in each lane."""
    found: list[Any] = []
    for lane in LANES:
        for task in TASKS:
            found += db.all(
                "SELECT id, lane, task, subject_id, due_us, attempts, connection, reason FROM work "
                "WHERE status = 'queued' AND lane = :lane AND task = :task AND due_us > :now "
                "ORDER BY due_us LIMIT :most",
                lane=lane, task=task, now=db.now_us(), most=most,
            )  # fmt: skip
    return sorted(found, key=lambda row: row.due_us)[:most]


def overdue(db: Db, most: int = 200) -> list[Any]:
    """Return the receipts that partners owe us, the longest overdue first."""
    return db.all(
        "SELECT r.delivery_id, r.kind, r.connection, r.partner, r.control_key, r.due_us, r.detail, d.send, d.order_id "
        "FROM expected_receipts r LEFT JOIN deliveries d ON d.id = r.delivery_id "
        "WHERE r.state = 'due' AND r.due_us < :now ORDER BY r.due_us LIMIT :most",
        now=db.now_us(), most=most,
    )  # fmt: skip


def state_counts(db: Db) -> Mapping[tuple[str, str], int]:
    """Return bounded counts by (table, state) of what is not finished, for the metrics."""
    kinds: Sequence[tuple[str, str, Sequence[str]]] = (
        ("deliveries", UNSENT, UNDER_WAY),
        ("deliveries", "deliveries WHERE stuck", STUCK),
        ("work", "work WHERE status", ("queued", "running", "parked", "in_doubt")),
        ("incidents", f"incidents WHERE state IN {OPEN_INCIDENTS} AND state", ("open", "acknowledged", "fixing")),
        (
            "messages",
            f"messages WHERE {UNSETTLED} AND state",
            ("received", "framed", "quarantined", "partly_applied", "rejected"),
        ),
    )
    return {
        (table, state): _count(db, f"{rows} = :state", state=state) for table, rows, states in kinds for state in states
    }


def _count(db: Db, rows: str, **values: Any) -> int:
    row = db.one(f"SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT {MOST + 1}) counted", **values)
    return int(row[0])
