"""API keys of programs: a prefix, an id and 256 random bits, of which only the SHA-256 is stored."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hub.domain.errors import Problem, Rejected
from hub.store import audit, tables_config
from hub.store.db import Db
from hub.store.people import hashed

PREFIX = "hub"
_SHAPE = re.compile(r"hub_([0-9a-f]{16})_([0-9a-f]{64})")
_SCOPE = re.compile(r"[a-z][a-z_]*(:[a-z][a-z_]*)?|\*")
_USED_EVERY_US = 60_000_000


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """What a key may do, for whom, and until when (microseconds; None: until it is revoked)."""

    id: str
    name: str
    scopes: tuple[str, ...]
    partner: str = ""
    expires_us: int | None = None
    used_us: int | None = None
    revoked: bool = False


def new_key() -> str:
    """Return a key as its holder keeps it: `hub_<id>_<secret>`. It is shown once."""
    return f"{PREFIX}_{secrets.token_hex(8)}_{secrets.token_hex(32)}"


def keep_key(
    db: Db, text: str, name: str, scopes: Iterable[str], *, partner: str = "", seconds: int | None = None, who: str
) -> ApiKey:
    """Store a fresh `new_key()`. Two keys of one name may be active, so that a program can be moved to the next."""
    scopes = tuple(scopes)
    _check(db, name, scopes)
    key_id, secret = _parts(text)
    now = db.now_us()
    expires = None if seconds is None else now + seconds * 1_000_000
    row = (key_id, name, hashed(secret), " ".join(scopes), partner, now, expires)
    columns = ("id", "name", "secret_hash", "scopes", "partner", "created_us", "expires_us")
    db.insert(tables_config.api_keys, columns, [row])
    audit.append(db, who, "key.add", f"{name} {key_id}", "", " ".join(scopes))
    return ApiKey(id=key_id, name=name, scopes=scopes, partner=partner, expires_us=expires)


def _check(db: Db, name: str, scopes: tuple[str, ...]) -> None:
    problems = [
        Problem(
            code="scope", path="scopes", value=scope, text=f"{scope!r} is no scope; write orders:read, stock:write, *"
        )
        for scope in scopes
        if not _SCOPE.fullmatch(scope)
    ]
    if not scopes:
        problems.append(Problem(code="scope", path="scopes", text="a key without a scope may do nothing; name one"))
    if not name:
        problems.append(Problem(code="name", path="name", text="a key needs a name that says which program uses it"))
    active = db.one(
        "SELECT count(*) FROM api_keys WHERE name = :name AND revoked_us IS NULL "
        "AND (expires_us IS NULL OR expires_us > :now)",
        name=name, now=db.now_us(),
    )[0]  # fmt: skip
    if active >= 2:
        problems.append(Problem(code="too_many", path="name", text=f"{name} has two active keys; revoke one first"))
    if problems:
        raise Rejected(problems)


def key_for(db: Db, text: str) -> tuple[ApiKey, bool] | None:
    """Return the key that a bearer shows, and whether `touch_key` is due; None where it is not good."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    row = db.one(f"SELECT {_KEY}, secret_hash FROM api_keys WHERE id = :id", id=found[1])
    if row is None or not hmac.compare_digest(row[7], hashed(found[2])):
        return None
    now, key = db.now_us(), _key(row)
    if key.revoked or (key.expires_us is not None and key.expires_us <= now):
        return None
    return key, key.used_us is None or now - key.used_us > _USED_EVERY_US


def touch_key(db: Db, key_id: str) -> None:
    """Note that a key was used; at most once a minute is enough."""
    db.run("UPDATE api_keys SET used_us = :now WHERE id = :id", now=db.now_us(), id=key_id)


def revoke_key(db: Db, key_id: str, *, who: str) -> bool:
    """End a key; returns False where there is none that is active."""
    sql = "UPDATE api_keys SET revoked_us = :now WHERE id = :id AND revoked_us IS NULL"
    if not db.run(sql, now=db.now_us(), id=key_id):
        return False
    audit.append(db, who, "key.revoke", key_id)
    return True


def api_keys(db: Db) -> list[ApiKey]:
    """Return every key, by name; never its secret."""
    return [_key(row) for row in db.all(f"SELECT {_KEY} FROM api_keys ORDER BY name, created_us")]


_KEY = "id, name, scopes, partner, expires_us, used_us, revoked_us"


def _key(row: Any) -> ApiKey:
    return ApiKey(
        id=row[0], name=row[1], scopes=tuple(row[2].split()), partner=row[3], expires_us=row[4], used_us=row[5],
        revoked=row[6] is not None,
    )  # fmt: skip


def _parts(text: str) -> tuple[str, str]:
    _, key_id, secret = text.split("_")
    return key_id, secret
