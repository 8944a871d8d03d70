"""Secrets at rest: closed under their name and version, readable with the key file and with nothing else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hub.domain.errors import Paused, Rejected
from hub.store import vault
from hub.store.store import Store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "master.key"


def test_the_first_start_makes_a_key_that_only_this_user_reads(file: Path) -> None:
    first = vault.read_keys(file).current

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert vault.read_keys(file).current == first


def test_a_secret_comes_back_and_does_not_lie_in_the_table(store: Store, file: Path) -> None:
    kept = vault.Vault(store, file)

    assert kept.put("acme.token", "open sesame", "a person") == "vault:acme.token"

    assert kept.reveal("acme.token") == "open sesame"
    assert kept.reveal("acme.other") is None
    assert kept.names() == ["acme.token"]
    row = store.read(lambda db: db.one("SELECT ciphertext, nonce FROM secrets"))
    assert b"sesame" not in bytes(row[0])
    trail = store.read(lambda db: db.all('SELECT "before", "after" FROM audit'))
    assert "sesame" not in str(trail)


def test_a_new_value_is_seen_at_once_here_and_soon_elsewhere(store: Store, file: Path) -> None:
    now = [0.0]
    here, elsewhere = vault.Vault(store, file), vault.Vault(store, file, monotonic=lambda: now[0])
    here.put("acme.token", "old", "a person")
    assert (here.reveal("acme.token"), elsewhere.reveal("acme.token")) == ("old", "old")

    here.put("acme.token", "new", "a person")

    assert (here.reveal("acme.token"), elsewhere.reveal("acme.token")) == ("new", "old")
    now[0] = 5.1
    assert elsewhere.reveal("acme.token") == "new"


def test_a_row_that_was_put_under_another_name_does_not_open(store: Store, file: Path) -> None:
    kept = vault.Vault(store, file)
    kept.put("acme.token", "mine", "a person")
    store.write(lambda db: db.run("UPDATE secrets SET name = 'evil.token'"))

    with pytest.raises(Paused, match=r"evil\.token does not open"):
        kept.reveal("evil.token")


def test_an_older_version_that_was_put_back_does_not_open(store: Store, file: Path) -> None:
    kept = vault.Vault(store, file, held_seconds=0)
    kept.put("acme.token", "old", "a person")
    old = store.read(lambda db: db.one("SELECT nonce, ciphertext FROM secrets"))
    kept.put("acme.token", "new", "a person")
    store.write(lambda db: db.run("UPDATE secrets SET nonce = :n, ciphertext = :c", n=old[0], c=old[1]))

    with pytest.raises(Paused, match="does not open"):
        kept.reveal("acme.token")


def test_rotating_closes_every_secret_under_the_new_key(store: Store, file: Path) -> None:
    kept = vault.Vault(store, file)
    kept.put("acme.token", "one", "a person")
    kept.put("north.password", "two", "a person")

    new = vault.add_key(file)
    keys = vault.read_keys(file)
    assert store.write(lambda db: vault.rotate(db, keys, "a person")) == 2

    assert keys.current == new
    assert [row[0] for row in store.read(lambda db: db.all("SELECT DISTINCT key_id FROM secrets"))] == [new]
    again = vault.Vault(store, file)
    assert (again.reveal("acme.token"), again.reveal("north.password")) == ("one", "two")
    assert store.write(lambda db: vault.rotate(db, keys, "a person")) == 0


def test_a_running_process_finds_the_key_that_another_added(store: Store, file: Path) -> None:
    running = vault.Vault(store, file, held_seconds=0)
    running.put("acme.token", "one", "a person")
    vault.add_key(file)
    keys = vault.read_keys(file)

    store.write(lambda db: vault.rotate(db, keys, "a person"))

    assert running.reveal("acme.token") == "one"


def test_without_its_key_a_secret_says_which_key_is_needed(store: Store, file: Path, tmp_path: Path) -> None:
    keys = vault.read_keys(file)
    vault.Vault(store, file).put("acme.token", "one", "a person")

    with pytest.raises(Paused, match=f"master key {keys.current}"):
        vault.Vault(store, tmp_path / "other.key").reveal("acme.token")


def test_a_key_file_without_a_good_key_names_the_line(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("# ours\nshort\n")
    file.chmod(0o600)

    with pytest.raises(Rejected, match=r"master\.key:2: is not a base64 key of 32 bytes"):
        vault.read_keys(file)
