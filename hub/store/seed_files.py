"""Seed files as people write them: a folder of TOML and CSV read into records, every fault named with file and key.

hub.toml            [seller] and [settings]
routes.toml         [[route]]
connections/*.toml  [connection] and [[agreement]]
partners/*.toml     [partner], [connection] or [[connection]], [[agreement]]
locations.toml      [[location]]
items.toml          [[item]], or items.csv
listings.csv        connection, sku, item (our SKU), external_id, buffer, cap
stock.csv           location (code), sku, quantity: opening stock, taken once
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from hub.domain.connection import Agreement, ConnectionConfig, Partner
from hub.domain.errors import Problem, Rejected
from hub.domain.money import ZERO
from hub.domain.party import Address, Party
from hub.domain.route import Route
from hub.domain.stock import ItemKind, LocationKind
from hub.store.config import agreement_name
from hub.store.strict import canonical, converted


class ItemSeed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item without its id."""

    sku: str
    name: str = ""
    gtin: str = ""
    kind: ItemKind = "simple"
    supplier: str = ""
    cost: Decimal | None = None
    weight_grams: int | None = None
    reorder_point: Decimal | None = None
    extensions: dict[str, Any] = {}


class ListingSeed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a connection calls an item; `item` is our SKU."""

    connection: str
    sku: str
    item: str
    external_id: str = ""
    buffer: Decimal = ZERO
    cap: Decimal | None = None


class LocationSeed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place without its id."""

    code: str
    name: str = ""
    kind: LocationKind = "warehouse"
    address: Address = Address()
    priority: int = 100
    connection: str = ""
    carrier: str = ""
    dispatch: Literal["automatic", "manual"] = "automatic"


class OpeningStock(msgspec.Struct, frozen=True, kw_only=True):
    """How much lies where when the hub begins."""

    location: str
    sku: str
    quantity: Decimal


@dataclass(frozen=True, kw_only=True)
class Seed:
    """One record of a file: `doc` is its canonical text."""

    kind: str
    name: str
    doc: str
    file: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """All that a folder says."""

    records: tuple[Seed, ...] = ()
    stock: tuple[OpeningStock, ...] = ()

    def of(self, kind: str) -> tuple[Seed, ...]:
        """Return the records of one kind."""
        return tuple(seed for seed in self.records if seed.kind == kind)

    @property
    def mappings(self) -> tuple[str, ...]:
        """Return the names of the mappings that agreements name."""
        return tuple(sorted({seed.value.mapping for seed in self.of("agreement") if seed.value.mapping}))


@dataclass(kw_only=True)
class _Reading:
    """What was found so far, and what is wrong with it."""

    seeds: dict[tuple[str, str], Seed] = field(default_factory=dict)
    stock: dict[tuple[str, str], OpeningStock] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, kind: str, name: str, value: Any, file: str) -> None:
        known = self.seeds.get((kind, name))
        if known is not None:
            self.wrong(file, f"{kind} {name} is in {known.file} already; remove one")
            return
        self.seeds[kind, name] = Seed(kind=kind, name=name, doc=canonical(value), file=file, value=value)

    def wrong(self, path: str, text: str, code: str = "seed") -> None:
        self.problems.append(Problem(code=code, path=path, text=text))

    def record(self, kind: type, table: Any, where: str) -> Any:
        return converted(kind, table, where, self.problems)


