"""Backups that are proven: written, read back, counted, with a note beside that says what must come out again.

SQLite is copied by its own online backup, PostgreSQL by pg_dump under the same snapshot that the counts were taken in.
The master key is not part of a backup: keep it elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL, make_url

from hub.domain.errors import Problem, Rejected, RetryLater
from hub.store.migrate import revision
from hub.store.store import open_engine

Progress = Callable[[int, int], None]
_PAGES = 2000
_LONGEST_SECONDS = 6 * 3600


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds; it lies beside it as `<backup>.json`."""

    kind: str
    revision: str
    sha256: str
    size: int
    rows: dict[str, int]


def backup(url: str, file: Path, progress: Progress = lambda _done, _of: None) -> Note:
    """Write a backup and its note; raises Rejected where the copy is not whole."""
    if file.exists():
        raise _wrong(file, "is there already; name a new file, so that no backup is lost")
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.part")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    sqlite = url.startswith("sqlite")
    state, rows = _copy_sqlite(url, beside, progress) if sqlite else _dump_postgres(url, beside)
    kind = "sqlite" if sqlite else "postgres"
    note = Note(kind=kind, revision=state, sha256=_sha(beside), size=beside.stat().st_size, rows=rows)
    _note_file(file).write_bytes(msgspec.json.format(msgspec.json.encode(note), indent=2))
    beside.replace(file)
    return note


def restore(url: str, file: Path) -> Note:
    """Put a backup into an empty database and compare every count; raises Rejected where anything differs."""
    note = read_note(file)
    if _sha(file) != note.sha256:
        raise _wrong(file, "is not the file that its note describes; it was changed or cut off")
    if note.kind != ("sqlite" if url.startswith("sqlite") else "postgres"):
        raise _wrong(file, f"is a backup of {note.kind}; restore it into a database of that kind")
    if url.startswith("sqlite"):
        _restore_sqlite(url, file)
    else:
        _restore_postgres(url, file)
    state, rows = _counted(url)
    differing = [
        f"{name}: {rows.get(name)} instead of {count}" for name, count in note.rows.items() if rows.get(name) != count
    ]
    if differing or state != note.revision:
        raise _wrong(file, f"did not come back whole: {'; '.join(differing) or f'revision {state}'}")
    return note


def read_note(file: Path) -> Note:
    """Return the note of a backup."""
    try:
        return msgspec.json.decode(_note_file(file).read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError) as error:
        raise _wrong(_note_file(file), "is missing or damaged; a backup is two files, restore both") from error


def _copy_sqlite(url: str, file: Path, progress: Progress) -> tuple[str, dict[str, int]]:
    source_file = make_url(url).database or ""
    with (
        closing(sqlite3.connect(f"file:{source_file}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(file)) as copy,
    ):
        source.backup(copy, pages=_PAGES, progress=lambda _, left, of: progress(of - left, of), sleep=0.01)
        copy.execute("PRAGMA journal_mode=DELETE")
        answer = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if answer != "ok":
        raise _wrong(file, f"the copy is damaged: {answer}")
    return _counted(f"sqlite:///{file}")


def _restore_sqlite(url: str, file: Path) -> None:
    target = Path(make_url(url).database or "")
    if target.exists():
        raise _wrong(target, "is there already; stop the hub and move it away with its -wal and -shm files first")
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.part")
    shutil.copyfile(file, beside)
    beside.replace(target)


def _dump_postgres(url: str, file: Path) -> tuple[str, dict[str, int]]:
    engine = open_engine(url, 1)
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
            snapshot = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
            _run(url, "pg_dump", f"--snapshot={snapshot}", "--format=custom", "--no-owner", f"--file={file}")
            return _counts(connection)
    finally:
        engine.dispose()


def _restore_postgres(url: str, file: Path) -> None:
    engine = open_engine(url, 1)
    try:
        found = inspect(engine).get_table_names()
    finally:
        engine.dispose()
    if found:
        raise _wrong(file, f"the database has tables already ({', '.join(sorted(found)[:3])}, …); name an empty one")
    _run(url, "pg_restore", "--exit-on-error", "--no-owner", "--single-transaction", str(file))


def _run(url: str, program: str, *arguments: str) -> None:
    """Run a PostgreSQL program; the password goes by the environment, never by the command line."""
    found = shutil.which(program)
    if found is None:
        raise Rejected(
            f"{program} is not installed here; install the PostgreSQL client (postgresql-client) and try again"
        )
    parsed = make_url(url)
    environment = {**os.environ, "PGPASSWORD": parsed.password or os.environ.get("PGPASSWORD", "")}
    command = [found, f"--dbname={_plain(parsed)}", *arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
    )
    if done.returncode:
        raise RetryLater(f"{program} failed: {done.stderr.strip()[-1000:]}")


def _plain(parsed: URL) -> str:
    return URL.create(
        "postgresql", username=parsed.username, host=parsed.host, port=parsed.port, database=parsed.database,
        query=parsed.query,
    ).render_as_string(hide_password=False)  # fmt: skip


def _counted(url: str) -> tuple[str, dict[str, int]]:
    engine = open_engine(url, 1)
    try:
        with engine.connect() as connection:
            return _counts(connection)
    finally:
        engine.dispose()


def _counts(connection: Connection) -> tuple[str, dict[str, int]]:
    names = sorted(inspect(connection).get_table_names())
    rows: Mapping[str, int] = {
        name: int(connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()) for name in names
    }
    return revision(connection), dict(rows)


def _sha(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _note_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def _wrong(file: Path, problem: str) -> Rejected:
    return Rejected([Problem(code="backup", path=str(file), text=problem)])
