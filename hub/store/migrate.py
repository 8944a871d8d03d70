"""Bring the tables of a database up to date. Doing it twice, or from two processes at once, is harmless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from hub.store.store import open_engine

_LOCK = 726_002
_FOLDER = Path(__file__).parent / "migrations"


def upgrade(url: str) -> str:
    """Apply the revisions that are missing, all or none, and return the revision the database has then."""
    database = make_url(url).database
    if url.startswith("sqlite") and database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(url, 1)
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            command.upgrade(_alembic(connection=connection), "head")
            return revision(connection)
    finally:
        engine.dispose()


def revision(connection: Connection) -> str:
    """Return the revision a database has, or '' where it has none yet."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def newest() -> str:
    """Return the revision that this version of the hub needs."""
    return ScriptDirectory.from_config(_alembic()).get_current_head() or ""


def _alembic(**attributes: Any) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes.update(attributes)
    return config
