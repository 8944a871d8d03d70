"""Second factors of people: an authenticator app (RFC 6238), recovery codes, and what a user has in all."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

import pyotp
from pyotp.exceptions import OTPVerificationError

from hub.domain.connection import Sealed
from hub.domain.errors import Problem, Rejected
from hub.store import audit, tables_sign_in
from hub.store.db import Db
from hub.store.people import close_sessions, hashed
from hub.store.vault import Keys

STEPS_EITHER_WAY = 1
"""A code is taken so many steps of 30 s early or late: clocks differ, and people type."""
RECOVERY_CODES = 10
ENROL_SECONDS = 900
_CODE_BYTES = 15


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What a user has beside the password."""

    totp: bool
    passkeys: int
    codes_left: int

    @property
    def some(self) -> bool:
        """Say whether there is a second factor; recovery codes alone are none."""
        return self.totp or self.passkeys > 0


@dataclass(frozen=True, kw_only=True)
class Totp:
    """An authenticator app as it is stored; `confirmed` once a first code of it was right."""

    version: int
    sealed: Sealed
    confirmed: bool
    last_step: int


def factors_of(db: Db, user_id: str) -> Factors:
    """Return what a user has."""
    row = db.one(
        "SELECT (SELECT count(*) FROM totp_secrets WHERE user_id = :user AND confirmed_us IS NOT NULL), "
        "(SELECT count(*) FROM passkeys WHERE user_id = :user), "
        "(SELECT count(*) FROM recovery_codes WHERE user_id = :user AND used_us IS NULL)",
        user=user_id,
    )
    return Factors(totp=bool(row[0]), passkeys=int(row[1]), codes_left=int(row[2]))


def begin_totp(db: Db, keys: Keys, user_id: str) -> None:
    """Make a new secret for an app; it counts for nothing before `confirm_totp`. Rejected where there is an app."""
    known = totp_of(db, user_id)
    if known is not None and known.confirmed:
        text = "there is an authenticator app already; remove it first"
        raise Rejected([Problem(code="taken", path="totp", text=text)])
    version = known.version + 1 if known else 1
    sealed = keys.seal(_name(user_id), version, pyotp.random_base32())
    db.run("DELETE FROM totp_secrets WHERE user_id = :user", user=user_id)
    row = (user_id, version, sealed.key_id, sealed.nonce, sealed.ciphertext, db.now_us())
    columns = ("user_id", "version", "key_id", "nonce", "ciphertext", "created_us")
    db.insert(tables_sign_in.totp_secrets, columns, [row])


def totp_of(db: Db, user_id: str) -> Totp | None:
    """Return a user's app; one that was not confirmed within a quarter of an hour is none."""
    row = db.one(
        "SELECT version, key_id, nonce, ciphertext, confirmed_us, last_step FROM totp_secrets "
        "WHERE user_id = :user AND (confirmed_us IS NOT NULL OR created_us > :since)",
        user=user_id, since=db.now_us() - ENROL_SECONDS * 1_000_000,
    )  # fmt: skip
    if row is None:
        return None
    sealed = Sealed(key_id=row[1], nonce=bytes(row[2]), ciphertext=bytes(row[3]))
    return Totp(version=int(row[0]), sealed=sealed, confirmed=row[4] is not None, last_step=int(row[5]))


def totp_secret(keys: Keys, user_id: str, totp: Totp) -> str:
    """Open the secret, in base32."""
    return keys.open(_name(user_id), totp.version, totp.sealed)


