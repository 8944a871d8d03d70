"""Items and stock: look-ups by set, levels locked in one order, one update for a whole batch."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from hub.domain.money import from_micros, to_micros
from hub.domain.stock import Item, Listing, StockLevel, StockMovement
from hub.store import tables_trade
from hub.store.db import Db
from hub.store.types import from_us, to_us

_item = msgspec.json.Decoder(Item)
_listing = msgspec.json.Decoder(Listing)
_LEVEL = "SELECT item_id, location_id, on_hand, reserved, incoming, safety_stock, source_us FROM stock_levels"


class GoodsPart:
    """The `Goods` port."""

    db: Db
    now: datetime

    def __init__(self) -> None:
        self._levels: dict[tuple[str, str], StockLevel] = {}
        self._locked: set[str] = set()
        self._locked_places: set[str] = set()
        self._stored: set[tuple[str, str]] = set()
        self._movements: list[StockMovement] = []
        self._items: dict[str, Item] = {}
        self._counted: dict[tuple[str, str], datetime] = {}

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Return items by id."""
        wanted = set(ids)
        for item in map(_item.decode, self._column("items", "doc", "id", wanted - self._items.keys())):
            self._items[item.id] = item
        return {each: self._items[each] for each in wanted if each in self._items}

    def listings(self, connection: str, skus: Iterable[str]) -> dict[str, str]:
        """Return item ids by what a connection calls them."""
        wanted = sorted(set(skus) - {""})
        if not wanted:
            return {}
        sql = f"SELECT sku, item_id FROM listings WHERE connection = :connection AND {self.db.among('sku', 'keys')}"
        return {row[0]: row[1] for row in self.db.all(sql, connection=connection, keys=self.db.array(wanted))}

    def items_by_sku(self, skus: Iterable[str]) -> dict[str, str]:
        """Return item ids by our own SKU."""
        return self._ids_by("sku", skus)

    def items_by_gtin(self, gtins: Iterable[str]) -> dict[str, str]:
        """Return item ids by GTIN, compared as 14 digits."""
        wanted = {gtin.zfill(14): gtin for gtin in gtins if gtin}
        return {wanted[found]: item for found, item in self._ids_by("gtin", wanted).items()}

    def channels(self, item_ids: Iterable[str]) -> list[Listing]:
        """Return every listing of these items."""
        return list(map(_listing.decode, self._column("listings", "doc", "item_id", item_ids)))

    def stock(self, item_ids: Iterable[str]) -> list[StockLevel]:
        """Return and lock the stock rows of these items, in (item, location) order."""
        wanted = set(item_ids)
        missing = sorted(wanted - self._locked)
        if missing:
            self._lock("item_id", missing)
            self._locked.update(missing)
        return [self._levels[key] for key in sorted(self._levels) if key[0] in wanted]

    def stock_at(self, location_ids: Iterable[str]) -> list[StockLevel]:
        """Return and lock every stock row of these locations, in (item, location) order."""
        wanted = set(location_ids)
        missing = sorted(wanted - self._locked_places)
        if missing:
            self._lock("location_id", missing)
            self._locked_places.update(missing)
        return [self._levels[key] for key in sorted(self._levels) if key[1] in wanted]

    def _lock(self, column: str, keys: list[str]) -> None:
        """Lock rows and keep their levels; a row that was moved in this unit already keeps its level here."""
        lock = " FOR UPDATE" if self.db.postgres else ""
        sql = f"{_LEVEL} WHERE {self.db.among(column, 'keys')} ORDER BY item_id, location_id{lock}"
        for row in self.db.all(sql, keys=self.db.array(keys)):
            self._levels.setdefault((row[0], row[1]), _level(row))
            self._stored.add((row[0], row[1]))

    def stock_rows(self, keys: Iterable[tuple[str, str]]) -> None:
        """Make and lock the rows of these (item, location) that are not there: what is not there cannot be locked.

        Whoever makes the same rows at the same moment waits for this unit, and sees then what it wrote.
        """
        missing = sorted(set(keys) - self._stored)
        if not missing:
            return
        self.db.insert_new(tables_trade.stock_levels, ("item_id", "location_id"), missing)
        lock = " FOR UPDATE" if self.db.postgres else ""
        sql = f"{_LEVEL} WHERE {self.db.among('item_id', 'keys')} ORDER BY item_id, location_id{lock}"
        for row in self.db.all(sql, keys=self.db.array(sorted({item_id for item_id, _ in missing}))):
            key = row[0], row[1]
            if key not in self._stored:
                self._levels[key] = _sum(_level(row), self._levels.get(key))
                self._stored.add(key)

    def waiting(self, item_ids: Iterable[str], limit: int) -> list[str]:
        """Return the orders that wait for these items, oldest first."""
        sql = (
            f"SELECT order_id FROM reservations WHERE {self.db.among('number', 'keys')} AND state = 'requested' "
            "GROUP BY order_id ORDER BY min(id) LIMIT :limit"
        )
        keys = self.db.array(sorted(set(item_ids)))
        return [row[0] for row in self.db.all(sql, keys=keys, limit=limit)]

    def stock_seen(self, item_ids: Iterable[str]) -> list[StockLevel]:
        """Return stock rows without locking them, as they will be once this unit is flushed."""
        wanted = set(item_ids)
        sql = f"{_LEVEL} WHERE {self.db.among('item_id', 'keys')} ORDER BY item_id, location_id"
        seen = {(row[0], row[1]): _level(row) for row in self.db.all(sql, keys=self.db.array(sorted(wanted)))}
        seen.update({key: level for key, level in self._levels.items() if key[0] in wanted})
        return [seen[key] for key in sorted(seen)]

    def move(self, movement: StockMovement) -> None:
        """Append a movement; the level changes by its deltas."""
        key = (movement.item_id, movement.location_id)
        level = self._levels.get(key) or StockLevel(item_id=key[0], location_id=key[1])
        self._levels[key] = msgspec.structs.replace(
            level,
            on_hand=level.on_hand + movement.on_hand_delta,
            reserved=level.reserved + movement.reserved_delta,
            incoming=level.incoming + movement.incoming_delta,
        )
        self._movements.append(movement)

    def counted(self, item_id: str, location_id: str, at: datetime) -> None:
        """Note the source time of a count that was applied, so that an older one has no effect."""
        key = (item_id, location_id)
        level = self._levels.get(key) or StockLevel(item_id=item_id, location_id=location_id)
        self._levels[key] = msgspec.structs.replace(level, source_at=at)
        self._counted[key] = at

    def flush_goods(self) -> None:
        """Write the movements and add their sums to the levels, in (item, location) order."""
        if not self._movements and not self._counted:
            return
        sums: dict[tuple[str, str], list[int]] = {key: [0, 0] for key in self._counted}
        rows = []
        for each in self._movements:
            hand, held, due = map(to_micros, (each.on_hand_delta, each.reserved_delta, each.incoming_delta))
            total = sums.setdefault((each.item_id, each.location_id), [0, 0])
            total[0] += hand
            total[1] += held
            where = (each.item_id, each.location_id, each.kind)
            rows.append((each.id, *where, hand, held, due, each.order_id, each.reason, to_us(each.at)))
        self.db.insert(tables_trade.stock_movements, _MOVEMENT_COLUMNS, rows)
        levels, key_columns = tables_trade.stock_levels, ("item_id", "location_id")
        self.db.insert_new(levels, key_columns, [key for key in sorted(sums) if key not in self._stored])
        self.db.increase(levels, key_columns, ("on_hand", "reserved"), [(*key, *sums[key]) for key in sorted(sums)])
        self._stored.update(sums)
        self._flush_incoming()
        times = [(*key, to_us(self._counted[key])) for key in sorted(self._counted)]
        self.db.update(levels, key_columns, ("source_us",), times)
        self._movements.clear()
        self._counted.clear()

    def _flush_incoming(self) -> None:
        """Add what is on its way, or came: a thing of few batches, so that the others do not pay for it."""
        sums: dict[tuple[str, str], int] = {}
        for each in self._movements:
            if each.incoming_delta:
                key = (each.item_id, each.location_id)
                sums[key] = sums.get(key, 0) + to_micros(each.incoming_delta)
        if sums:
            rows = [(*key, sums[key]) for key in sorted(sums)]
            self.db.increase(tables_trade.stock_levels, ("item_id", "location_id"), ("incoming",), rows)

    def _ids_by(self, column: str, values: Iterable[str]) -> dict[str, str]:
        wanted = sorted(set(values) - {""})
        if not wanted:
            return {}
        sql = f"SELECT {column}, id FROM items WHERE {self.db.among(column, 'keys')}"
        return {row[0]: row[1] for row in self.db.all(sql, keys=self.db.array(wanted))}

    def _column(self, table: str, column: str, by: str, keys: Iterable[str]) -> list[str]:
        wanted = sorted(set(keys))
        if not wanted:
            return []
        sql = f"SELECT {column} FROM {table} WHERE {self.db.among(by, 'keys')}"
        return [row[0] for row in self.db.all(sql, keys=self.db.array(wanted))]


def _sum(stored: StockLevel, moved: StockLevel | None) -> StockLevel:
    """Add what this unit moved before it knew the row."""
    if moved is None:
        return stored
    return msgspec.structs.replace(
        stored,
        on_hand=stored.on_hand + moved.on_hand,
        reserved=stored.reserved + moved.reserved,
        incoming=stored.incoming + moved.incoming,
    )


def _level(row: Any) -> StockLevel:
    return StockLevel(
        item_id=row[0],
        location_id=row[1],
        on_hand=from_micros(row[2]),
        reserved=from_micros(row[3]),
        incoming=from_micros(row[4]),
        safety_stock=from_micros(row[5]),
        source_at=None if row[6] is None else from_us(row[6]),
    )


_MOVEMENT_COLUMNS = (
    "id", "item_id", "location_id", "kind", "on_hand_delta", "reserved_delta", "incoming_delta", "order_id", "reason",
    "at_us",
)  # fmt: skip
