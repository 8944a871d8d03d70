"""Tables: cursors, control_numbers, controls_issued, expected_receipts, processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "pipeline_2"
down_revision = "pipeline_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _cursors()
    _control_numbers()
    _controls_issued()
    _expected_receipts()
    _expected_receipts_indexes()
    _processes()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("processes")
    op.drop_table("expected_receipts")
    op.drop_table("controls_issued")
    op.drop_table("control_numbers")
    op.drop_table("cursors")


def _cursors() -> None:
    op.create_table(
        "cursors",
        sa.Column("connection", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("cursor", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind"),
    )


def _control_numbers() -> None:
    op.create_table(
        "control_numbers",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )


def _controls_issued() -> None:
    op.create_table(
        "controls_issued",
        sa.Column("scope", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("delivery_id", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("scope", "number"),
    )


def _expected_receipts() -> None:
    op.create_table(
        "expected_receipts",
        sa.Column("delivery_id", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("connection", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("control_key", sa.Text(), server_default="", nullable=False),
        sa.Column("due_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "kind"),
    )


def _expected_receipts_indexes() -> None:
    op.create_index("expected_receipts_control", "expected_receipts", ["connection", "control_key"], unique=False)
    op.create_index(
        "expected_receipts_due",
        "expected_receipts",
        ["due_us"],
        unique=False,
        postgresql_where=sa.text("state = 'due'"),
        sqlite_where=sa.text("state = 'due'"),
    )


def _processes() -> None:
    op.create_table(
        "processes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("lanes", sa.Text(), server_default="", nullable=False),
        sa.Column("started_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
