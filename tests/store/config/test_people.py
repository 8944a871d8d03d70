"""People and programs: what they hold is random, and the database has only its hash."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from hub.domain.errors import Rejected
from hub.store import audit, keys, people, throttle
from hub.store.store import Store

QUICK = people.Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
ANN = "ann@example.com"


def add(store: Store, role: str = "owner", email: str = ANN, partner: str = "") -> people.User:
    return store.write(lambda db: people.add_user(db, email, role, partner=partner, who="tests"))


def later(store: Store, seconds: int) -> None:
    """Let stored instants be older, as if time had passed."""
    for table, columns in (("sessions", ("seen_us", "expires_us")), ("sign_in_tokens", ("expires_us",)),
                           ("api_keys", ("expires_us",)), ("sign_in_failures", ("last_us", "until_us"))):  # fmt: skip
        sets = ", ".join(f"{column} = {column} - {seconds * 1_000_000}" for column in columns)
        store.write(lambda db, sql=f"UPDATE {table} SET {sets}": db.run(sql))


def test_a_password_matches_itself_and_nothing_else() -> None:
    stored = QUICK.hash("a long enough phrase")

    assert stored.startswith("$argon2id$")
    assert QUICK.matches(stored, "a long enough phrase")
    assert not QUICK.matches(stored, "a long enough phrasf")


def test_nobody_signs_in_without_a_stored_password() -> None:
    assert not people.Passwords().matches("", "a long enough phrase")


def test_fourteen_characters_are_too_few() -> None:
    with pytest.raises(Rejected, match="must have 15 to 1024 characters"):
        QUICK.hash("x" * 14)


def test_a_user_is_found_by_address_in_any_case(store: Store) -> None:
    user = add(store, email="Ann@Example.com")

    found = store.read(lambda db: people.user_by_email(db, " ANN@example.com"))
    assert found == (people.User(id=user.id, email=ANN, role="owner"), "")


def test_everything_wrong_with_a_user_is_said_at_once(store: Store) -> None:
    add(store)

    with pytest.raises(Rejected) as raised:
        add(store, role="king", partner="north")

    assert sorted(problem.code for problem in raised.value.problems) == ["partner", "role", "taken"]


def test_a_supplier_belongs_to_a_partner(store: Store) -> None:
    with pytest.raises(Rejected, match="role supplier needs a partner"):
        add(store, role="supplier")

    assert add(store, role="supplier", partner="north").partner == "north"


def test_a_sign_in_token_works_once(store: Store) -> None:
    token = people.new_token()
    store.write(lambda db: people.keep_token(db, token))

    assert store.write(lambda db: people.use_token(db, token)) == ""
    assert store.write(lambda db: people.use_token(db, token)) is None


def test_a_sign_in_token_ends_by_itself_or_when_a_newer_one_is_made(store: Store) -> None:
    first, second = people.new_token(), people.new_token()
    store.write(lambda db: people.keep_token(db, first))
    store.write(lambda db: people.keep_token(db, second))
    assert store.write(lambda db: people.use_token(db, first)) is None

    later(store, 24 * 3600 + 1)
    assert store.write(lambda db: people.use_token(db, second)) is None


def test_no_token_lies_in_the_database(store: Store) -> None:
    user, token = add(store), people.new_token()
    store.write(lambda db: people.keep_token(db, token, user.id))
    store.write(lambda db: people.open_session(db, token, user.id))

    rows = store.read(lambda db: [*db.all("SELECT * FROM sessions"), *db.all("SELECT * FROM sign_in_tokens")])
    assert token not in str(rows)


def test_a_session_lasts_while_it_is_used_and_ends_at_sign_out(store: Store) -> None:
    user, token = add(store), people.new_token()
    store.write(lambda db: people.open_session(db, token, user.id))
    assert store.read(lambda db: people.session_user(db, token)) == (user, False)

    later(store, 3500)
    assert store.read(lambda db: people.session_user(db, token)) == (user, True)
    store.write(lambda db: people.touch_session(db, token))
    later(store, 3500)
    assert store.read(lambda db: people.session_user(db, token)) == (user, True)

    store.write(lambda db: people.close_session(db, token))
    assert store.read(lambda db: people.session_user(db, token)) is None


@pytest.mark.parametrize("seconds", [3601, 12 * 3600 + 1])
def test_a_session_ends_when_idle_and_after_half_a_day(store: Store, seconds: int) -> None:
    user, token = add(store), people.new_token()
    store.write(lambda db: people.open_session(db, token, user.id))

    later(store, seconds)
    if seconds > 3601:
        store.write(lambda db: people.touch_session(db, token))

    assert store.read(lambda db: people.session_user(db, token)) is None


def test_a_disabled_user_is_signed_out_everywhere(store: Store) -> None:
    user, token = add(store), people.new_token()
    store.write(lambda db: people.open_session(db, token, user.id))

    store.write(lambda db: people.disable_user(db, user.id, who="tests"))

    assert store.read(lambda db: people.session_user(db, token)) is None
    assert store.read(lambda db: db.one("SELECT count(*) FROM sessions"))[0] == 0


def test_a_key_opens_what_its_scopes_say_until_it_is_revoked(store: Store) -> None:
    text = keys.new_key()
    store.write(lambda db: keys.keep_key(db, text, "erp", ["orders:read"], partner="north", who="tests"))

    found = store.read(lambda db: keys.key_for(db, text))
    assert found is not None
    key, due = found
    assert (key.name, key.scopes, key.partner, due) == ("erp", ("orders:read",), "north", True)
    store.write(lambda db: keys.touch_key(db, key.id))
    assert store.read(lambda db: keys.key_for(db, text))[1] is False  # type: ignore[index]

    assert store.write(lambda db: keys.revoke_key(db, key.id, who="tests"))
    assert store.read(lambda db: keys.key_for(db, text)) is None
    assert not store.write(lambda db: keys.revoke_key(db, key.id, who="tests"))


def test_a_key_with_another_secret_or_shape_is_nobody(store: Store) -> None:
    text = keys.new_key()
    store.write(lambda db: keys.keep_key(db, text, "erp", ["*"], who="tests"))

    for wrong in (text[:-1] + ("0" if text[-1] != "0" else "1"), text.upper(), text + "0", "", "hub__"):
        assert store.read(lambda db, wrong=wrong: keys.key_for(db, wrong)) is None


def test_a_key_ends_when_it_expires(store: Store) -> None:
    text = keys.new_key()
    store.write(lambda db: keys.keep_key(db, text, "erp", ["*"], seconds=60, who="tests"))

    later(store, 61)

    assert store.read(lambda db: keys.key_for(db, text)) is None


def test_two_keys_of_a_name_may_be_active_and_no_third(store: Store) -> None:
    for _ in range(2):
        store.write(lambda db: keys.keep_key(db, keys.new_key(), "erp", ["*"], who="tests"))

    with pytest.raises(Rejected, match="erp has two active keys"):
        store.write(lambda db: keys.keep_key(db, keys.new_key(), "erp", ["*"], who="tests"))


def admit(store: Store, *subjects: str) -> int:
    return store.write(lambda db: throttle.admit(db, subjects))


def test_after_five_tries_an_account_waits_and_each_further_try_doubles_the_wait(store: Store) -> None:
    ann, here = "account:ann@example.com", "address:192.0.2.1"

    assert [admit(store, ann, here) for _ in range(6)] == [0, 0, 0, 0, 0, 2]
    later(store, 3)
    assert [admit(store, ann, here) for _ in range(2)] == [0, 4]
    assert admit(store, "account:bob@example.com", here) == 0


def test_a_good_sign_in_or_an_hour_of_peace_forgets_tries(store: Store) -> None:
    ann = "account:ann@example.com"
    for _ in range(6):
        admit(store, ann)
    later(store, 3601)
    assert [admit(store, ann) for _ in range(2)] == [0, 0]

    store.write(lambda db: throttle.forget(db, [ann]))
    assert store.read(lambda db: db.one("SELECT count(*) FROM sign_in_failures"))[0] == 0


def tampered(store: Store, statement: str) -> audit.Verified:
    for number in range(1, 4):
        store.write(lambda db, number=number: audit.append(db, "a person", "test", f"thing {number}"))
    store.write(lambda db: db.run(statement))
    return store.read(audit.verify)


def test_an_untouched_trail_is_whole(store: Store) -> None:
    found = tampered(store, "UPDATE audit SET who = who")

    assert (found.rows, found.broken_at) == (3, None)


@pytest.mark.parametrize(
    ("statement", "broken_at", "reason"),
    [
        ("UPDATE audit SET after = 'x' WHERE no = 2", 2, "row 2 was changed after it was written"),
        ("DELETE FROM audit WHERE no = 2", 3, "row 2 is missing"),
        ("DELETE FROM audit WHERE no = 1", 2, "row 1 is missing"),
        ("UPDATE audit SET previous_sha = '' WHERE no = 3", 3, "row 3 does not follow the row before it"),
    ],
)
def test_a_touched_trail_says_where(store: Store, statement: str, broken_at: int, reason: str) -> None:
    found = tampered(store, statement)

    assert (found.broken_at, found.reason) == (broken_at, reason)
