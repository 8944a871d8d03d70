"""Who may sign in: users with a role, one-time sign-in tokens, and sessions that live on the server."""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import uuid_utils
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.domain.errors import Problem, Rejected
from hub.store import audit, tables_config
from hub.store.db import Db

Role = Literal["owner", "admin", "mapper", "operator", "support", "auditor", "partner", "supplier"]
ROLES: tuple[Role, ...] = get_args(Role)
OUTSIDERS = ("partner", "supplier")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 15, 1024
TOKEN_SECONDS = 24 * 3600
SESSION_SECONDS, IDLE_SECONDS = 12 * 3600, 3600
_SEEN_EVERY_US = 60_000_000


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who may sign in. `partner` is set for partners and suppliers, who see only their own."""

    id: str
    email: str
    role: Role
    partner: str = ""
    disabled: bool = False


@dataclass(frozen=True, kw_only=True)
class Passwords:
    """argon2id, a few at a time: each takes a third of a second and 64 MB. Never called inside a write closure."""

    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(2))

    def hash(self, password: str) -> str:
        """Return the hash to store; raises Rejected where the password is too short or too long."""
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            text = f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a few words do"
            raise Rejected([Problem(code="password", path="password", text=text)])
        with self.slots:
            return self.hasher.hash(password)

    def matches(self, stored: str, password: str) -> bool:
        """Compare; an empty hash (no such user, or one without a password) costs the same time and never matches."""
        with self.slots:
            try:
                return self.hasher.verify(stored or _NOBODY, password[:LONGEST_PASSWORD]) and bool(stored)
            except (VerificationError, InvalidHashError):
                return False


# The hash of random bits that nobody kept.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$iCq/8mvsibiJGVAWyb/iyQ$5u4/9lERU2fqfbURmtkWwkgnFEHKLu1s1+DnsNJW118"


def add_user(db: Db, email: str, role: str, *, password_hash: str = "", partner: str = "", who: str) -> User:
    """Store a user; raises Rejected with everything that is wrong."""
    email = email.strip().lower()
    problems = _faults(db, email, role, partner)
    if problems:
        raise Rejected(problems)
    user = User(id=str(uuid_utils.uuid7()), email=email, role=role, partner=partner)  # type: ignore[arg-type]
    row = (user.id, email, role, password_hash, partner, db.now_us())
    db.insert(tables_config.users, ("id", "email", "role", "password_hash", "partner", "created_us"), [row])
    audit.append(db, who, "user.add", email, "", f"{role} {partner}".strip())
    return user


def _faults(db: Db, email: str, role: str, partner: str) -> list[Problem]:
    found = []
    local, at, host = email.partition("@")
    if not (local and at and host) or any(each.isspace() for each in email):
        found.append(Problem(code="email", path="email", value=email, text=f"{email!r} is no address"))
    if role not in ROLES:
        found.append(Problem(code="role", path="role", value=role, text=f"{role!r} is none of {', '.join(ROLES)}"))
    if (role in OUTSIDERS) != bool(partner):
        text = f"role {role} needs a partner" if role in OUTSIDERS else f"role {role} belongs to no partner"
        found.append(Problem(code="partner", path="partner", value=partner, text=text))
    if db.one("SELECT 1 FROM users WHERE email = :email", email=email) is not None:
        found.append(Problem(code="taken", path="email", value=email, text=f"there is a user {email} already"))
    return found


def user_by_email(db: Db, email: str) -> tuple[User, str] | None:
    """Return a user and the stored password hash, disabled ones too."""
    row = db.one(f"SELECT {_USER}, password_hash FROM users WHERE email = :email", email=email.strip().lower())
    return (_user(row), row[5]) if row else None


def user_by_id(db: Db, user_id: str) -> User | None:
    """Return a user by id."""
    row = db.one(f"SELECT {_USER} FROM users WHERE id = :id", id=user_id)
    return _user(row) if row else None


def users(db: Db) -> list[User]:
    """Return everybody, by address."""
    return [_user(row) for row in db.all(f"SELECT {_USER} FROM users ORDER BY email")]


def set_password(db: Db, user_id: str, password_hash: str, *, who: str) -> None:
    """Change a password and end every session of that user."""
    db.run("UPDATE users SET password_hash = :hash WHERE id = :id", hash=password_hash, id=user_id)
    close_sessions(db, user_id)
    audit.append(db, who, "user.password", user_id)


def set_role(db: Db, user_id: str, role: str, *, who: str) -> None:
    """Change what somebody may do, from their next request on."""
    before = db.one("SELECT role FROM users WHERE id = :id", id=user_id)[0]
    db.run("UPDATE users SET role = :role WHERE id = :id", role=role, id=user_id)
    audit.append(db, who, "user.role", user_id, before, role)


def disable_user(db: Db, user_id: str, *, who: str) -> None:
    """Lock a user out and end every session."""
    db.run("UPDATE users SET disabled_us = :now WHERE id = :id", now=db.now_us(), id=user_id)
    close_sessions(db, user_id)
    audit.append(db, who, "user.disable", user_id)


def new_token() -> str:
    """Return 256 random bits as text; the database gets `hashed(token)` only."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """Return what is stored of a random token: enough bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def has_users(db: Db) -> bool:
    """Say whether anybody can sign in; where nobody can, the hub prints a first-run token."""
    return db.one("SELECT 1 FROM users LIMIT 1") is not None


