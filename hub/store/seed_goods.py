"""Places, items, listings and opening stock of seed files: their records are tables of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import uuid_utils

from hub.domain.money import to_micros
from hub.domain.stock import Item, Listing, Location
from hub.store import tables_trade
from hub.store.config import bump_version
from hub.store.db import Db
from hub.store.seed_files import ItemSeed, ListingSeed, LocationSeed, OpeningStock, Seed, Seeds
from hub.store.strict import canonical

KINDS = ("location", "item", "listing")
_MOVEMENT = ("id", "item_id", "location_id", "kind", "on_hand_delta", "reserved_delta", "reason", "at_us")


def stored(db: Db, seeds: Seeds) -> dict[tuple[str, str], str]:
    """Return what the database has, as files would say it: all places, the items and listings that are named."""
    spoken = {seed.value.sku for seed in seeds.of("item")} | {seed.value.item for seed in seeds.of("listing")}
    skus = spoken | {each.sku for each in seeds.stock}
    found: dict[tuple[str, str], str] = {}
    for location in _locations(db).values():
        found["location", location.code] = canonical(_turned(location, LocationSeed))
    for item in _items(db, skus).values():
        found["item", item.sku] = canonical(_turned(item, ItemSeed))
    wanted = {seed.value.connection for seed in seeds.of("listing")}
    for listing in _listings(db, wanted):
        found["listing", f"{listing.connection}/{listing.sku}"] = canonical(listing)
    return found


def everything(db: Db) -> list[LocationSeed | ItemSeed | ListingSeed]:
    """Return every place, item and listing as files would say it."""
    places = [_turned(each, LocationSeed) for each in _locations(db).values()]
    goods = [
        _turned(msgspec.json.decode(row[0], type=Item), ItemSeed)
        for row in db.all("SELECT doc FROM items ORDER BY sku")
    ]
    connections = [row[0] for row in db.all("SELECT DISTINCT connection FROM listings")]
    return [*places, *goods, *_listings(db, connections)]


def write(db: Db, seeds: Sequence[Seed]) -> None:
    """Write what files say about places, items and listings; what exists keeps its id."""
    _write_locations(db, [seed.value for seed in seeds if seed.kind == "location"])
    _write_items(db, [seed.value for seed in seeds if seed.kind == "item"])
    _write_listings(db, [seed.value for seed in seeds if seed.kind == "listing"])
    bump_version(db)


def missing_stock(db: Db, seeds: Seeds) -> list[OpeningStock]:
    """Return the opening stock that was not taken yet: it is taken once, whatever happens to the file later."""
    taken = {row[0] for row in db.all("SELECT id FROM stock_movements WHERE id LIKE 'opening:%'")}
    items, places = _items(db, {each.sku for each in seeds.stock}), _locations(db)
    missing = []
    for each in seeds.stock:
        item, place = items.get(each.sku), places.get(each.location)
        if item is None or place is None or _movement_id(item, place) not in taken:
            missing.append(each)
    return missing


def add_stock(db: Db, seeds: Seeds) -> None:
    """Take the opening stock that is missing: one receipt per item and place, and the sum on its level."""
    missing = missing_stock(db, seeds)
    items, places, now = _items(db, {each.sku for each in missing}), _locations(db), db.now_us()
    rows, sums = [], []
    for each in missing:
        item, place = items[each.sku], places[each.location]
        micros = to_micros(each.quantity, f"stock.csv: {each.sku}")
        rows.append((_movement_id(item, place), item.id, place.id, "receipt", micros, 0, "opening stock", now))
        sums.append((item.id, place.id, micros, 0))
    db.insert(tables_trade.stock_movements, _MOVEMENT, rows)
    db.add(tables_trade.stock_levels, ("item_id", "location_id"), ("on_hand", "reserved"), sorted(sums))


def _movement_id(item: Item, place: Location) -> str:
    return f"opening:{item.id}:{place.id}"


def _turned(record: Any, kind: type[Any]) -> Any:
    """Return a record as another kind with the same fields but fewer."""
    names = {field.name for field in msgspec.structs.fields(kind)}
    return kind(**{name: value for name, value in msgspec.structs.asdict(record).items() if name in names})


def _locations(db: Db) -> dict[str, Location]:
    rows = db.all("SELECT code, doc FROM locations ORDER BY code")
    return {row[0]: msgspec.json.decode(row[1], type=Location) for row in rows}


def _items(db: Db, skus: Iterable[str]) -> dict[str, Item]:
    sql = f"SELECT sku, doc FROM items WHERE {db.among('sku', 'keys')} ORDER BY sku"
    return {row[0]: msgspec.json.decode(row[1], type=Item) for row in db.all(sql, keys=db.array(sorted(skus)))}


def _listings(db: Db, connections: Iterable[str]) -> list[ListingSeed]:
    sql = (
        "SELECT l.doc, i.sku FROM listings l JOIN items i ON i.id = l.item_id "
        f"WHERE {db.among('l.connection', 'keys')} ORDER BY l.connection, l.sku"
    )
    found = []
    for doc, item in db.all(sql, keys=db.array(sorted(connections))):
        listing = msgspec.json.decode(doc, type=Listing)
        found.append(
            ListingSeed(
                connection=listing.connection, sku=listing.sku, item=item, external_id=listing.external_id,
                buffer=listing.buffer, cap=listing.cap,
            )
        )  # fmt: skip
    return found


def _write_locations(db: Db, seeds: Sequence[LocationSeed]) -> None:
    known = _locations(db)
    made = [Location(id=known[seed.code].id if seed.code in known else _new_id(), **_fields(seed)) for seed in seeds]
    fresh = [(each.id, each.code, _text(each)) for each in made if each.code not in known]
    db.insert(tables_trade.locations, ("id", "code", "doc"), fresh)
    db.update(
        tables_trade.locations, ("id",), ("doc",), [(each.id, _text(each)) for each in made if each.code in known]
    )


def _write_items(db: Db, seeds: Sequence[ItemSeed]) -> None:
    known = _items(db, {seed.sku for seed in seeds})
    made = [Item(id=known[seed.sku].id if seed.sku in known else _new_id(), **_fields(seed)) for seed in seeds]
    rows = [(each.id, each.sku, _gtin(each), _text(each)) for each in made]
    db.insert(tables_trade.items, ("id", "sku", "gtin", "doc"), [row for row in rows if row[1] not in known])
    changed = [(row[0], row[2], row[3]) for row in rows if row[1] in known]
    db.update(tables_trade.items, ("id",), ("gtin", "doc"), changed)


def _write_listings(db: Db, seeds: Sequence[ListingSeed]) -> None:
    items = _items(db, {seed.item for seed in seeds})
    made = []
    for seed in seeds:
        fields = _fields(seed)
        item = items[fields.pop("item")]
        made.append(Listing(item_id=item.id, **fields))
    rows = [(each.connection, each.sku, each.item_id, _text(each)) for each in made]
    db.insert_new(tables_trade.listings, ("connection", "sku", "item_id", "doc"), rows)
    db.update(tables_trade.listings, ("connection", "sku"), ("item_id", "doc"), rows)


def _fields(seed: Any) -> dict[str, Any]:
    return msgspec.structs.asdict(seed)


def _gtin(item: Item) -> str:
    """Return the GTIN as it is looked up: 14 digits."""
    return item.gtin.zfill(14) if item.gtin else ""


def _new_id() -> str:
    return str(uuid_utils.uuid7())


def _text(record: Any) -> str:
    return msgspec.json.encode(record).decode()
