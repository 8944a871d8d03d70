"""Tables: orders, holds, fulfillment_orders, shipments, purchase_orders, invoices, acknowledgements,
stock_reports, reservations, links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "trade_1"
down_revision = "pipeline_2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _orders()
    _orders_indexes()
    _holds()
    _holds_indexes()
    _fulfillment_orders()
    _fulfillment_orders_indexes()
    _shipments()
    _shipments_indexes()
    _purchase_orders()
    _purchase_orders_indexes()
    _invoices()
    _invoices_indexes()
    _acknowledgements()
    _acknowledgements_indexes()
    _stock_reports()
    _reservations()
    _reservations_indexes()
    _links()
    _links_indexes()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("links")
    op.drop_table("reservations")
    op.drop_table("stock_reports")
    op.drop_table("acknowledgements")
    op.drop_table("invoices")
    op.drop_table("purchase_orders")
    op.drop_table("shipments")
    op.drop_table("fulfillment_orders")
    op.drop_table("holds")
    op.drop_table("orders")


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), server_default="", nullable=False),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("connection", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("phase", sa.Text(), server_default="", nullable=False),
        sa.Column("acceptance", sa.Text(), server_default="", nullable=False),
        sa.Column("payment", sa.Text(), server_default="", nullable=False),
        sa.Column("fulfillment", sa.Text(), server_default="", nullable=False),
        sa.Column("cancellation", sa.Text(), server_default="", nullable=False),
        sa.Column("currency", sa.Text(), server_default="", nullable=False),
        sa.Column("grand_micros", sa.BigInteger(), nullable=True),
        sa.Column("placed_us", sa.BigInteger(), nullable=True),
        sa.Column("received_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "external_id", name="orders_identity"),
    )


def _orders_indexes() -> None:
    op.create_index("orders_number", "orders", ["number"], unique=False)
    op.create_index("orders_received", "orders", ["received_us"], unique=False)


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.Column("placed_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("order_id", "code", "value"),
    )


def _holds_indexes() -> None:
    op.create_index("holds_cause", "holds", ["code", "value"], unique=False)


def _fulfillment_orders() -> None:
    op.create_table(
        "fulfillment_orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _fulfillment_orders_indexes() -> None:
    op.create_index("fulfillment_orders_number", "fulfillment_orders", ["number"], unique=False)
    op.create_index("fulfillment_orders_order", "fulfillment_orders", ["order_id"], unique=False)


def _shipments() -> None:
    op.create_table(
        "shipments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _shipments_indexes() -> None:
    op.create_index("shipments_number", "shipments", ["number"], unique=False)
    op.create_index("shipments_order", "shipments", ["order_id"], unique=False)


def _purchase_orders() -> None:
    op.create_table(
        "purchase_orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _purchase_orders_indexes() -> None:
    op.create_index("purchase_orders_number", "purchase_orders", ["number"], unique=False)
    op.create_index("purchase_orders_order", "purchase_orders", ["order_id"], unique=False)


def _invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _invoices_indexes() -> None:
    op.create_index("invoices_order", "invoices", ["order_id"], unique=False)


def _acknowledgements() -> None:
    op.create_table(
        "acknowledgements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _acknowledgements_indexes() -> None:
    op.create_index("acknowledgements_order", "acknowledgements", ["order_id"], unique=False)


def _stock_reports() -> None:
    op.create_table(
        "stock_reports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _reservations_indexes() -> None:
    op.create_index("reservations_order", "reservations", ["order_id"], unique=False)
    op.create_index(
        "reservations_waiting",
        "reservations",
        ["number"],
        unique=False,
        postgresql_where=sa.text("state = 'requested'"),
        sqlite_where=sa.text("state = 'requested'"),
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("connection", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("our_id", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "external_id"),
    )


def _links_indexes() -> None:
    op.create_index("links_our_id", "links", ["our_id"], unique=False)
    op.create_index(
        "links_ours",
        "links",
        ["connection", "kind", "our_id"],
        unique=True,
        postgresql_where=sa.text("role = 'primary'"),
        sqlite_where=sa.text("role = 'primary'"),
    )
