"""Tables: totp_secrets, recovery_codes, passkeys, identities, sign_in_steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sign_in"
down_revision = "audit_append_only"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _totp_secrets()
    _recovery_codes()
    _passkeys()
    _identities()
    _sign_in_steps()


def downgrade() -> None:
    """Drop the tables."""
    for name in ("sign_in_steps", "identities", "passkeys", "recovery_codes", "totp_secrets"):
        op.drop_table(name)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _totp_secrets() -> None:
    op.create_table(
        "totp_secrets",
        sa.Column("user_id", sa.Text(), nullable=False),
        _number("version"),
        _text("key_id"),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        _number("created_us"),
        sa.Column("confirmed_us", sa.BigInteger(), nullable=True),
        _number("last_step"),
        sa.PrimaryKeyConstraint("user_id"),
    )


def _recovery_codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.Text(), nullable=False),
        _text("user_id"),
        _number("created_us"),
        sa.Column("used_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_index("recovery_codes_user", "recovery_codes", ["user_id"])


def _passkeys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Text(), nullable=False),
        _text("user_id"),
        _text("name"),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        _number("sign_count"),
        _number("created_us"),
        sa.Column("used_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("passkeys_user", "passkeys", ["user_id"])


def _identities() -> None:
    op.create_table(
        "identities",
        _text("issuer"),
        _text("subject"),
        _text("user_id"),
        _number("made_user"),
        _number("created_us"),
        sa.Column("used_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("identities_user", "identities", ["user_id"])


def _sign_in_steps() -> None:
    op.create_table(
        "sign_in_steps",
        sa.Column("token_hash", sa.Text(), nullable=False),
        _text("kind"),
        _text("user_id"),
        _text("value"),
        _number("expires_us"),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("sign_in_steps_expires", "sign_in_steps", ["expires_us"])
