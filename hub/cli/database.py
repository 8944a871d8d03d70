"""The database as a command uses it: opened for the command alone, and only when its tables are up to date."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from hub.domain.errors import RetryLater
from hub.settings import HubSettings, hub_settings
from hub.store import migrate
from hub.store.store import Store


def settings() -> HubSettings:
    """Read this process's settings from the environment."""
    return hub_settings(os.environ)


def who() -> str:
    """Return who is at the keyboard, for the audit trail."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


@contextmanager
def opened(given: HubSettings | None = None) -> Iterator[Store]:
    """Open the store of the settings; says what to do where it is not there or its tables are old."""
    url = (given or settings()).database
    if not exists(url):
        raise click.ClickException(f"there is no database at {shown(url)}; run hub db upgrade first")
    store = Store(url, pool_size=2)
    try:
        state = revision_of(store)
        if state != migrate.newest():
            found = f"at {state}, this hub needs {migrate.newest()}" if state else "not there"
            raise click.ClickException(f"the tables of {shown(url)} are {found}; run hub db upgrade")
        yield store
    finally:
        store.close()


def revision_of(store: Store) -> str:
    """Return the revision of the tables, '' where there are none."""
    try:
        with store.engine.connect() as connection:
            return migrate.revision(connection)
    except Exception as error:
        raise RetryLater(f"the database at {shown(store.url)} does not answer: {error}") from error


def exists(url: str) -> bool:
    """Say whether a SQLite file is there; of a server that is not known before it is asked."""
    parsed = make_url(url)
    return not parsed.drivername.startswith("sqlite") or Path(parsed.database or "").is_file()


def shown(url: str) -> str:
    """Return the address without its password."""
    return make_url(url).render_as_string(hide_password=True)
