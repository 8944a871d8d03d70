"""What a restored database must know: that it went back in time, and what may have happened since and is not in it.

What was queued then may have been sent since, so it is in doubt: looked up where their side can be asked, sent again
under the same key where they know our keys, else a person decides. What was received and not worked through waits for a
person, because it would go out under new keys. Control numbers that may have been given out are left out.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from hub.domain.errors import Problem
from hub.domain.incident import Incident
from hub.store import audit, tables
from hub.store.db import Db
from hub.store.incidents import open_incident
from hub.store.types import from_us

GAP = 1_000
"""Control numbers of each series that are left out where nobody says how many."""
_HELD = "SELECT DISTINCT subject_id FROM work WHERE task IN ('ingest', 'frame') AND status IN ('queued', 'running')"
_QUEUED = """
state IN ('planned', 'begun', 'in_doubt')
AND id IN (SELECT subject_id FROM work WHERE task = 'send' AND status IN ('queued', 'running'))
"""
_WHY = "this database was restored; the message may have been worked through after the backup, and its documents sent"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was marked: deliveries in doubt by connection, messages that wait, series of control numbers, since when."""

    since: datetime
    doubted: dict[str, int]
    held: int
    series: int
    gap: int


def mark_restored(db: Db, *, who: str, gap: int = GAP) -> Restored:
    """Mark what may have happened after the backup, with one incident that says whom to ask for what."""
    since = from_us(_last_sign(db))
    doubted = _doubt(db)
    held = _hold(db)
    series = _step(db, gap)
    found = Restored(since=since, doubted=doubted, held=held, series=series, gap=gap)
    audit.append(db, who, "database.restored", "", "", msgspec.json.encode(found).decode())
    open_incident(db, db.now_us(), _incident(found))
    return found


def _last_sign(db: Db) -> int:
    """Return when anything happened last in what was restored: what came later is unknown here."""
    looks = ("max(received_us) FROM messages", "max(begun_us) FROM attempts", "max(at_us) FROM audit")
    return max(int(db.one(f"SELECT {each}")[0] or 0) for each in looks)


def _doubt(db: Db) -> dict[str, int]:
    """Let every delivery that is queued look as if its attempt had been cut off: that is what may have happened.

    One that a person had let go is no exception, and so becomes `begun`, which nobody has decided about.
    """
    rows = db.all(f"SELECT connection, count(*) FROM deliveries WHERE {_QUEUED} GROUP BY connection")
    db.run(f"UPDATE deliveries SET state = 'begun' WHERE {_QUEUED}")
    return {row[0]: int(row[1]) for row in sorted(rows)}


def _hold(db: Db) -> int:
    ids = [row[0] for row in db.all(_HELD)]
    problems = msgspec.json.encode([Problem(code="restored", text=_WHY)]).decode()
    states = [(each, "quarantined", problems) for each in ids]
    db.update(tables.messages, ("id",), ("state", "problems"), states)
    db.run(
        "UPDATE work SET status = 'parked', reason = :reason "
        "WHERE task IN ('ingest', 'frame') AND status IN ('queued', 'running')",
        reason=_WHY,
    )
    return len(ids)


def _step(db: Db, gap: int) -> int:
    """Leave numbers out of every series, each with a row that says why."""
    series = db.all("SELECT scope, value FROM control_numbers")
    skipped = [
        (scope, number, "left out by a restore")
        for scope, value in series
        for number in range(int(value) + 1, int(value) + gap + 1)
    ]
    db.run("UPDATE control_numbers SET value = value + :gap", gap=gap)
    db.insert(tables.controls_issued, ("scope", "number", "delivery_id"), skipped)
    return len(series)


def _incident(found: Restored) -> Incident:
    since = found.since.astimezone(UTC).isoformat(timespec="seconds")
    counts = ", ".join(f"{name} {count}" for name, count in found.doubted.items())
    asked = f"{sum(found.doubted.values())} deliveries may have been sent since ({counts})" if counts else "none waited"
    return Incident(
        fingerprint=f"restored/{since}",
        kind="missing",
        severity="critical",
        title=f"this database was restored; what happened after {since} is not in it",
        detail=f"queued deliveries: {asked}. Messages that were not worked through and wait now: {found.held}. "
        f"{found.gap} control numbers were left out of each of {found.series} series. Orders that came after the "
        "backup and come again, by a poll or from their sender, go out under new keys.",
        next_action="ask each partner what they had from us after that time; decide what is in doubt; take in again "
        "what waits and they do not have (`hub replay --connection NAME --go`, or the messages by id); resolve this",
        subject_kind="database",
    )
