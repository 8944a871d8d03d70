"""The migrated tables are the tables the code means, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, exc, text

from hub.store import audit, migrate, tables_config, tables_sign_in, tables_trade
from hub.store.migrations.draft import draft
from hub.store.store import Store, open_engine
from hub.store.tables import metadata

AREAS = (tables_config, tables_sign_in, tables_trade)
SHAPES = {
    "postgresql": (
        "SELECT table_name, column_name, data_type, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) "
        "FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    ),
    "sqlite": ("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite_%'",),
}


def shape(engine: Engine) -> set[str]:
    """Every table, column, default, key and index, as the database itself describes them."""
    with engine.connect() as connection:
        rows = [row for query in SHAPES[engine.dialect.name] for row in connection.execute(text(query)).all()]
    described = {re.sub(r'["\s]+', " ", " ".join(str(part) for part in row)) for row in rows}
    return {line for line in described if "alembic_version" not in line}


def test_the_migrated_tables_are_those_of_the_code(database_url: str) -> None:
    migrate.upgrade(database_url)

    engine = open_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrated_and_created_tables_do_not_differ_in_any_index_or_default(
    database_kind: str, new_database: Callable[[str], str]
) -> None:
    migrated, created = (new_database(database_kind) for _ in range(2))
    migrate.upgrade(migrated)
    engines = [open_engine(migrated), open_engine(created)]
    metadata.create_all(engines[1])

    assert shape(engines[0]) == shape(engines[1])

    for engine in engines:
        engine.dispose()


def test_upgrading_again_changes_nothing(database_url: str) -> None:
    first = migrate.upgrade(database_url)

    assert migrate.upgrade(database_url) == first == migrate.newest() == "sign_in"


def test_the_first_revisions_are_what_the_table_definitions_give() -> None:
    for name, drafted in draft().items():
        kept = (migrate._FOLDER / "versions" / name).read_text(encoding="utf-8")
        assert _bare(kept) == _bare(drafted), f"{name} is stale: python -m hub.store.migrations.draft"


def _bare(code: str) -> str:
    return re.sub(r"[\s,]+", "", code).replace("'", '"')


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_the_audit_trail(database_url: str, statement: str) -> None:
    migrate.upgrade(database_url)
    store = Store(database_url)
    store.write(lambda db: audit.append(db, "a person", "test", "nothing"))

    with pytest.raises((exc.DBAPIError), match="append-only"):
        store.write(lambda db: db.run(statement))

    assert store.read(audit.verify).rows == 1
    store.close()
