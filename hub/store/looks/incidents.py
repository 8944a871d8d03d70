"""Incidents: what needs a person, first."""

from __future__ import annotations

from typing import Any

from hub.store.db import Db
from hub.store.looks.orders import PAGE, Page
from hub.store.looks.overview import OPEN_INCIDENTS

_ROW = (
    'id, fingerprint, "class" AS kind, severity, title, detail, next_action, connection, partner, subject_kind, '
    'subject_id, state, owner, "count" AS times, first_us, last_us'
)
_FIRST = (
    "CASE state WHEN 'open' THEN 0 ELSE 1 END, "
    "CASE severity WHEN 'critical' THEN 0 WHEN 'error' THEN 1 ELSE 2 END, last_us DESC"
)


def open_incidents(db: Db, most: int = 100) -> list[Any]:
    """Return the open causes: those nobody has looked at, then by severity, then the latest."""
    return db.all(
        f"SELECT {_ROW} FROM incidents WHERE state IN {OPEN_INCIDENTS} ORDER BY {_FIRST} LIMIT :most", most=most
    )


def past_incidents(db: Db, *, after: str = "", most: int = PAGE) -> Page:
    """Return all incidents, the newest first, from a cursor on."""
    start = "WHERE id < :after " if after else ""
    values = {"after": after} if after else {}
    found = db.all(f"SELECT {_ROW} FROM incidents {start}ORDER BY id DESC LIMIT :most", most=most + 1, **values)
    return Page(rows=found[:most], after=found[most - 1].id if len(found) > most else "")


def incident(db: Db, incident_id: str) -> Any:
    """Return one incident, or None."""
    return db.one(f"SELECT {_ROW} FROM incidents WHERE id = :id", id=incident_id)


def broken_connections(db: Db) -> dict[str, Any]:
    """Return the open incidents that say a connection cannot be used, by its name."""
    rows = db.all(
        f"SELECT {_ROW} FROM incidents WHERE state IN {OPEN_INCIDENTS} AND subject_kind = 'connection' "
        "AND fingerprint LIKE 'connection/%' LIMIT 1000"
    )
    return {row.subject_id: row for row in rows}
