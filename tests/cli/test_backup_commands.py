"""backup and restore: what was written comes out again, count by count, or the command fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from hub.domain.message import Incoming
from hub.domain.work import WorkItem
from hub.store import tables
from hub.store.config import load_config
from hub.store.db import Db
from hub.store.inbox import Batch, store_batches
from hub.store.queue import add_work
from hub.store.store import Store
from hub.store.vault import Vault

Hub = Callable[..., Result]


@pytest.fixture(autouse=True)
def _client(database_kind: str) -> None:
    if database_kind == "postgres" and shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed here")


@pytest.fixture
def kept(ready: Hub, config: Path, tmp_path: Path) -> Path:
    """A backup of a hub that holds a configuration and a secret."""
    assert config
    ready("apply")
    ready("secret", "set", "shop.token", given="open sesame\n")
    done = ready("backup", str(tmp_path / "kept" / "hub.backup"))
    assert done.exit_code == 0, done.output
    assert "read back" in done.output
    return tmp_path / "kept" / "hub.backup"


def elsewhere(surroundings: dict[str, str], new_database: Callable[[str], str], kind: str, tmp_path: Path) -> None:
    """Point the environment at an empty database."""
    empty = f"sqlite:///{tmp_path / 'again' / 'hub.db'}" if kind == "sqlite" else new_database(kind)
    surroundings["HUB_DATABASE_URL"] = empty


def test_a_backup_comes_back_whole(
    ready: Hub,
    kept: Path,
    surroundings: dict[str, str],
    new_database: Callable[[str], str],
    database_kind: str,
    tmp_path: Path,
) -> None:
    elsewhere(surroundings, new_database, database_kind, tmp_path)

    done = ready("restore", str(kept), "--json")

    assert done.exit_code == 0, done.output
    counts = json.loads(done.stdout)["rows"]
    assert (counts["secrets"], counts["config_records"], counts["published_mappings"]) == (1, 6, 2)
    again = Store(surroundings["HUB_DATABASE_URL"], pool_size=2)
    assert sorted(again.read(load_config).connections) == ["erp", "shop"]
    assert Vault(again, tmp_path / "var" / "master.key").reveal("shop.token") == "open sesame"
    again.close()


def test_a_database_that_holds_something_is_not_overwritten(ready: Hub, kept: Path) -> None:
    done = ready("restore", str(kept))

    assert done.exit_code == 1
    assert "already" in done.stderr


def test_a_damaged_backup_is_refused(
    ready: Hub,
    kept: Path,
    surroundings: dict[str, str],
    new_database: Callable[[str], str],
    database_kind: str,
    tmp_path: Path,
) -> None:
    elsewhere(surroundings, new_database, database_kind, tmp_path)
    kept.write_bytes(kept.read_bytes()[:-10])

    done = ready("restore", str(kept))

    assert done.exit_code == 1
    assert "it was changed or cut off" in done.stderr


def test_counts_that_do_not_agree_fail_the_restore(
    ready: Hub,
    kept: Path,
    surroundings: dict[str, str],
    new_database: Callable[[str], str],
    database_kind: str,
    tmp_path: Path,
) -> None:
    elsewhere(surroundings, new_database, database_kind, tmp_path)
    note = Path(f"{kept}.json")
    told = json.loads(note.read_text())
    told["rows"]["secrets"] = 2
    note.write_text(json.dumps(told))

    done = ready("restore", str(kept))

    assert done.exit_code == 1
    assert "secrets: 1 instead of 2" in done.stderr


def test_a_backup_is_never_written_over_another(ready: Hub, kept: Path) -> None:
    before = kept.read_bytes()

    done = ready("backup", str(kept))

    assert done.exit_code == 1
    assert kept.read_bytes() == before


def test_only_its_owner_reads_a_backup(kept: Path) -> None:
    assert kept.stat().st_mode & 0o077 == 0


def test_what_waited_in_a_backup_is_marked_as_perhaps_sent_since(
    ready: Hub,
    store: Store,
    surroundings: dict[str, str],
    new_database: Callable[[str], str],
    database_kind: str,
    tmp_path: Path,
) -> None:
    # given a delivery that is queued, one that a person let go again, a message that was not worked through, a series
    def wait(db: Db) -> None:
        [arrived] = store_batches(db, [Batch("shop", "", "document", (Incoming(body=b"{}", order_key="O"),))])[0]
        queued = [("d-1", "planned", "e-1"), ("d-2", "in_doubt", "e-2"), ("d-3", "delivered", "e-3")]
        rows = [(each, state, event, "erp", "order", arrived.message_id) for each, state, event in queued]
        db.insert(tables.deliveries, ("id", "state", "event_id", "connection", "send", "subject_id"), rows)
        add_work(db, [(WorkItem(task="send", subject_id=each, connection="erp"), 0) for each in ("d-1", "d-2")])
        db.run("INSERT INTO control_numbers (scope, value) VALUES ('x12/a>b/group', 7)")

    store.write(wait)
    ready("backup", str(tmp_path / "hub.backup"))
    elsewhere(surroundings, new_database, database_kind, tmp_path)

    done = ready("restore", str(tmp_path / "hub.backup"), "--number-gap", "50", "--json")

    assert json.loads(done.stdout)["marked"]["doubted"] == {"erp": 2}
    again = Store(surroundings["HUB_DATABASE_URL"], pool_size=2)
    rows = again.read(lambda db: db.all("SELECT id, state FROM deliveries ORDER BY id"))
    assert rows == [("d-1", "begun"), ("d-2", "begun"), ("d-3", "delivered")]
    assert again.read(lambda db: db.all("SELECT status FROM work WHERE task = 'ingest'")) == [("parked",)]
    assert again.read(lambda db: db.all("SELECT state FROM messages")) == [("quarantined",)]
    assert again.read(lambda db: db.all("SELECT value FROM control_numbers")) == [(57,)]
    assert again.read(lambda db: db.one("SELECT min(number), max(number) FROM controls_issued")) == (8, 57)
    [(title,)] = again.read(lambda db: db.all("SELECT title FROM incidents"))
    assert title.startswith("this database was restored; what happened after ")
    again.close()
