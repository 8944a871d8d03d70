"""The configuration in the database: read as one snapshot, written record by record, each with an audit line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hub.domain.config import Config
from hub.domain.connection import Agreement, ConnectionConfig, Partner
from hub.domain.errors import Problem, Rejected
from hub.domain.party import Party
from hub.domain.route import Route
from hub.domain.stock import Location
from hub.store import audit, tables_config
from hub.store.db import Db
from hub.store.store import Store
from hub.store.strict import canonical, converted

KINDS: Mapping[str, type] = {
    "partner": Partner, "connection": ConnectionConfig, "agreement": Agreement, "route": Route, "seller": Party,
}  # fmt: skip
"""The kinds of record that are a table of fields; a `setting` is any value."""
_ROW = "id = 'config'"


def agreement_name(agreement: Agreement) -> str:
    """Return what an agreement is called: its connection, direction and document, then what it matches."""
    parts = [agreement.connection, agreement.direction, agreement.document]
    parts += [f"{key}={value}" for key, value in sorted(agreement.match.items())]
    return "/".join(parts)


def config_version(db: Db) -> int:
    """Return the number that grows with every change of the configuration."""
    row = db.one(f"SELECT version FROM config_version WHERE {_ROW}")
    return int(row[0]) if row else 0


def bump_version(db: Db) -> None:
    """Tell every process that the configuration has changed; they read it again before their next batch."""
    db.run(
        "INSERT INTO config_version (id, version) VALUES ('config', 1) "
        "ON CONFLICT (id) DO UPDATE SET version = config_version.version + 1"
    )


def load_config(db: Db) -> Config:
    """Read the whole configuration. A change that commits meanwhile has a higher version and is read the next time."""
    version = config_version(db)
    records = _records(db)
    agreements = sorted(records["agreement"].items(), key=lambda named: (-len(named[1].match), named[0]))
    locations = [
        msgspec.json.decode(row[0], type=Location) for row in db.all("SELECT doc FROM locations ORDER BY code")
    ]
    return Config(
        version=version,
        connections=records["connection"],
        partners=records["partner"],
        agreements=tuple(agreement for _, agreement in agreements),
        routes=tuple(records["route"].values()),
        locations={location.id: location for location in locations},
        published={row[0]: row[1] for row in db.all("SELECT name, sha256 FROM published_mappings")},
        seller=records["seller"].get("seller", Party(name="", kind="self")),
        settings=records["setting"],
    )


def _records(db: Db) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {kind: {} for kind in (*KINDS, "setting")}
    for kind, name, doc in db.all("SELECT kind, name, doc FROM config_records WHERE doc <> '' ORDER BY kind, name"):
        if kind in found:
            found[kind][name] = msgspec.json.decode(doc, type=KINDS.get(kind, Any))
    return found


def save_record(db: Db, kind: str, name: str, doc: Any, who: str, *, seed_sha: str | None = None) -> None:
    """Store a record (a Struct, or a table of its fields), bump the version and write the audit line.

    `seed_sha` is set where a file is applied; None keeps what the last one left. Rejected names what is wrong.
    """
    text = canonical(_checked(kind, name, doc))
    before = _stored(db, kind, name)
    kept = (before[1] if before else "") if seed_sha is None else seed_sha
    db.run(
        "INSERT INTO config_records (kind, name, doc, seed_sha, changed_us, changed_by) "
        "VALUES (:kind, :name, :doc, :seed, :now, :who) ON CONFLICT (kind, name) DO UPDATE SET "
        "doc = excluded.doc, seed_sha = excluded.seed_sha, changed_us = excluded.changed_us, "
        "changed_by = excluded.changed_by",
        kind=kind, name=name, doc=text, seed=kept, now=db.now_us(), who=who,
    )  # fmt: skip
    bump_version(db)
    audit.append(db, who, "config.save", f"{kind}/{name}", before[0] if before else "", text)


def delete_record(db: Db, kind: str, name: str, who: str) -> bool:
    """Remove a record; one that a file seeded leaves a mark, so that applying the same file does not bring it back."""
    before = _stored(db, kind, name)
    if before is None or not before[0]:
        return False
    if before[1]:
        db.run(
            "UPDATE config_records SET doc = '', changed_us = :now, changed_by = :who "
            "WHERE kind = :kind AND name = :name",
            kind=kind, name=name, now=db.now_us(), who=who,
        )  # fmt: skip
    else:
        db.run("DELETE FROM config_records WHERE kind = :kind AND name = :name", kind=kind, name=name)
    bump_version(db)
    audit.append(db, who, "config.delete", f"{kind}/{name}", before[0], "")
    return True


def note_seed(db: Db, kind: str, name: str, seed_sha: str) -> None:
    """Remember which version of a file a record was last compared with."""
    columns = ("kind", "name", "doc", "seed_sha")
    db.insert_new(tables_config.config_records, columns, [(kind, name, "", seed_sha)])
    db.run(
        "UPDATE config_records SET seed_sha = :seed WHERE kind = :kind AND name = :name",
        kind=kind, name=name, seed=seed_sha,
    )  # fmt: skip


def _checked(kind: str, name: str, doc: Any) -> Any:
    if kind == "setting":
        return doc
    if kind not in KINDS:
        known = ", ".join((*KINDS, "setting"))
        raise Rejected(
            [Problem(code="unknown_kind", path=kind, text=f"{kind} is no kind of record; there are {known}")]
        )
    problems: list[Problem] = []
    made = converted(KINDS[kind], msgspec.to_builtins(doc), f"{kind} {name}", problems)
    if problems:
        raise Rejected(problems)
    return made


def _stored(db: Db, kind: str, name: str) -> tuple[str, str] | None:
    row = db.one("SELECT doc, seed_sha FROM config_records WHERE kind = :kind AND name = :name", kind=kind, name=name)
    return (row[0], row[1]) if row else None


class ConfigCache:
    """Calling it gives the present snapshot: one small query, and a reload where the version has moved.

    Within `seconds` of the last look nothing is asked at all.
    """

    def __init__(self, store: Store, *, seconds: float = 0.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._config: Config | None = None
        self._looked = 0.0

    def __call__(self) -> Config:
        """Return the configuration to handle the next batch under."""
        held = self._config
        if held is not None and self._seconds and self._monotonic() - self._looked < self._seconds:
            return held
        if not self._lock.acquire(blocking=held is None or not self._seconds):
            assert held is not None
            return held  # somebody else is looking already; nobody waits for that
        try:
            return self._store.read(self._fresh)
        finally:
            self._lock.release()

    def _fresh(self, db: Db) -> Config:
        now = self._monotonic()
        if self._config is None or config_version(db) != self._config.version:
            self._config = load_config(db)
        self._looked = now
        return self._config
