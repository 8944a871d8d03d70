"""The tables of trade: orders and what follows from them, items, places and stock."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from hub.store.tables import metadata, number, partial, string

orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    string("account"),
    string("external_id"),
    string("number"),
    string("connection"),
    string("partner"),
    string("phase"),
    string("acceptance"),
    string("payment"),
    string("fulfillment"),
    string("cancellation"),
    string("currency"),
    number("grand_micros", null=True),
    number("placed_us", null=True),
    number("received_us"),
    number("version"),
    string("doc"),
    UniqueConstraint("account", "external_id", name="orders_identity"),
)
Index("orders_received", orders.c.received_us)
Index("orders_number", orders.c.number)

holds = Table(
    "holds",
    metadata,
    string("order_id"),
    string("code"),
    string("value"),
    number("placed_us"),
    PrimaryKeyConstraint("order_id", "code", "value"),
)
Index("holds_cause", holds.c.code, holds.c.value)


def record_table(name: str, *, numbered: bool = True, ordered: bool = True, mixed: bool = False) -> Table:
    """Return a table for one kind of record; the whole record is in `doc`. It is found by its number and its order.

    A mixed one holds several kinds, each row with the name of its own.
    """
    table = Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        string("order_id"),
        string("number"),
        string("state"),
        string("target"),
        string("parent_id"),
        string("partner"),
        number("created_us"),
        number("version"),
        string("doc"),
        *([string("kind")] if mixed else ()),
    )
    if ordered:
        Index(f"{name}_order", table.c.order_id)
    if numbered:
        Index(f"{name}_number", table.c.number)
    return table


fulfillment_orders = record_table("fulfillment_orders")
shipments = record_table("shipments")
purchase_orders = record_table("purchase_orders")
invoices = record_table("invoices")
acknowledgements = record_table("acknowledgements", numbered=False)
stock_reports = record_table("stock_reports", numbered=False, ordered=False)
reservations = record_table("reservations", numbered=False)
partial("reservations_waiting", reservations.c.number, where="state = 'requested'")

links = Table(
    "links",
    metadata,
    string("connection"),
    string("kind"),
    string("external_id"),
    string("our_id"),
    string("role"),
    PrimaryKeyConstraint("connection", "kind", "external_id"),
)
partial("links_ours", links.c.connection, links.c.kind, links.c.our_id, where="role = 'primary'", unique=True)
Index("links_our_id", links.c.our_id)

items = Table(
    "items",
    metadata,
    Column("id", Text, primary_key=True),
    string("sku", unique=True),
    string("gtin"),
    string("doc"),
)
Index("items_gtin", items.c.gtin)

listings = Table(
    "listings",
    metadata,
    string("connection"),
    string("sku"),
    string("item_id"),
    string("doc"),
    PrimaryKeyConstraint("connection", "sku"),
)
Index("listings_item", listings.c.item_id)

locations = Table(
    "locations", metadata, Column("id", Text, primary_key=True), string("code", unique=True), string("doc")
)

stock_levels = Table(
    "stock_levels",
    metadata,
    string("item_id"),
    string("location_id"),
    number("on_hand"),
    number("reserved"),
    number("incoming"),
    number("safety_stock"),
    number("source_us", null=True),
    PrimaryKeyConstraint("item_id", "location_id"),
    CheckConstraint("reserved >= 0", name="stock_reserved"),
)

stock_movements = Table(
    "stock_movements",
    metadata,
    Column("id", Text, primary_key=True),
    string("item_id"),
    string("location_id"),
    string("kind"),
    number("on_hand_delta"),
    number("reserved_delta"),
    number("incoming_delta"),
    string("order_id"),
    string("reason"),
    number("at_us"),
)
Index("stock_movements_item", stock_movements.c.item_id, stock_movements.c.location_id)

trade_documents = record_table("trade_documents", mixed=True)
