"""Who a subject of an OpenID provider is here: bound to (issuer, subject), never to an address alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.store import audit, tables_sign_in
from hub.store.db import Db
from hub.store.people import User, user_by_id


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One subject of a provider. `made_user`: the account came by signing in and lives by the provider's word."""

    issuer: str
    subject: str
    made_user: bool


def identity_user(db: Db, issuer: str, subject: str) -> tuple[User, Identity] | None:
    """Return the user that a subject is bound to, disabled ones too."""
    row = db.one(
        "SELECT user_id, made_user FROM identities WHERE issuer = :issuer AND subject = :subject",
        issuer=issuer, subject=subject,
    )  # fmt: skip
    user = user_by_id(db, row[0]) if row else None
    found = Identity(issuer=issuer, subject=subject, made_user=bool(row[1])) if row else None
    return (user, found) if user is not None and found is not None else None


def identities_of(db: Db, user_id: str) -> Sequence[Identity]:
    """Return the subjects that are bound to a user."""
    rows = db.all("SELECT issuer, subject, made_user FROM identities WHERE user_id = :user ORDER BY issuer, subject",
                  user=user_id)  # fmt: skip
    return [Identity(issuer=row[0], subject=row[1], made_user=bool(row[2])) for row in rows]


def bind(db: Db, user: User, identity: Identity, *, who: str) -> None:
    """Bind a subject to a user; a subject that is bound already raises IntegrityError."""
    row = (identity.issuer, identity.subject, user.id, int(identity.made_user), db.now_us())
    columns = ("issuer", "subject", "user_id", "made_user", "created_us")
    db.insert(tables_sign_in.identities, columns, [row])
    audit.append(db, who, "identity.bind", user.email, "", f"{identity.issuer} {identity.subject}")


def note_use(db: Db, identity: Identity) -> None:
    """Note that a subject signed in."""
    db.run(
        "UPDATE identities SET used_us = :now WHERE issuer = :issuer AND subject = :subject",
        now=db.now_us(), issuer=identity.issuer, subject=identity.subject,
    )  # fmt: skip


def unbind(db: Db, user: User, *, who: str) -> int:
    """Free an account of every subject, so that another can be bound to it; return how many there were."""
    count = db.run("DELETE FROM identities WHERE user_id = :user", user=user.id)
    audit.append(db, who, "identity.unbind", user.email, f"{count} subjects")
    return count
