"""How often a sign-in may fail, per address and per account, before the next try must wait."""

from __future__ import annotations

from collections.abc import Iterable

from hub.store.db import Db

FREE_TRIES = 5
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 30, 900
FORGOTTEN_AFTER_SECONDS = 3600


def wait_seconds(db: Db, subjects: Iterable[str]) -> int:
    """Return how long these (`address:192.0.2.1`, `account:ann@example.com`) must wait; 0 lets them try."""
    sql = f"SELECT max(until_us) FROM sign_in_failures WHERE {db.among('subject', 'keys')}"
    until = db.one(sql, keys=db.array(sorted(subjects)))[0]
    return max(0, -(-(int(until) - db.now_us()) // 1_000_000)) if until else 0


def note_failure(db: Db, subjects: Iterable[str]) -> None:
    """Count a failed sign-in; after the free ones, each doubles the wait. An hour of peace forgets them."""
    now = db.now_us()
    for subject in sorted(subjects):
        row = db.one(
            "INSERT INTO sign_in_failures (subject, count, last_us) VALUES (:subject, 1, :now) "
            "ON CONFLICT (subject) DO UPDATE SET last_us = excluded.last_us, count = 1 + "
            "CASE WHEN sign_in_failures.last_us < :old THEN 0 ELSE sign_in_failures.count END RETURNING count",
            subject=subject, now=now, old=now - FORGOTTEN_AFTER_SECONDS * 1_000_000,
        )  # fmt: skip
        wait = _wait(int(row[0]))
        sql = "UPDATE sign_in_failures SET until_us = :until WHERE subject = :subject"
        db.run(sql, until=now + wait * 1_000_000 if wait else 0, subject=subject)


def forget_failures(db: Db, subjects: Iterable[str]) -> None:
    """Start again after a good sign-in."""
    db.run(f"DELETE FROM sign_in_failures WHERE {db.among('subject', 'keys')}", keys=db.array(sorted(subjects)))


def _wait(count: int) -> int:
    if count < FREE_TRIES:
        return 0
    wait = FIRST_WAIT_SECONDS << min(count - FREE_TRIES, 10)
    return min(LONGEST_WAIT_SECONDS, wait)