def read_folder(folder: Path) -> Seeds:
    """Read a configuration folder; raises Rejected with every fault. Files that are not there are left out."""
    if not folder.is_dir():
        raise Rejected([Problem(code="no_folder", path=str(folder), text="is no folder; set HUB_CONFIG or name one")])
    reading = _Reading()
    for file in _files(folder):
        _read(reading, file, file.relative_to(folder).as_posix())
    if reading.problems:
        raise Rejected(reading.problems)
    return Seeds(records=tuple(reading.seeds.values()), stock=tuple(reading.stock.values()))


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files that are there, places and items before what speaks of them."""
    for name in (*_TOML, *_CSV):
        if (folder / name).is_file():
            yield folder / name
    for below in _FOLDERS:
        yield from sorted((folder / below).glob("*.toml"))


def _read(reading: _Reading, file: Path, name: str) -> None:
    if file.suffix == ".csv":
        _CSV[name](reading, name, _rows(reading, file, name))
        return
    above = name.partition("/")[0]
    (_FOLDERS.get(above) or _TOML[name])(reading, name, _toml(reading, file, name))


def _toml(reading: _Reading, file: Path, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reading.wrong(name, f"is not TOML: {error}")
        return {}


def _rows(reading: _Reading, file: Path, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, cells) of a CSV file with a heading; empty cells are left out."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        reading.wrong(name, f"is not UTF-8: {error}")
        return
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        if None in row or None in row.values():
            reading.wrong(f"{name}:{number}", "has more or fewer cells than the heading")
            continue
        cells = {key.strip(): value.strip() for key, value in row.items() if value.strip()}
        if cells:
            yield f"{name}:{number}", cells


def _allowed(reading: _Reading, file: str, tables: Mapping[str, Any], known: Iterable[str]) -> None:
    known = tuple(known)
    for key in tables:
        if key not in known:
            reading.wrong(f"{file}: {key}", f"is not known here; allowed are {', '.join(known)}", "unknown_key")


def _hub(reading: _Reading, file: str, tables: dict[str, Any]) -> None:
    _allowed(reading, file, tables, ("seller", "settings"))
    if "seller" in tables:
        table = {"kind": "self", **_named_identifiers(tables["seller"])}
        seller = reading.record(Party, table, f"{file}: seller")
        if seller is not None:
            reading.add("seller", "seller", seller, file)
    for key, value in tables.get("settings", {}).items():
        reading.add("setting", key, value, file)


def _routes(reading: _Reading, file: str, tables: dict[str, Any]) -> None:
    _allowed(reading, file, tables, ("route",))
    for place, table in enumerate(_listed(tables.get("route"))):
        named = {"name": f"{table.get('on')} {table.get('send')} to {table.get('to')}", **table}
        route = reading.record(Route, named, f"{file}: route[{place}]")
        if route is not None:
            reading.add("route", route.name, route, file)


def _connection_file(reading: _Reading, file: str, tables: dict[str, Any]) -> None:
    _allowed(reading, file, tables, ("connection", "agreement"))
    names = _connections(reading, file, tables, Path(file).stem, "")
    _agreements(reading, file, tables, names, "")


def _partner_file(reading: _Reading, file: str, tables: dict[str, Any]) -> None:
    _allowed(reading, file, tables, ("partner", "connection", "agreement"))
    table = {"name": Path(file).stem, **_named_identifiers(tables.get("partner", {}))}
    partner = reading.record(Partner, table, f"{file}: partner")
    if partner is not None:
        reading.add("partner", partner.name, partner, file)
        names = _connections(reading, file, tables, partner.name, partner.name)
        _agreements(reading, file, tables, names, partner.name)


def _connections(reading: _Reading, file: str, tables: dict[str, Any], name: str, partner: str) -> list[str]:
    names = []
    for place, table in enumerate(_listed(tables.get("connection"))):
        full = {"name": name, "partner": partner, **table}
        connection = reading.record(ConnectionConfig, full, f"{file}: connection[{place}]")
        if connection is not None:
            reading.add("connection", connection.name, connection, file)
            names.append(connection.name)
    return names


def _agreements(reading: _Reading, file: str, tables: dict[str, Any], connections: list[str], partner: str) -> None:
    only = {"connection": connections[0]} if len(connections) == 1 else {}
    for place, table in enumerate(_listed(tables.get("agreement"))):
        agreement = reading.record(Agreement, {"partner": partner, **only, **table}, f"{file}: agreement[{place}]")
        if agreement is not None:
            reading.add("agreement", agreement_name(agreement), agreement, file)


def _locations(reading: _Reading, file: str, tables: dict[str, Any]) -> None:
    _allowed(reading, file, tables, ("location",))
    for place, table in enumerate(_listed(tables.get("location"))):
        location = reading.record(LocationSeed, table, f"{file}: location[{place}]")
        if location is not None:
            reading.add("location", location.code, location, file)


def _items_toml(reading: _Reading, file: str, tables: dict[str, Any]) -> None:
    _allowed(reading, file, tables, ("item",))
    places = [(f"{file}: item[{place}]", table) for place, table in enumerate(_listed(tables.get("item")))]
    _items(reading, file, places)


def _items(reading: _Reading, file: str, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    for where, table in rows:
        item = reading.record(ItemSeed, table, where)
        if item is not None:
            reading.add("item", item.sku, item, file)


def _listings(reading: _Reading, file: str, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    for where, table in rows:
        listing = reading.record(ListingSeed, table, where)
        if listing is not None:
            reading.add("listing", f"{listing.connection}/{listing.sku}", listing, file)


def _stock(reading: _Reading, _file: str, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    for where, table in rows:
        stock = reading.record(OpeningStock, table, where)
        if stock is None:
            continue
        if (stock.location, stock.sku) in reading.stock:
            reading.wrong(where, f"{stock.sku} at {stock.location} is there twice; write one row with the sum")
        elif stock.quantity < 0:
            reading.wrong(where, f"quantity is {stock.quantity}; opening stock is zero or more")
        else:
            reading.stock[stock.location, stock.sku] = stock


def _listed(value: Any) -> list[dict[str, Any]]:
    """Return the tables of `[name]` or `[[name]]`."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _named_identifiers(table: dict[str, Any]) -> dict[str, Any]:
    """Join an identifier's qualifier to its value, as X12 and EDIFACT addresses are compared (`ZZ:NORTHSUPPLY`)."""
    if not isinstance(table.get("identifiers"), list):
        return table
    joined = []
    for each in table["identifiers"]:
        each = dict(each)
        qualifier = each.pop("qualifier", "")
        joined.append({**each, "value": f"{qualifier}:{each.get('value')}"} if qualifier else each)
    return {**table, "identifiers": joined}


_Tables = Callable[[_Reading, str, dict[str, Any]], None]
_TOML: Mapping[str, _Tables] = {
    "hub.toml": _hub, "locations.toml": _locations, "items.toml": _items_toml, "routes.toml": _routes,
}  # fmt: skip
_FOLDERS: Mapping[str, _Tables] = {"connections": _connection_file, "partners": _partner_file}
_CSV: Mapping[str, Callable[[_Reading, str, Iterable[tuple[str, dict[str, Any]]]], None]] = {
    "items.csv": _items, "listings.csv": _listings, "stock.csv": _stock,
}  # fmt: skip
