"""Files and records brought together: what applying a folder would do, and doing it. Applying twice changes nothing.

A record remembers the fingerprint of the file's version that was applied last. Where only the file moved on, the
file holds; where only the console moved on, the console holds; where both did, nothing is applied and both are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.domain.errors import Problem, Rejected
from hub.store import audit, seed_goods
from hub.store.config import KINDS, delete_record, note_seed, save_record
from hub.store.db import Db
from hub.store.seed_files import Seed, Seeds
from hub.store.strict import sha

State = Literal["add", "change", "same", "kept", "conflict", "left"]
Take = Literal["", "file", "record"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One record: what the file says, what the database has, and what applying does about it.

    kept: the console changed it, the file did not. left: the file that seeded it no longer names it.
    """

    kind: str
    name: str
    state: State
    file: str = ""
    in_file: str = ""
    in_record: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All changes of a folder, and how much opening stock is new."""

    changes: tuple[Change, ...] = ()
    opening_stock: int = 0

    def of(self, *states: State) -> tuple[Change, ...]:
        """Return the changes in one of these states."""
        return tuple(change for change in self.changes if change.state in states)

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """Return what was changed on both sides."""
        return self.of("conflict")

    @property
    def is_empty(self) -> bool:
        """Say whether applying would change nothing."""
        return not self.of("add", "change", "conflict") and not self.opening_stock


def plan(db: Db, seeds: Seeds) -> Plan:
    """Compare a folder with the database; raises Rejected where records speak of what is nowhere."""
    records = _records(db)
    stored: dict[tuple[str, str], str] = {key: doc for key, (doc, _) in records.items() if doc}
    stored |= seed_goods.stored(db, seeds)
    _check(seeds, stored)
    marks = {key: seed_sha for key, (_, seed_sha) in records.items()}
    changes = [_compared(seed, stored.get((seed.kind, seed.name), ""), marks) for seed in seeds.records]
    named = {(seed.kind, seed.name) for seed in seeds.records}
    left = [
        Change(kind=kind, name=name, state="left", in_record=doc)
        for (kind, name), (doc, seed_sha) in records.items()
        if doc and seed_sha and (kind, name) not in named
    ]
    return Plan(changes=(*changes, *left), opening_stock=len(seed_goods.missing_stock(db, seeds)))


def apply(db: Db, seeds: Seeds, *, who: str, take: Take = "", prune: bool = False) -> Plan:
    """Apply a folder in one transaction and return what was done. Conflicts raise Rejected and show both sides.

    `take` settles conflicts for the file or for the record; `prune` removes what is left over from earlier files.
    """
    planned = plan(db, seeds)
    if planned.conflicts and not take:
        raise Rejected(_shown(change) for change in planned.conflicts)
    by_key = {(seed.kind, seed.name): seed for seed in seeds.records}
    written: list[Seed] = []
    for change in planned.of("add", "change", "same", "conflict"):
        seed = by_key[change.kind, change.name]
        if change.state in ("add", "change") or (change.state == "conflict" and take == "file"):
            written.append(seed)
    _write(db, written, who)
    seed_goods.add_stock(db, seeds)
    settled = [each for each in planned.of("same", "conflict") if (each.kind, each.name) not in _keys(written)]
    _settle(db, [by_key[each.kind, each.name] for each in settled])
    if prune:
        for change in planned.of("left"):
            delete_record(db, change.kind, change.name, who)
    return planned


def _keys(seeds: Iterable[Seed]) -> set[tuple[str, str]]:
    return {(seed.kind, seed.name) for seed in seeds}


def _write(db: Db, seeds: Sequence[Seed], who: str) -> None:
    for seed in seeds:
        if seed.kind in KINDS or seed.kind == "setting":
            save_record(db, seed.kind, seed.name, seed.value, who, seed_sha=sha(seed.doc))
    goods = [seed for seed in seeds if seed.kind in seed_goods.KINDS]
    if goods:
        seed_goods.write(db, goods)
        _settle(db, goods)
        audit.append(db, who, "config.seed", f"{len(goods)} locations, items and listings")


def _settle(db: Db, seeds: Iterable[Seed]) -> None:
    """Remember the file's version where the record is as it should be."""
    marks = {key: mark for key, (_, mark) in _records(db).items()}
    for seed in seeds:
        if marks.get((seed.kind, seed.name)) != sha(seed.doc):
            note_seed(db, seed.kind, seed.name, sha(seed.doc))


def _records(db: Db) -> dict[tuple[str, str], tuple[str, str]]:
    rows = db.all("SELECT kind, name, doc, seed_sha FROM config_records ORDER BY kind, name")
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _compared(seed: Seed, record: str, marks: Mapping[tuple[str, str], str]) -> Change:
    mark = marks.get((seed.kind, seed.name), "")
    state: State
    if record == seed.doc:
        state = "same"
    elif not record and not mark:
        state = "add"
    elif mark == sha(seed.doc):
        state = "kept"
    elif record and mark == sha(record):
        state = "change"
    else:
        state = "conflict"
    return Change(kind=seed.kind, name=seed.name, state=state, file=seed.file, in_file=seed.doc, in_record=record)


def _shown(change: Change) -> Problem:
    record = change.in_record or "(deleted)"
    return Problem(
        code="conflict",
        path=f"{change.kind} {change.name}",
        value=change.file,
        text=f"{change.file} and the console both changed it; file: {change.in_file} console: {record}; "
        "take one with --take file or --take record, or run hub export first",
    )


def _check(seeds: Seeds, stored: Mapping[tuple[str, str], Any]) -> None:
    known = _keys(seeds.records) | set(stored)
    problems: list[Problem] = []

    def need(kind: str, name: str, where: str) -> None:
        if (kind, name) not in known:
            problems.append(Problem(code="unknown_name", path=where, value=name, text=f"there is no {kind} {name!r}"))

    for seed in seeds.records:
        for kind, name in _spoken_of(seed):
            need(kind, name, f"{seed.file}: {seed.kind} {seed.name}")
    for each in seeds.stock:
        need("location", each.location, "stock.csv")
        need("item", each.sku, "stock.csv")
    if problems:
        raise Rejected(problems)


def _spoken_of(seed: Seed) -> list[tuple[str, str]]:
    """Return the records that a record names."""
    value = seed.value
    if seed.kind == "connection":
        named = [("partner", value.partner)]
    elif seed.kind == "agreement":
        named = [("connection", value.connection), ("connection", value.answer_to), ("partner", value.partner)]
    elif seed.kind == "route":
        named = [("connection", value.to if value.to not in ("origin", "target") else ""), ("connection", value.origin)]
    else:
        named = [("item", value.item)] if seed.kind == "listing" else []
    return [(kind, name) for kind, name in named if name]
