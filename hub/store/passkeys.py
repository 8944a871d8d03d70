"""Passkeys of people (WebAuthn): their public keys, their names, and how far each has counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.domain.errors import Problem, Rejected
from hub.store import audit, tables_sign_in
from hub.store.db import Db
from hub.store.second_factors import drop_lone_codes

MOST = 20
LONGEST_NAME = 60
_COLUMNS = "id, user_id, name, public_key, sign_count, created_us, used_us"


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """One key: its credential id in base64url, its public key in COSE form, and its signature counter."""

    id: str
    user_id: str
    name: str
    public_key: bytes
    sign_count: int
    created_us: int
    used_us: int | None


def add_passkey(db: Db, user_id: str, key_id: str, name: str, public_key: bytes, count: int, *, who: str) -> None:
    """Store a key; raises Rejected where it is known, where there are too many, or where it has no name."""
    name = " ".join(name.split())[:LONGEST_NAME]
    known = passkey(db, key_id) is not None
    if known or not name or len(passkeys_of(db, user_id)) >= MOST:
        text = "is registered already" if known else f"there can be {MOST} at most" if name else "needs a name"
        raise Rejected([Problem(code="passkey", path="passkey", text=text)])
    columns = ("id", "user_id", "name", "public_key", "sign_count", "created_us")
    db.insert(tables_sign_in.passkeys, columns, [(key_id, user_id, name, public_key, count, db.now_us())])
    audit.append(db, who, "passkey.add", user_id, "", name)


def passkey(db: Db, key_id: str) -> Passkey | None:
    """Return a key by its id."""
    row = db.one(f"SELECT {_COLUMNS} FROM passkeys WHERE id = :id", id=key_id)
    return _passkey(row) if row else None


def passkeys_of(db: Db, user_id: str) -> list[Passkey]:
    """Return a user's keys, the oldest first."""
    sql = f"SELECT {_COLUMNS} FROM passkeys WHERE user_id = :user ORDER BY created_us, id"
    return [_passkey(row) for row in db.all(sql, user=user_id)]


def count_use(db: Db, key: Passkey, count: int, *, who: str) -> bool:
    """Note that a key signed; False, and audited, where its counter did not go on: somebody may have a copy of it.

    Keys without a counter always say 0 (WebAuthn level 2, 6.1.1).
    """
    done = db.run(
        "UPDATE passkeys SET sign_count = :count, used_us = :now "
        "WHERE id = :id AND (sign_count < :count OR (sign_count = 0 AND :count = 0))",
        count=count, now=db.now_us(), id=key.id,
    )  # fmt: skip
    if not done:
        said = f"{key.name}: counter {count} after {key.sign_count}; it may have been copied"
        audit.append(db, who, "passkey.refused", key.user_id, "", said)
    return bool(done)


def remove_passkey(db: Db, user_id: str, key_id: str, *, who: str) -> bool:
    """Take a key off; False where this user has no such key."""
    key = passkey(db, key_id)
    if key is None or key.user_id != user_id:
        return False
    db.run("DELETE FROM passkeys WHERE id = :id", id=key_id)
    audit.append(db, who, "passkey.remove", user_id, key.name)
    drop_lone_codes(db, user_id)
    return True


def _passkey(row: Any) -> Passkey:
    return Passkey(
        id=row[0], user_id=row[1], name=row[2], public_key=bytes(row[3]), sign_count=int(row[4]),
        created_us=int(row[5]), used_us=row[6],
    )  # fmt: skip
