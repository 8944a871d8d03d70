"""Passkeys: made under the public address, unlocked by their owner, and never taken where anything is off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.domain.sign_in import SignInRules
from hub.store import people
from tests.web.soft_key import PRESENT, VERIFIED, SoftKey
from tests.web.test_second_step import CODE, text


@pytest.fixture
def public(empty: Any) -> Any:
    """A hub that knows its public address."""
    empty.app.extensions["sign_in_rules"] = SignInRules(public_url="http://localhost")
    return empty


def asked(browser: Any, path: str) -> Any:
    """What the page's script is told: the options with the challenge."""
    headers = {"X-CSRFToken": browser.token, "Origin": "http://localhost", "Accept": "application/json"}
    answer = browser.client.post(path, headers=headers)
    assert answer.status_code == 200, text(answer)
    return json.loads(text(answer))


def register(browser: Any, key: SoftKey, name: str = "Laptop") -> Any:
    """Add a key as the page does."""
    browser.get("/account")
    options = asked(browser, "/account/passkeys/options")
    return browser.post("/account/passkeys", {"name": name, "credential": key.create(options)})


def sign_in(browser: Any, key: SoftKey) -> Any:
    """Sign in with nothing but the key."""
    browser.get("/sign-in")
    answer = key.get(asked(browser, "/sign-in/passkey/options"))
    return browser.post("/sign-in/passkey", {"credential": answer, "next": "/console/orders"})


@pytest.fixture
def key(public: Any) -> SoftKey:
    """A key of the owner."""
    made = SoftKey(b"key-of-the-owner")
    register(public.signed_in("owner"), made)
    return made


def test_the_first_key_brings_recovery_codes_and_the_second_does_not(public: Any) -> None:
    browser = public.signed_in("owner")

    first = register(browser, SoftKey(b"one"), " Laptop  of Ann ")
    second = register(browser, SoftKey(b"two"), "Stick")

    assert len(CODE.findall(text(first))) == 10
    assert second.status_code == 302
    assert public.rows("SELECT name FROM passkeys ORDER BY created_us") == [("Laptop of Ann",), ("Stick",)]
    assert [row[0] for row in public.rows("SELECT what FROM audit ORDER BY no")][1:] == [
        "passkey.add", "recovery.new", "passkey.add",
    ]  # fmt: skip


def test_a_key_signs_in_without_a_password_and_its_use_is_counted(public: Any, key: SoftKey) -> None:
    browser = public.browser()

    answer = sign_in(browser, key)

    assert answer.headers["Location"] == "/console/orders"
    assert browser.get("/console").status_code == 200
    assert public.rows("SELECT sign_count, used_us IS NOT NULL FROM passkeys") in ([(1, 1)], [(1, True)])


def test_a_key_is_the_second_step_after_the_password(public: Any, key: SoftKey) -> None:
    browser = public.browser()
    browser.sign_in("owner@company.example")
    browser.get("/sign-in/second")
    options = asked(browser, "/sign-in/passkey/options")

    answer = browser.post("/sign-in/second/passkey", {"credential": key.get(options)})

    assert [each["id"] for each in options["allowCredentials"]] == ["a2V5LW9mLXRoZS1vd25lcg"]
    assert options["userVerification"] == "required"
    assert answer.headers["Location"] == "/console"


def test_the_key_of_another_is_no_second_step(public: Any, key: SoftKey) -> None:
    other = SoftKey(b"key-of-another")
    register(public.signed_in("support"), other)
    browser = public.browser()
    browser.sign_in("owner@company.example")
    browser.get("/sign-in/second")

    answer = browser.post(
        "/sign-in/second/passkey", {"credential": other.get(asked(browser, "/sign-in/passkey/options"))}
    )

    assert answer.status_code == 401
    assert browser.get("/console").status_code == 302
    assert key.count == 0


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"origin": "http://evil.example"}, id="from another page"),
        pytest.param({"rp_id": "evil.example"}, id="for another host"),
        pytest.param({"flags": PRESENT}, id="not unlocked by its owner"),
        pytest.param({"flags": VERIFIED}, id="nobody there"),
        pytest.param({"key": SoftKey(b"x").key}, id="of another key"),
        pytest.param({"id": b"unknown"}, id="unknown"),
    ],
)
def test_an_answer_that_is_off_in_one_thing_lets_nobody_in(public: Any, key: SoftKey, wrong: dict[str, Any]) -> None:
    browser, copy = public.browser(), SoftKey(**{**vars(key), **wrong})

    answer = sign_in(browser, copy)

    assert answer.status_code == 401
    assert browser.get("/console").status_code == 302
    assert public.rows("SELECT sign_count FROM passkeys") == [(0,)]
    assert public.rows("SELECT count(*) FROM audit WHERE what = 'passkey.refused'") == [(0,)]


@pytest.mark.parametrize("credential", ["", "{}", "null", "[]", '{"id": "AA", "rawId": "!"}', "x" * 90_000])
def test_what_is_no_answer_at_all_is_refused_kindly(public: Any, key: SoftKey, credential: str) -> None:
    browser = public.browser()
    browser.get("/sign-in")
    asked(browser, "/sign-in/passkey/options")

    answer = browser.post("/sign-in/passkey", {"credential": credential})

    assert answer.status_code == 401
    assert "does not know that passkey" in text(answer)
    assert key.count == 0


