"""Who changed what: append-only rows, each sealed with the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from hub.store import tables_config
from hub.store.db import Db

_LOCK = 726_001
_COLUMNS = ("no", "at_us", "who", "what", "subject", "before", "after", "previous_sha", "sha256")
_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Verified:
    """How far the chain holds: rows read, the seal of the last good one, and the number of the first bad row."""

    rows: int
    last_sha: str
    broken_at: int | None = None
    reason: str = ""


def append(db: Db, who: str, what: str, subject: str, before: str = "", after: str = "") -> int:
    """Write one line in the transaction of the change it tells of, and return its number. No secrets in it."""
    if db.postgres:
        db.one("SELECT pg_advisory_xact_lock(:key)", key=_LOCK)
    last = db.one("SELECT no, sha256 FROM audit ORDER BY no DESC LIMIT 1")
    number, previous = (int(last[0]) + 1, last[1]) if last else (1, "")
    facts = (number, db.now_us(), who, what, subject, before, after, previous)
    db.insert(tables_config.audit, _COLUMNS, [(*facts, _seal(facts))])
    return number


def verify(db: Db) -> Verified:
    """Read the whole chain, a page at a time, and say where it breaks: a changed, removed or inserted row."""
    number, previous, rows = 0, "", 0
    sql = f"SELECT {', '.join(_COLUMNS)} FROM audit WHERE no > :after ORDER BY no LIMIT {_PAGE}"
    while page := db.all(sql, after=number):
        for row in page:
            reason = _fault(row, number + 1, previous)
            if reason:
                return Verified(rows=rows, last_sha=previous, broken_at=int(row[0]), reason=reason)
            number, previous, rows = int(row[0]), row[8], rows + 1
    return Verified(rows=rows, last_sha=previous)


def _fault(row: Any, expected: int, previous: str) -> str:
    if int(row[0]) != expected:
        return f"row {expected} is missing"
    if row[7] != previous:
        return f"row {expected} does not follow the row before it"
    if _seal(tuple(row[:8])) != row[8]:
        return f"row {expected} was changed after it was written"
    return ""


def _seal(facts: tuple[Any, ...]) -> str:
    return hashlib.sha256(json.dumps(list(facts), ensure_ascii=False).encode()).hexdigest()
