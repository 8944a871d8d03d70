"""Orders as a list and as one page: where to look, and everything that belongs to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.domain.order import Order
from hub.store.db import Db
from hub.store.specs import SPECS

PAGE = 50
WINDOW = 5_000
"""Filters that no index serves look through this many orders a page, the newest first."""
MOST_ROWS = 500
_ROW = (
    "id, number, external_id, connection, partner, phase, acceptance, payment, fulfillment, currency, grand_micros, "
    "placed_us, received_us"
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows, and the cursor of the next page ('' at the end)."""

    rows: Sequence[Any]
    after: str = ""


def orders(db: Db, *, phase: str = "", connection: str = "", after: str = "", most: int = PAGE) -> Page:
    """Return orders, the newest first, from a cursor on; filters look through WINDOW orders a page."""
    received, _, order_id = after.partition("_")
    start = "" if not after else "WHERE received_us <= :received AND (received_us < :received OR id < :id) "
    window = WINDOW if phase or connection else most + 1
    found = db.all(
        f"SELECT * FROM (SELECT {_ROW} FROM orders {start}ORDER BY received_us DESC, id DESC LIMIT :window) recent "
        "WHERE (:phase = '' OR phase = :phase) AND (:connection = '' OR connection = :connection) "
        "ORDER BY received_us DESC, id DESC LIMIT :most",
        phase=phase, connection=connection, window=window, most=most + 1, **_from(after, received, order_id),
    )  # fmt: skip
    if len(found) > most:
        last = found[most - 1]
        return Page(rows=found[:most], after=f"{last.received_us}_{last.id}")
    return Page(
        rows=found,
        after=_window_end(db, start, window, _from(after, received, order_id)) if phase or connection else "",
    )


def _from(after: str, received: str, order_id: str) -> dict[str, Any]:
    if not after:
        return {}
    return {"received": int(received) if received.isdecimal() else 0, "id": order_id}


def _window_end(db: Db, start: str, window: int, values: dict[str, Any]) -> str:
    row = db.one(
        f"SELECT id, received_us FROM orders {start}ORDER BY received_us DESC, id DESC LIMIT 1 OFFSET :window",
        window=window - 1, **values,
    )  # fmt: skip
    return f"{row.received_us}_{row.id}" if row else ""


def search(db: Db, wanted: str, accounts: Sequence[str]) -> list[Any]:
    """Find orders by number, their id or ours; else by any text (a SKU, a name) within the last WINDOW orders."""
    found = db.all(
        f"SELECT {_ROW} FROM orders WHERE number = :wanted ORDER BY received_us DESC LIMIT {PAGE}", wanted=wanted
    )
    found += db.all(
        f"SELECT {_ROW} FROM orders WHERE {db.among('account', 'accounts')} AND external_id = :wanted LIMIT {PAGE}",
        wanted=wanted, accounts=db.array(accounts),
    )  # fmt: skip
    found += db.all(f"SELECT {_ROW} FROM orders WHERE id = :wanted", wanted=wanted)
    found += _linked(db, wanted, accounts)
    if not found:
        found = db.all(
            f"SELECT {_ROW} FROM (SELECT {_ROW}, doc FROM orders ORDER BY received_us DESC, id DESC LIMIT {WINDOW}) r "
            "WHERE lower(doc) LIKE :like ESCAPE '!' ORDER BY received_us DESC LIMIT :most",
            like=f"%{_escaped(wanted.lower())}%", most=PAGE,
        )  # fmt: skip
    return list({row.id: row for row in found}.values())


def _linked(db: Db, wanted: str, connections: Sequence[str]) -> list[Any]:
    """Find orders by what a destination calls them."""
    columns = ", ".join(f"o.{name.strip()}" for name in _ROW.split(","))
    return db.all(
        f"SELECT {columns} FROM links k JOIN orders o ON o.id = k.our_id "
        f"WHERE {db.among('k.connection', 'connections')} AND k.external_id = :wanted LIMIT {PAGE}",
        connections=db.array(connections), wanted=wanted,
    )  # fmt: skip


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def order(db: Db, order_id: str) -> tuple[Order, str] | None:
    """Return an order and its phase as stored."""
    row = db.one("SELECT doc, phase FROM orders WHERE id = :id", id=order_id)
    return (SPECS[Order].decode(row.doc), row.phase) if row else None


def records(db: Db, order_id: str) -> list[Any]:
    """Return what hangs below an order: (kind, id, number, state, target, created_us)."""
    found: list[Any] = []
    for table in ("fulfillment_orders", "shipments", "purchase_orders", "invoices", "acknowledgements", "reservations"):
        found += db.all(
            f"SELECT '{table.removesuffix('s')}' AS kind, id, number, state, target, created_us FROM {table} "
            f"WHERE order_id = :id ORDER BY id LIMIT {MOST_ROWS}",
            id=order_id,
        )
    return found


def links(db: Db, order_id: str) -> list[Any]:
    """Return what others call this order."""
    return db.all(
        "SELECT connection, kind, external_id, role FROM links WHERE our_id = :id "
        f"ORDER BY connection LIMIT {MOST_ROWS}",
        id=order_id,
    )  # fmt: skip
