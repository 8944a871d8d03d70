"""The audit trail takes rows and gives none back: the database itself refuses to change or delete them."""

from __future__ import annotations

from alembic import op

revision = "audit_append_only"
down_revision = "config_2"
branch_labels = None
depends_on = None

_SQLITE = """
CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
_FUNCTION = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
"""
_POSTGRES = """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
"""


def upgrade() -> None:
    """Add the triggers."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        op.execute(_POSTGRES)
    else:
        op.execute(_SQLITE.format(verb="UPDATE"))
        op.execute(_SQLITE.format(verb="DELETE"))


def downgrade() -> None:
    """Remove the triggers."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_append_only ON audit")
        op.execute("DROP FUNCTION audit_is_append_only()")
    else:
        op.execute("DROP TRIGGER audit_no_UPDATE")
        op.execute("DROP TRIGGER audit_no_DELETE")
