"""How Alembic runs the revisions: on the connection that `hub.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from hub.store import tables_config, tables_sign_in, tables_trade
from hub.store.tables import metadata

AREAS = (tables_trade, tables_config, tables_sign_in)
"""Imported so that the metadata is whole."""


def run() -> None:
    """Apply what is missing in one transaction."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


run()
