"""Sign-ins that fail slow the next one down, per address and per account. Every try counts before it is made."""

from __future__ import annotations

from collections.abc import Sequence

from hub.store.db import Db

FREE_TRIES = {"account": 5, "address": 20}
LONGEST_WAIT = 300
FORGOTTEN_AFTER = 3600
_SECOND = 1_000_000
_COUNT = """
INSERT INTO sign_in_failures (subject, count, last_us, until_us) VALUES (:subject, 1, :now, 0)
ON CONFLICT (subject) DO UPDATE SET
    count = CASE WHEN sign_in_failures.last_us < :old THEN 1 ELSE sign_in_failures.count + 1 END, last_us = :now
RETURNING count
"""


def admit(db: Db, subjects: Sequence[str]) -> int:
    """Count a try for each subject (`address:…`, `account:…`) and return 0, or the seconds to wait instead.

    The try is counted before the password is looked at, so that many at once gain nothing.
    """
    now = db.now_us()
    row = db.one(
        f"SELECT max(until_us) FROM sign_in_failures WHERE {db.among('subject', 'keys')}",
        keys=db.array(sorted(subjects)),
    )
    if row[0] is not None and row[0] > now:
        return -(-(int(row[0]) - now) // _SECOND)
    for subject in subjects:
        tries = int(db.one(_COUNT, subject=subject, now=now, old=now - FORGOTTEN_AFTER * _SECOND)[0])
        wait = _wait(subject, tries)
        if wait:
            db.run(
                "UPDATE sign_in_failures SET until_us = :until WHERE subject = :subject",
                until=now + wait * _SECOND, subject=subject,
            )  # fmt: skip
    return 0


def forget(db: Db, subjects: Sequence[str]) -> None:
    """Clear the count of subjects that proved who they are, and of all that are long past."""
    old = db.now_us() - 24 * FORGOTTEN_AFTER * _SECOND
    db.run("DELETE FROM sign_in_failures WHERE last_us < :old", old=old)
    db.run(f"DELETE FROM sign_in_failures WHERE {db.among('subject', 'keys')}", keys=db.array(sorted(subjects)))


def _wait(subject: str, tries: int) -> int:
    """Return seconds to wait after so many tries: nothing at first, then doubling."""
    beyond = tries - FREE_TRIES[subject.partition(":")[0]]
    return 0 if beyond < 0 else min(LONGEST_WAIT, int(2 ** min(beyond + 1, 20)))
