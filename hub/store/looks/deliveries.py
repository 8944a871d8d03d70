"""Deliveries that are not done, and one delivery with all its attempts."""

from __future__ import annotations

from typing import Any

from hub.store.db import Db
from hub.store.looks.overview import UNDER_WAY, UNSENT
from hub.store.tables import STUCK

_COLUMNS = (
    "id", "event_id", "order_id", "route", "connection", "send", "subject_kind", "subject_id", "lane", "partner",
    "state", "attempts", "message_id", "reference", "problem", "created_us", "begun_us", "ended_us",
)  # fmt: skip
_ROW = ", ".join(f"d.{name}" for name in _COLUMNS)
SHOWN = (*STUCK, *reversed(UNDER_WAY))


def deliveries(db: Db, state: str, *, connection: str = "", most: int = 200) -> list[Any]:
    """Return deliveries in an unfinished state, the oldest first: by the index of what is stuck, or by the queue."""
    rows, first = (UNSENT, "w.id") if state in UNDER_WAY else ("deliveries d WHERE d.stuck", "d.created_us")
    return db.all(
        f"SELECT {_ROW} FROM {rows} = :state AND (:connection = '' OR d.connection = :connection) "
        f"ORDER BY {first} LIMIT :most",
        state=state, connection=connection, most=most,
    )  # fmt: skip


def stuck(db: Db, most: int = 200) -> list[Any]:
    """Return the deliveries that wait for a person, the oldest first."""
    return db.all(
        f"SELECT {_ROW} FROM deliveries d WHERE d.stuck IS NOT NULL ORDER BY d.created_us LIMIT :most", most=most
    )


def parked_work(db: Db, most: int = 100) -> list[Any]:
    """Return received work that failed again and again and waits for a person."""
    return db.all(
        "SELECT id, lane, task, subject_id, status, attempts, connection, reason FROM work "
        "WHERE status = 'parked' AND task <> 'send' ORDER BY id LIMIT :most",
        most=most,
    )


def delivery(db: Db, delivery_id: str) -> Any:
    """Return one delivery, or None."""
    return db.one(f"SELECT {_ROW} FROM deliveries d WHERE d.id = :id", id=delivery_id)


def attempts(db: Db, delivery_id: str) -> list[Any]:
    """Return the attempts of a delivery."""
    return db.all(
        "SELECT no, begun_us, ended_us, outcome, detail FROM attempts WHERE delivery_id = :id ORDER BY no LIMIT 200",
        id=delivery_id,
    )
