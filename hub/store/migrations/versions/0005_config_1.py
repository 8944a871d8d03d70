"""Tables: config_version, config_records, mappings, published_mappings, secrets, notes, users, sessions,
sign_in_tokens, sign_in_failures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "config_1"
down_revision = "trade_2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _config_version()
    _config_records()
    _mappings()
    _mappings_indexes()
    _published_mappings()
    _secrets()
    _notes()
    _users()
    _sessions()
    _sign_in_tokens()
    _sign_in_failures()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("sign_in_failures")
    op.drop_table("sign_in_tokens")
    op.drop_table("sessions")
    op.drop_table("users")
    op.drop_table("notes")
    op.drop_table("secrets")
    op.drop_table("published_mappings")
    op.drop_table("mappings")
    op.drop_table("config_records")
    op.drop_table("config_version")


def _config_version() -> None:
    op.create_table(
        "config_version",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _config_records() -> None:
    op.create_table(
        "config_records",
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("doc", sa.Text(), server_default="", nullable=False),
        sa.Column("seed_sha", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("kind", "name"),
    )


def _mappings() -> None:
    op.create_table(
        "mappings",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("document", sa.Text(), server_default="", nullable=False),
        sa.Column("direction", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("published_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("published_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )


def _mappings_indexes() -> None:
    op.create_index("mappings_name", "mappings", ["name", "published_us"], unique=False)


def _published_mappings() -> None:
    op.create_table(
        "published_mappings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("published_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("key_id", sa.Text(), server_default="", nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("connection", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("connection", "name"),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("disabled_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id_hash"),
    )


def _sign_in_tokens() -> None:
    op.create_table(
        "sign_in_tokens",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
    )


def _sign_in_failures() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("until_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