def test_an_answer_serves_once(public: Any, key: SoftKey) -> None:
    browser = public.browser()
    browser.get("/sign-in")
    answer = key.get(asked(browser, "/sign-in/passkey/options"))
    cookie = browser.client.get_cookie("hub_form").value

    assert browser.post("/sign-in/passkey", {"credential": answer}).status_code == 302
    browser.client.set_cookie("hub_form", cookie)
    browser.client.delete_cookie("hub_session")
    key.count = 0

    assert browser.post("/sign-in/passkey", {"credential": answer}).status_code == 401


def test_a_counter_that_goes_back_is_refused_and_told_in_the_audit(public: Any, key: SoftKey) -> None:
    key.count = 7
    assert sign_in(public.browser(), key).status_code == 302
    copy = SoftKey(**{**vars(key), "count": 3})
    browser = public.browser()

    answer = sign_in(browser, copy)

    assert answer.status_code == 401
    assert "it may have been copied" in text(answer)
    assert browser.get("/console").status_code == 302
    assert public.rows("SELECT after FROM audit WHERE what = 'passkey.refused'") == [
        ("Laptop: counter 4 after 8; it may have been copied",)
    ]
    assert sign_in(public.browser(), key).status_code == 302


def test_a_key_that_does_not_count_is_taken(public: Any, key: SoftKey) -> None:
    for _ in range(2):
        key.count = -1
        assert sign_in(public.browser(), key).status_code == 302


def test_a_key_is_not_made_of_an_answer_that_is_off(public: Any) -> None:
    browser = public.signed_in("owner")
    answers = [register(browser, SoftKey(b"one", **wrong)) for wrong in
               ({"origin": "http://evil.example"}, {"rp_id": "evil.example"}, {"flags": PRESENT})]  # fmt: skip
    browser.get("/account")
    options = asked(browser, "/account/passkeys/options")
    made = SoftKey(b"one").create({**options, "challenge": "AAAA"})
    answers.append(browser.post("/account/passkeys", {"name": "x", "credential": made}))

    assert [answer.headers["Location"] for answer in answers] == ["/account"] * 4
    assert "was not made as asked" in text(browser.get("/account"))
    assert public.rows("SELECT count(*) FROM passkeys") == [(0,)]


def test_a_key_is_known_once_and_needs_a_name(public: Any, key: SoftKey) -> None:
    browser = public.signed_in("support")

    taken = register(browser, key)
    told = text(browser.get("/account"))
    nameless = register(browser, SoftKey(b"two"), "  ")

    assert (taken.status_code, nameless.status_code) == (302, 302)
    assert "is registered already" in told
    assert "needs a name" in text(browser.get("/account"))
    assert public.rows("SELECT count(*) FROM passkeys") == [(1,)]


def test_one_removes_ones_own_key_and_nobody_elses(public: Any, key: SoftKey) -> None:
    other, owner = public.signed_in("support"), public.browser()
    key_id = public.rows("SELECT id FROM passkeys")[0][0]
    other.get("/account")
    other.post("/account/passkeys/remove", {"id": key_id})
    assert public.rows("SELECT count(*) FROM passkeys") == [(1,)]
    sign_in(owner, key)

    assert "Laptop" in text(owner.get("/account"))
    owner.post("/account/passkeys/remove", {"id": key_id})

    assert public.rows("SELECT (SELECT count(*) FROM passkeys), (SELECT count(*) FROM recovery_codes)") == [(0, 0)]
    assert sign_in(public.browser(), key).status_code == 401
    assert public.rows("SELECT before FROM audit WHERE what = 'passkey.remove'") == [("Laptop",)]


def test_the_only_key_of_somebody_who_must_have_one_stays(public: Any, key: SoftKey) -> None:
    public.app.extensions["sign_in_rules"] = SignInRules(public_url="http://localhost", second_factor=("owner",))
    browser = public.browser()
    sign_in(browser, key)
    browser.get("/account")

    browser.post("/account/passkeys/remove", {"id": public.rows("SELECT id FROM passkeys")[0][0]})

    assert public.rows("SELECT count(*) FROM passkeys") == [(1,)]


def test_a_closed_account_does_not_open_with_its_key(public: Any, key: SoftKey) -> None:
    user_id = public.rows("SELECT id FROM users")[0][0]
    public.hub.store.write(lambda db: people.disable_user(db, user_id, who="tests"))

    assert sign_in(public.browser(), key).status_code == 401


@pytest.mark.parametrize("url", ["", "https://hub.example"])
def test_without_its_public_address_the_hub_offers_no_keys(empty: Any, url: str) -> None:
    empty.app.extensions["sign_in_rules"] = SignInRules(public_url=url)
    browser = empty.signed_in("owner")
    headers = {"Origin": "http://localhost", "Accept": "application/json"}

    page = text(browser.get("/account"))
    answers = [
        browser.client.post(path, headers={**headers, "X-CSRFToken": browser.token})
        for path in ("/account/passkeys/options", "/sign-in/passkey/options")
    ]

    assert ("HUB_PUBLIC_URL" in page, url in page) == (not url, True)
    assert [answer.status_code for answer in answers] == [403, 403]
