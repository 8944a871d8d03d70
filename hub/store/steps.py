"""Steps of a sign-in that are half done: what one request proved or asked, kept for the next and used up once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.store import tables_sign_in
from hub.store.db import Db
from hub.store.people import hashed

STEP_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Step:
    """What was kept: about whom ('' is not known yet), and what."""

    user_id: str
    value: Mapping[str, Any]


def keep_step(db: Db, token: str, kind: str, user_id: str, value: Mapping[str, Any]) -> None:
    """Store a step under a fresh random token, which only the browser keeps. Old ones are swept away."""
    now = db.now_us()
    db.run("DELETE FROM sign_in_steps WHERE expires_us < :now", now=now)
    row = (hashed(token), kind, user_id, json.dumps(dict(value)), now + STEP_SECONDS * 1_000_000)
    db.insert(tables_sign_in.sign_in_steps, ("token_hash", "kind", "user_id", "value", "expires_us"), [row])


def look_at_step(db: Db, token: str, kind: str) -> Step | None:
    """Return a step without using it up; None where it is unknown, used or too old."""
    row = db.one(
        "SELECT user_id, value FROM sign_in_steps WHERE token_hash = :hash AND kind = :kind AND expires_us > :now",
        hash=hashed(token), kind=kind, now=db.now_us(),
    )  # fmt: skip
    return Step(user_id=row[0], value=json.loads(row[1])) if row else None


def take_step(db: Db, token: str, kind: str) -> Step | None:
    """Use a step up and return it; None where it is unknown, used or too old."""
    rows = db.all(
        "DELETE FROM sign_in_steps WHERE token_hash = :hash AND kind = :kind AND expires_us > :now "
        "RETURNING user_id, value",
        hash=hashed(token), kind=kind, now=db.now_us(),
    )  # fmt: skip
    return Step(user_id=rows[0][0], value=json.loads(rows[0][1])) if rows else None