def keep_token(db: Db, token: str, user_id: str = "", *, seconds: int = TOKEN_SECONDS) -> None:
    """Store a one-time sign-in token for a user; without a user it lets its holder set up the first owner.

    Tokens for the same user that were not used stop working.
    """
    now = db.now_us()
    db.run("DELETE FROM sign_in_tokens WHERE user_id = :user AND used_us IS NULL", user=user_id)
    row = (hashed(token), user_id, now + seconds * 1_000_000)
    db.insert(tables_config.sign_in_tokens, ("token_hash", "user_id", "expires_us"), [row])
    audit.append(db, "hub", "token.issue", user_id or "first run")


def use_token(db: Db, token: str) -> str | None:
    """Use a token up and return its user id ('' is the first run), or None where it is unknown, old or used."""
    rows = db.all(
        "UPDATE sign_in_tokens SET used_us = :now WHERE token_hash = :hash AND used_us IS NULL AND expires_us > :now "
        "RETURNING user_id",
        now=db.now_us(), hash=hashed(token),
    )  # fmt: skip
    return str(rows[0][0]) if rows else None


def token_user(db: Db, token: str) -> str | None:
    """Return the user id of a token that can still be used ('' is the first run), without using it up."""
    row = db.one(
        "SELECT user_id FROM sign_in_tokens WHERE token_hash = :hash AND used_us IS NULL AND expires_us > :now",
        hash=hashed(token), now=db.now_us(),
    )  # fmt: skip
    return str(row[0]) if row else None


def open_session(db: Db, token: str, user_id: str) -> None:
    """Store a session under a fresh `new_token()`, which only the browser keeps. Old ones are swept away."""
    now = db.now_us()
    db.run("DELETE FROM sessions WHERE expires_us < :now", now=now)
    row = (hashed(token), user_id, now, now, now + SESSION_SECONDS * 1_000_000)
    columns = ("id_hash", "user_id", "created_us", "seen_us", "expires_us")
    db.insert(tables_config.sessions, columns, [row])


def session_user(db: Db, token: str) -> tuple[User, bool] | None:
    """Return who a session belongs to, and whether `touch_session` is due; None where it is over."""
    now = db.now_us()
    row = db.one(
        f"SELECT {_USER}, seen_us FROM sessions JOIN users ON users.id = sessions.user_id "
        "WHERE id_hash = :hash AND expires_us > :now AND seen_us > :idle AND disabled_us IS NULL",
        hash=hashed(token), now=now, idle=now - IDLE_SECONDS * 1_000_000,
    )  # fmt: skip
    return (_user(row), now - int(row[5]) > _SEEN_EVERY_US) if row else None


def touch_session(db: Db, token: str) -> None:
    """Note that a session is in use; at most once a minute is enough."""
    db.run("UPDATE sessions SET seen_us = :now WHERE id_hash = :hash", now=db.now_us(), hash=hashed(token))


def close_session(db: Db, token: str) -> None:
    """Sign out here."""
    db.run("DELETE FROM sessions WHERE id_hash = :hash", hash=hashed(token))


def close_sessions(db: Db, user_id: str, *, but: str = "") -> None:
    """Sign a user out everywhere, or everywhere else: `but` is the token of the session that stays."""
    db.run("DELETE FROM sessions WHERE user_id = :user AND id_hash <> :but", user=user_id, but=hashed(but))


@dataclass(frozen=True, kw_only=True)
class Session:
    """Where somebody is signed in; `here` is the session that asks."""

    created_us: int
    seen_us: int
    here: bool


def sessions_of(db: Db, user_id: str, token: str) -> list[Session]:
    """Return the sessions of a user that are not over, the one of the token among them, newest first."""
    now = db.now_us()
    rows = db.all(
        "SELECT created_us, seen_us, id_hash FROM sessions "
        "WHERE user_id = :user AND expires_us > :now AND seen_us > :idle ORDER BY created_us DESC, id_hash",
        user=user_id, now=now, idle=now - IDLE_SECONDS * 1_000_000,
    )  # fmt: skip
    here = hashed(token)
    return [Session(created_us=int(row[0]), seen_us=int(row[1]), here=row[2] == here) for row in rows]


def session_age(db: Db, token: str) -> float:
    """Return the seconds since somebody proved who they are to get this session; endless where there is none."""
    row = db.one("SELECT created_us FROM sessions WHERE id_hash = :hash", hash=hashed(token))
    return (db.now_us() - int(row[0])) / 1_000_000 if row else math.inf


_USER = "users.id, email, role, partner, disabled_us"


def _user(row: Any) -> User:
    return User(id=row[0], email=row[1], role=row[2], partner=row[3], disabled=row[4] is not None)