def matching_step(secret: str, code: str, now_us: int) -> int | None:
    """Return the time step that a code of six digits belongs to, or None where it is none of now (RFC 6238)."""
    digits = code.replace(" ", "")
    if not (len(digits) == 6 and digits.isascii() and digits.isdigit()):
        return None
    try:
        app = pyotp.TOTP(secret)
        return app.verify_and_get_timecode(digits, for_time=now_us // 1_000_000, valid_window=STEPS_EITHER_WAY)
    except OTPVerificationError:
        return None


def confirm_totp(db: Db, user_id: str, step: int, *, who: str) -> bool:
    """Put the app to use: its first code was right. False where it was confirmed before."""
    done = db.run(
        "UPDATE totp_secrets SET confirmed_us = :now, last_step = :step WHERE user_id = :user AND confirmed_us IS NULL",
        now=db.now_us(), step=step, user=user_id,
    )  # fmt: skip
    if done:
        audit.append(db, who, "totp.add", user_id)
    return bool(done)


def use_step(db: Db, user_id: str, step: int) -> bool:
    """Take a code's step; False where it, or a later one, was taken before."""
    return bool(
        db.run(
            "UPDATE totp_secrets SET last_step = :step "
            "WHERE user_id = :user AND confirmed_us IS NOT NULL AND last_step < :step",
            step=step, user=user_id,
        )
    )  # fmt: skip


def remove_totp(db: Db, user_id: str, *, who: str) -> None:
    """Take the app off; recovery codes stay only while another factor does."""
    if db.run("DELETE FROM totp_secrets WHERE user_id = :user", user=user_id):
        audit.append(db, who, "totp.remove", user_id)
    drop_lone_codes(db, user_id)


def rotate_totp(db: Db, keys: Keys) -> int:
    """Close every app's secret again under the current key; return how many were closed under another."""
    lock = " FOR UPDATE" if db.postgres else ""
    found = db.all(
        f"SELECT user_id, version, key_id, nonce, ciphertext FROM totp_secrets WHERE key_id <> :key{lock}",
        key=keys.current,
    )
    for user_id, version, key_id, nonce, ciphertext in found:
        old = Sealed(key_id=key_id, nonce=bytes(nonce), ciphertext=bytes(ciphertext))
        new = keys.seal(_name(user_id), int(version) + 1, keys.open(_name(user_id), int(version), old))
        db.run(
            "UPDATE totp_secrets SET version = version + 1, key_id = :key, nonce = :nonce, ciphertext = :ciphertext "
            "WHERE user_id = :user",
            key=new.key_id, nonce=new.nonce, ciphertext=new.ciphertext, user=user_id,
        )  # fmt: skip
    return len(found)


def new_codes(db: Db, user_id: str, *, who: str) -> list[str]:
    """Make ten recovery codes in place of those there were, and return them: this is the only time they are known.

    Each has 120 random bits, so its plain SHA-256 is what is stored (SP 800-63B, 5.1.2.2: from 112 bits on).
    """
    db.run("DELETE FROM recovery_codes WHERE user_id = :user", user=user_id)
    codes = [_code() for _ in range(RECOVERY_CODES)]
    now = db.now_us()
    rows = [(hashed(_bare(code)), user_id, now) for code in codes]
    db.insert(tables_sign_in.recovery_codes, ("code_hash", "user_id", "created_us"), rows)
    audit.append(db, who, "recovery.new", user_id, "", f"{RECOVERY_CODES} codes")
    return codes


def use_code(db: Db, user_id: str, code: str, *, who: str) -> bool:
    """Use a recovery code up; False where it is none of this user's, or was used."""
    done = db.run(
        "UPDATE recovery_codes SET used_us = :now WHERE code_hash = :hash AND user_id = :user AND used_us IS NULL",
        now=db.now_us(), hash=hashed(_bare(code)), user=user_id,
    )  # fmt: skip
    if done:
        audit.append(db, who, "recovery.use", user_id, "", f"{factors_of(db, user_id).codes_left} left")
    return bool(done)


def drop_lone_codes(db: Db, user_id: str) -> None:
    """Remove recovery codes where nothing is left that they would stand in for."""
    if not factors_of(db, user_id).some:
        db.run("DELETE FROM recovery_codes WHERE user_id = :user", user=user_id)


def clear_factors(db: Db, user_id: str, *, who: str) -> Factors:
    """Take every second factor off, end every session, and return what there was: for somebody who lost a phone."""
    had = factors_of(db, user_id)
    for table in ("totp_secrets", "recovery_codes", "passkeys"):
        db.run(f"DELETE FROM {table} WHERE user_id = :user", user=user_id)
    close_sessions(db, user_id)
    text = f"app {int(had.totp)}, passkeys {had.passkeys}, recovery codes {had.codes_left}"
    audit.append(db, who, "factors.clear", user_id, text)
    return had


def _name(user_id: str) -> str:
    return f"totp.{user_id}"


def _code() -> str:
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    return "-".join(text[at : at + 6] for at in range(0, len(text), 6))


def _bare(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()
