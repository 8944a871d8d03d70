"""Deliveries that are not done, and one delivery with all its attempts."""

from __future__ import annotations

from typing import Any

from hub.store.db import Db
from hub.store.looks.overview import STUCK

_ROW = (
    "id, event_id, order_id, route, connection, send, subject_kind, subject_id, lane, partner, state, attempts, "
    "message_id, reference, problem, created_us, begun_us, ended_us"
)
SHOWN = (*STUCK, "begun", "planned")


def deliveries(db: Db, state: str, *, connection: str = "", most: int = 200) -> list[Any]:
    """Return deliveries in an unfinished state, the oldest first; the partial index serves it."""
    where = "state <> 'delivered' AND state = :state AND (:connection = '' OR connection = :connection)"
    return db.all(
        f"SELECT {_ROW} FROM deliveries WHERE {where} ORDER BY created_us LIMIT :most",
        state=state, connection=connection, most=most,
    )  # fmt: skip


def stuck(db: Db, most: int = 200) -> list[Any]:
    """Return the deliveries that wait for a person, the oldest first."""
    return db.all(
        f"SELECT {_ROW} FROM deliveries WHERE state <> 'delivered' AND {db.among('state', 'keys')} "
        "ORDER BY created_us LIMIT :most",
        keys=db.array(STUCK), most=most,
    )  # fmt: skip


def parked_work(db: Db, most: int = 100) -> list[Any]:
    """Return received work that failed again and again and waits for a person."""
    return db.all(
        "SELECT id, lane, task, subject_id, status, attempts, connection, reason FROM work "
        "WHERE status = 'parked' AND task <> 'send' ORDER BY id LIMIT :most",
        most=most,
    )


def delivery(db: Db, delivery_id: str) -> Any:
    """Return one delivery, or None."""
    return db.one(f"SELECT {_ROW} FROM deliveries WHERE id = :id", id=delivery_id)


def attempts(db: Db, delivery_id: str) -> list[Any]:
    """Return the attempts of a delivery."""
    return db.all(
        "SELECT no, begun_us, ended_us, outcome, detail FROM attempts WHERE delivery_id = :id ORDER BY no LIMIT 200",
        id=delivery_id,
    )
