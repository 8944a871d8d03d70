"""Bring the tables of a database up to date. Doing it twice, or from two processes at once, is harmless."""

from __future__ import annotations

import logging
import random
import threading
import time
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, exc, text
from sqlalchemy.engine import make_url

from hub.domain.errors import RetryLater
from hub.store.store import open_engine

_LOCK = 726_002
_NOT_IN_TIME = "55P03"
_OLDEST = """
SELECT pid, application_name, extract(epoch from clock_timestamp() - xact_start)::bigint, left(query, 80)
FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
ORDER BY xact_start LIMIT 1
"""
log = logging.getLogger(__name__)
LONGEST_WAIT = "1s"
"""How long an upgrade may wait for a lock: intake waits behind it for no longer."""
PAUSE = (1.0, 3.0)
"""Seconds between two tries, from and to: what waited meanwhile gets its turn."""
PATIENCE = 600.0
_FOLDER = Path(__file__).parent / "migrations"


def upgrade(url: str, *, patience: float = PATIENCE) -> str:
    """Apply the revisions that are missing, all or none, and return the revision the database has then.

    Whoever wants a table waits behind an upgrade that waits for it. So it waits for a moment only, steps back and tries
    again; raises RetryLater, with who holds the table, after so many seconds.
    """
    database = make_url(url).database
    if url.startswith("sqlite") and database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(url, 1)
    until, pause = time.monotonic() + patience, threading.Event()
    try:
        while True:
            try:
                return _upgrade(engine)
            except exc.OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != _NOT_IN_TIME:
                    raise
                held = _holders(engine)
                if time.monotonic() > until:
                    raise RetryLater(f"the tables were not changed: {held}; end it, then upgrade again") from error
                log.warning("the upgrade steps back, so that nobody waits behind it: %s; it tries again", held)
                pause.wait(random.uniform(*PAUSE))
    finally:
        engine.dispose()


def _upgrade(engine: Engine) -> str:
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'"))
        command.upgrade(_alembic(connection=connection), "head")
        return revision(connection)


def _holders(engine: Engine) -> str:
    """Say who has had a transaction open for longest: that is whose end the upgrade waits for."""
    with engine.connect() as connection:
        row = connection.execute(text(_OLDEST)).first()
    if row is None:
        return "somebody held a table for longer than an upgrade may wait"
    pid, name, seconds, query = row
    return f"process {pid} of the database ({name or 'unnamed'}) has had a transaction open for {seconds} s ({query})"


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
