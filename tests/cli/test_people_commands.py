"""user, key, keys, secret and audit: who may do what, and the proof of it."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from hub.store import audit, identities, keys, people, second_factors
from hub.store.store import Store
from hub.store.vault import Vault

Hub = Callable[..., Result]
WORDS = "correct horse battery"


def test_a_user_with_a_password_from_standard_input(ready: Hub, store: Store) -> None:
    done = ready("user", "add", "Ann@Example.com", "--role", "owner", "--password-stdin", given=f"{WORDS}\n")

    assert done.output == "ann@example.com is owner\n"
    found = store.read(lambda db: people.user_by_email(db, "ann@example.com"))
    assert found is not None
    assert people.Passwords().matches(found[1], WORDS)
    assert json.loads(ready("user", "list", "--json").stdout)[0]["email"] == "ann@example.com"


def test_a_short_password_is_refused(ready: Hub) -> None:
    done = ready("user", "add", "ann@example.com", "--role", "owner", "--password-stdin", given="short\n")

    assert done.exit_code == 1
    assert "must have 15 to 1024 characters" in done.stderr


def test_a_user_with_a_token_signs_in_once(ready: Hub, store: Store) -> None:
    done = ready("user", "add", "bob@example.com", "--role", "operator", "--token")

    token = done.output.strip().rpartition("token=")[2]
    user_id = store.write(lambda db: people.use_token(db, token))
    assert user_id is not None
    assert store.read(lambda db: people.user_by_id(db, user_id)).email == "bob@example.com"  # type: ignore[union-attr]


def test_the_second_factors_of_a_lost_phone_are_taken_off(ready: Hub, store: Store, tmp_path: Path) -> None:
    ready("user", "add", "ann@example.com", "--role", "owner", "--password-stdin", given=f"{WORDS}\n")
    ann = store.read(lambda db: people.users(db))[0]
    held = Vault(store, tmp_path / "var" / "master.key").keys()
    store.write(lambda db: second_factors.begin_totp(db, held, ann.id))
    store.write(lambda db: second_factors.confirm_totp(db, ann.id, 1, who=ann.email))
    store.write(lambda db: second_factors.new_codes(db, ann.id, who=ann.email))
    store.write(lambda db: people.open_session(db, "token", ann.id))
    assert json.loads(ready("user", "list", "--json").stdout)[0]["factors"]["codes_left"] == 10

    done = ready("user", "clear-factors", "Ann@example.com")

    assert done.output == "ann@example.com has no second factor any more (had: app) and is signed out\n"
    assert not store.read(lambda db: second_factors.factors_of(db, ann.id)).some
    assert store.read(lambda db: people.session_user(db, "token")) is None
    told = store.read(lambda db: db.one("SELECT what, before FROM audit ORDER BY no DESC LIMIT 1"))
    assert tuple(told) == ("factors.clear", "app 1, passkeys 0, recovery codes 10")
    assert "hub user list shows them all" in ready("user", "clear-factors", "bob@example.com").stderr


def test_an_account_is_freed_of_the_subject_that_signed_in_to_it(ready: Hub, store: Store) -> None:
    ready("user", "add", "ann@example.com", "--role", "owner", "--password-stdin", given=f"{WORDS}\n")
    ann = store.read(lambda db: people.users(db))[0]
    bound = identities.Identity(issuer="https://login.example", subject="7", made_user=False)
    store.write(lambda db: identities.bind(db, ann, bound, who="tests"))

    done = ready("user", "unbind", "ann@example.com")

    assert done.output == "ann@example.com was bound to 1 subjects of a provider and is bound to none now\n"
    assert store.read(lambda db: identities.identity_user(db, "https://login.example", "7")) is None
    assert store.read(lambda db: db.one("SELECT what FROM audit ORDER BY no DESC LIMIT 1"))[0] == "identity.unbind"


def test_a_key_is_printed_once_and_works_until_it_is_revoked(ready: Hub, store: Store) -> None:
    text = ready("key", "add", "erp", "--scope", "orders:read").output.strip()

    found = store.read(lambda db: keys.key_for(db, text))
    assert found is not None
    listed = ready("key", "list").output
    assert found[0].id in listed
    assert text not in listed
    assert ready("key", "revoke", found[0].id).exit_code == 0
    assert store.read(lambda db: keys.key_for(db, text)) is None
    assert "there is no active key" in ready("key", "revoke", found[0].id).stderr


def test_a_secret_is_stored_and_survives_a_rotation(ready: Hub, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "var" / "master.key"
    assert ready("secret", "set", "shop.token", given="open sesame\n").output == "vault:shop.token\n"
    before = file.read_text()

    done = ready("keys", "rotate")

    assert done.output.startswith("1 secrets are closed under key ")
    assert file.read_text().endswith(before)
    assert len(file.read_text()) == 2 * len(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Vault(store, file).reveal("shop.token") == "open sesame"
    assert ready("secret", "list").output == "reference\nvault:shop.token\n"


def test_the_audit_trail_is_verified_and_a_cut_shows(ready: Hub, store: Store, database_kind: str) -> None:
    ready("user", "add", "ann@example.com", "--role", "owner", "--token")
    ready("user", "add", "bob@example.com", "--role", "owner", "--token")
    assert json.loads(ready("audit", "verify", "--json").stdout)["rows"] == 4

    trigger = "audit_no_DELETE" if database_kind == "sqlite" else "audit_append_only ON audit"
    store.write(lambda db: db.run(f"DROP TRIGGER {trigger}"))
    store.write(lambda db: db.run("DELETE FROM audit WHERE no = 2"))

    done = ready("audit", "verify")
    assert done.exit_code == 1
    assert "row 2 is missing" in done.stderr
    assert store.read(audit.verify).broken_at == 3
