"""Table trade_documents; what a stock movement does to what is on its way; invoices are found by number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "trade_documents"
down_revision = "sign_in"
branch_labels = None
depends_on = None

_TEXTS = ("order_id", "number", "state", "target", "parent_id", "partner")


def upgrade() -> None:
    """Make the table, the column and the indexes."""
    op.create_table(
        "trade_documents",
        sa.Column("id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), server_default="", nullable=False) for name in _TEXTS),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("trade_documents_number", "trade_documents", ["number"], unique=False)
    op.create_index("trade_documents_order", "trade_documents", ["order_id"], unique=False)
    op.create_index("invoices_number", "invoices", ["number"], unique=False)
    incoming = sa.Column("incoming_delta", sa.BigInteger(), server_default="0", nullable=False)
    op.add_column("stock_movements", incoming)


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("stock_movements", "incoming_delta")
    op.drop_index("invoices_number", table_name="invoices")
    op.drop_table("trade_documents")
