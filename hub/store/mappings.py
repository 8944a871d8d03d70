"""Published mappings: the resolved text of each under its SHA-256, and which of them holds under a name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from hub.store import audit, tables_config
from hub.store.config import bump_version
from hub.store.db import Db

_COLUMNS = ("sha256", "name", "document", "direction", "text", "published_us", "published_by")


class Resolved(Protocol):
    """A mapping with all that it extends, as one text (`hub.translate.mapfile.Mapping` is one)."""

    @property
    def name(self) -> str: ...
    @property
    def document(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def resolved(self) -> str: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Published:
    """One version of a mapping that was published; `holds` says whether its name points to it now."""

    name: str
    sha256: str
    document: str
    direction: str
    published_us: int
    published_by: str
    holds: bool


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A mapping that agreements name: published now, as it was, or on offer because the files hold a newer one."""

    name: str
    state: str
    """publish, same, offered."""
    sha256: str
    published_sha256: str = ""


def publish(db: Db, text: str, name: str, document: str, direction: str, sha256: str, *, who: str) -> None:
    """Store the resolved text and let its name point to it. A text that is there already stays as it is."""
    row = (sha256, name, document, direction, text, db.now_us(), who)
    db.insert_new(tables_config.mappings, _COLUMNS, [row])
    before = held(db, name)
    if before == sha256:
        return
    db.run(
        "INSERT INTO published_mappings (name, sha256, published_us) VALUES (:name, :sha, :now) "
        "ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, published_us = excluded.published_us",
        name=name, sha=sha256, now=db.now_us(),
    )  # fmt: skip
    bump_version(db)
    audit.append(db, who, "mapping.publish", name, before, sha256)


def held(db: Db, name: str) -> str:
    """Return the SHA-256 that holds under a name, or '' where none was published."""
    row = db.one("SELECT sha256 FROM published_mappings WHERE name = :name", name=name)
    return str(row[0]) if row else ""


def text_of(db: Db, sha256: str) -> str | None:
    """Return the published text of a fingerprint; documents record it, so it is never removed."""
    row = db.one("SELECT text FROM mappings WHERE sha256 = :sha", sha=sha256)
    return str(row[0]) if row else None


def versions(db: Db, name: str = "") -> list[Published]:
    """Return every published version, of one name or of all, newest first."""
    rows = db.all(
        "SELECT m.name, m.sha256, m.document, m.direction, m.published_us, m.published_by, p.sha256 IS NOT NULL "
        "FROM mappings m LEFT JOIN published_mappings p ON p.name = m.name AND p.sha256 = m.sha256 "
        "WHERE :name = '' OR m.name = :name ORDER BY m.name, m.published_us DESC",
        name=name,
    )
    return [
        Published(
            name=row[0], sha256=row[1], document=row[2], direction=row[3], published_us=row[4], published_by=row[5],
            holds=bool(row[6]),
        )
        for row in rows
    ]  # fmt: skip


def offers(db: Db, mappings: Iterable[Resolved], *, publish_newer: bool = False) -> list[Offer]:
    """Say for each mapping of the files whether it would be published, is the same, or is a newer one on offer."""
    found = []
    for each in mappings:
        before = held(db, each.name)
        state = "offered" if before and not publish_newer else "publish"
        if before == each.sha256:
            state = "same"
        found.append(Offer(name=each.name, state=state, sha256=each.sha256, published_sha256=before))
    return found


def publish_offers(db: Db, mappings: Iterable[Resolved], planned: Iterable[Offer], *, who: str) -> None:
    """Publish what `offers` marked as to be published."""
    wanted = {offer.name for offer in planned if offer.state == "publish"}
    for each in mappings:
        if each.name in wanted:
            publish(db, each.resolved, each.name, each.document, each.direction, each.sha256, who=who)
