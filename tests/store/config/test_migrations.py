"""The migrated tables are the tables the code means, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, exc, text

from hub.store import audit, migrate, tables_config, tables_sign_in, tables_trade
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
    "sqlite": (
        'SELECT m.name, p.name, p.type, p."notnull", p.dflt_value, p.pk '
        "FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
        "SELECT name, substr(sql, instr(sql, 'CHECK')) FROM sqlite_master WHERE type = 'table' AND sql LIKE '%CHECK%'",
        'SELECT m.name, i."unique", i.origin, i.partial, group_concat(c.name) FROM sqlite_master m, '
        "pragma_index_list(m.name) i, pragma_index_info(i.name) c WHERE m.type = 'table' GROUP BY m.name, i.name",
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'",
    ),
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

    assert migrate.upgrade(database_url) == first == migrate.newest() == "trade_documents"


def test_a_database_of_an_earlier_version_is_brought_up_to_date_with_what_it_holds(database_url: str) -> None:
    move = (
        "INSERT INTO stock_movements (id, item_id, location_id, kind, on_hand_delta) VALUES ('m', 'i', 'l', 'count', 5)"
    )
    engine = open_engine(database_url)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        command.upgrade(migrate._alembic(connection=connection), "audit_append_only")
        connection.execute(text(move))
    engine.dispose()

    migrate.upgrade(database_url)

    store = Store(database_url)
    assert store.read(lambda db: db.all("SELECT id, on_hand_delta, incoming_delta FROM stock_movements")) == [
        ("m", 5, 0)
    ]
    assert store.read(lambda db: db.all("SELECT id FROM trade_documents")) == []
    store.close()


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_the_audit_trail(database_url: str, statement: str) -> None:
    migrate.upgrade(database_url)
    store = Store(database_url)
    store.write(lambda db: audit.append(db, "a person", "test", "nothing"))

    with pytest.raises((exc.DBAPIError), match="append-only"):
        store.write(lambda db: db.run(statement))

    assert store.read(audit.verify).rows == 1
    store.close()
