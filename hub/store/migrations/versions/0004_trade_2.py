"""Tables: items, listings, locations, stock_levels, stock_movements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "trade_2"
down_revision = "trade_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _items()
    _items_indexes()
    _listings()
    _listings_indexes()
    _locations()
    _stock_levels()
    _stock_movements()
    _stock_movements_indexes()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("stock_movements")
    op.drop_table("stock_levels")
    op.drop_table("locations")
    op.drop_table("listings")
    op.drop_table("items")


def _items() -> None:
    op.create_table(
        "items",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), server_default="", nullable=False),
        sa.Column("gtin", sa.Text(), server_default="", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sku"),
    )


def _items_indexes() -> None:
    op.create_index("items_gtin", "items", ["gtin"], unique=False)


def _listings() -> None:
    op.create_table(
        "listings",
        sa.Column("connection", sa.Text(), server_default="", nullable=False),
        sa.Column("sku", sa.Text(), server_default="", nullable=False),
        sa.Column("item_id", sa.Text(), server_default="", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("connection", "sku"),
    )


def _listings_indexes() -> None:
    op.create_index("listings_item", "listings", ["item_id"], unique=False)


def _locations() -> None:
    op.create_table(
        "locations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )


def _stock_levels() -> None:
    op.create_table(
        "stock_levels",
        sa.Column("item_id", sa.Text(), server_default="", nullable=False),
        sa.Column("location_id", sa.Text(), server_default="", nullable=False),
        sa.Column("on_hand", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("incoming", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("safety_stock", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("source_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("reserved >= 0", name="stock_reserved"),
        sa.PrimaryKeyConstraint("item_id", "location_id"),
    )


def _stock_movements() -> None:
    op.create_table(
        "stock_movements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), server_default="", nullable=False),
        sa.Column("location_id", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("on_hand_delta", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved_delta", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("at_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _stock_movements_indexes() -> None:
    op.create_index("stock_movements_item", "stock_movements", ["item_id", "location_id"], unique=False)
