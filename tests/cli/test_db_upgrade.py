"""`hub db upgrade` on a database that holds nothing, which other tests copy and do not make."""

from __future__ import annotations

from hub.store import migrate
from hub.store.store import Store

from .conftest import Hub


def test_upgrade_makes_the_tables_of_an_empty_database(hub: Hub, surroundings: dict[str, str]) -> None:
    assert hub("db", "upgrade").exit_code == 0

    store = Store(surroundings["HUB_DATABASE_URL"], pool_size=1)
    assert store.read(lambda db: db.one("SELECT count(*) FROM work")) == (0,)
    with store.engine.connect() as connection:
        assert migrate.revision(connection) == migrate.newest()
    store.close()
