"""Write the first revisions from the table definitions: `python -m hub.store.migrations.draft`.

Until the first release the tables may change and this is run again; after it, each change is a revision of its own.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from alembic.autogenerate import render_python_code
from alembic.operations import ops
from sqlalchemy import Table

from hub.store import tables, tables_config, tables_trade

_HEAD = '''"""{title}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
{calls}


def downgrade() -> None:
    """Drop the tables."""
{drop}
{make}'''
_TABLE = """

def _{name}() -> None:
{code}
"""
MOST_PER_FILE = 10


def draft() -> dict[str, str]:
    """Return file name -> text of the first revisions, each with a few tables of one area."""
    files: dict[str, str] = {}
    down: str | None = None
    areas = {"pipeline": tables, "trade": tables_trade, "config": tables_config}
    seen: set[str] = set()
    for area, module in areas.items():
        found = [table for table in _tables(module) if table.name not in seen]
        seen |= {table.name for table in found}
        for part, start in enumerate(range(0, len(found), MOST_PER_FILE), 1):
            revision = f"{area}_{part}"
            name = f"{len(files) + 1:04d}_{revision}.py"
            files[name] = _file(revision, down, found[start : start + MOST_PER_FILE])
            down = revision
    return files


def _tables(module: ModuleType) -> list[Table]:
    return [value for value in vars(module).values() if isinstance(value, Table)]


def _file(revision: str, down: str | None, found: Sequence[Table]) -> str:
    drops = ops.DowngradeOps([ops.DropTableOp.from_table(table) for table in reversed(found)])
    names = textwrap.wrap(", ".join(table.name for table in found) + ".", 100)
    makes = {name: make for table in found for name, make in _makes(table)}
    return _HEAD.format(
        title="Tables: " + "\n".join(names),
        revision=revision,
        down=down,
        calls="\n".join(f"    _{name}()" for name in makes),
        drop=_code(drops),
        make="".join(_TABLE.format(name=name, code=_code(make)) for name, make in makes.items()),
    )


def _makes(table: Table) -> Iterator[tuple[str, ops.UpgradeOps]]:
    """Yield what makes a table, and apart from it what makes its indexes, so that each function is short."""
    yield table.name, ops.UpgradeOps([ops.CreateTableOp.from_table(table)])
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    if indexes:
        yield f"{table.name}_indexes", ops.UpgradeOps([ops.CreateIndexOp.from_index(index) for index in indexes])


def _code(operations: ops.UpgradeOps | ops.DowngradeOps) -> str:
    lines = render_python_code(operations).splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith("# ###"))


def main() -> None:
    """Write the files; run `ruff format` on them afterwards."""
    folder = Path(__file__).parent / "versions"
    for name, text in draft().items():
        (folder / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{folder / name}\n")


if __name__ == "__main__":
    main()
