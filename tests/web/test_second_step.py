"""The second step: after the password nothing opens before a code was right, and each code serves once."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest

from hub.domain.errors import Paused
from hub.domain.sign_in import SignInRules
from hub.store import audit, people, second_factors, vault

EMAIL = "owner@company.example"
CODE = re.compile(r"<li><code>([a-z2-7-]{27})</code></li>")
SECRET = re.compile(r'class="secret">([A-Z2-7 ]+)<')


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def enrol(browser: Any) -> tuple[str, list[str]]:
    """Add an app as a person does; return its secret and the recovery codes."""
    browser.get("/account")
    browser.post("/account/app")
    secret = SECRET.search(text(browser.get("/account/app")))[1].replace(" ", "")  # type: ignore[index]
    shown = browser.post("/account/app/confirm", {"code": pyotp.TOTP(secret).now()})
    assert shown.status_code == 200
    return secret, CODE.findall(text(shown))


@pytest.fixture
def app_and_codes(empty: Any) -> tuple[str, list[str]]:
    """An owner with an app; its last code is one step old, so that the present one can be used."""
    found = enrol(empty.signed_in("owner"))
    empty.hub.store.write(lambda db: db.run("UPDATE totp_secrets SET last_step = last_step - 2"))
    return found


def half(empty: Any) -> Any:
    """A browser after the right password."""
    browser = empty.browser()
    assert browser.sign_in(EMAIL, next_page="/console/orders").headers["Location"] == "/sign-in/second"
    browser.get("/sign-in/second")
    return browser


@pytest.mark.usefixtures("app_and_codes")
def test_the_password_alone_opens_nothing(empty: Any) -> None:
    browser = half(empty)

    assert browser.client.get_cookie("hub_session") is None
    assert browser.get("/console").headers["Location"].startswith("/sign-in")
    assert browser.get("/account").headers["Location"].startswith("/sign-in")
    assert browser.post("/account/app/remove").headers["Location"].startswith("/sign-in")
    assert browser.client.get("/events").status_code == 401


def test_a_code_of_the_app_lets_in_to_the_page_that_was_asked_for(empty: Any, app_and_codes: Any) -> None:
    browser = half(empty)

    answer = browser.post("/sign-in/second", {"code": pyotp.TOTP(app_and_codes[0]).now()})

    assert answer.headers["Location"] == "/console/orders"
    assert browser.get("/console").status_code == 200


def test_a_code_serves_once_even_for_two_who_have_the_password(empty: Any, app_and_codes: Any) -> None:
    first, second = half(empty), half(empty)
    code = pyotp.TOTP(app_and_codes[0]).now()

    assert first.post("/sign-in/second", {"code": code}).status_code == 302
    again = second.post("/sign-in/second", {"code": code})

    assert again.status_code == 401
    assert "was used already" in text(again)
    assert second.get("/console").status_code == 302


def test_a_first_step_serves_once(empty: Any, app_and_codes: Any) -> None:
    browser = half(empty)
    cookie = browser.client.get_cookie("hub_form").value
    browser.post("/sign-in/second", {"code": app_and_codes[1][0]})
    browser.client.delete_cookie("hub_session")
    browser.client.set_cookie("hub_form", cookie)

    answer = browser.post("/sign-in/second", {"code": app_and_codes[1][1]})

    assert answer.headers["Location"] == "/sign-in"
    assert empty.rows("SELECT count(*) FROM recovery_codes WHERE used_us IS NOT NULL") == [(1,)]


def test_the_session_is_a_new_one_and_the_old_one_ends(empty: Any, app_and_codes: Any) -> None:
    browser = half(empty)
    browser.post("/sign-in/second", {"code": app_and_codes[1][0]})
    first = browser.client.get_cookie("hub_session").value

    browser.get("/sign-in?again=1")
    browser.post("/sign-in", {"email": EMAIL, "password": "correct horse battery"})
    browser.get("/sign-in/second")
    browser.post("/sign-in/second", {"code": app_and_codes[1][1]})
    second = browser.client.get_cookie("hub_session").value
    browser.client.set_cookie("hub_session", first)

    assert first != second
    assert browser.get("/console").status_code == 302


def test_wrong_codes_are_slowed_down_with_the_passwords_and_a_right_password_does_not_reset_them(
    empty: Any, app_and_codes: Any
) -> None:
    browser = half(empty)
    for _ in range(2):
        assert browser.post("/sign-in/second", {"code": "000000"}).status_code == 401
    browser = half(empty)
    for _ in range(2):
        browser.post("/sign-in/second", {"code": "000000"})

    answer = browser.post("/sign-in/second", {"code": pyotp.TOTP(app_and_codes[0]).now()})

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] in ("1", "2", "4")
    assert "Too many tries" in text(answer)


def test_a_recovery_code_serves_once_however_it_is_typed(empty: Any, app_and_codes: Any) -> None:
    code = app_and_codes[1][3]

    first = half(empty)
    taken = first.post("/sign-in/second", {"code": f" {code.upper().replace('-', ' ')} "})
    again = half(empty).post("/sign-in/second", {"code": code})

    assert taken.status_code == 302
    assert "9 are left" in text(first.get("/console"))
    assert again.status_code == 401
    assert empty.rows("SELECT after FROM audit WHERE what = 'recovery.use'") == [("9 left",)]


def test_nothing_that_signs_in_is_stored_as_it_is(empty: Any, app_and_codes: Any) -> None:
    secret, codes = app_and_codes

    stored = repr(empty.rows("SELECT * FROM totp_secrets") + empty.rows("SELECT * FROM recovery_codes"))
    told = repr(empty.rows("SELECT * FROM audit"))

    assert len(set(codes)) == 10
    assert not any(each in stored + told for each in [secret, *codes, *(code.replace("-", "") for code in codes)])
    assert empty.hub.store.read(audit.verify).broken_at is None


@pytest.mark.usefixtures("app_and_codes")
def test_a_link_that_sets_a_password_does_not_get_around_the_second_step(empty: Any) -> None:
    token = people.new_token()
    user_id = empty.rows("SELECT id FROM users")[0][0]
    empty.hub.store.write(lambda db: people.keep_token(db, token, user_id))
    browser = empty.browser()
    browser.get(f"/sign-in/first?token={token}")

    answer = browser.post("/sign-in/first", {"token": token, "password": "another horse battery"})

    assert answer.headers["Location"] == "/sign-in/second"
    assert browser.get("/console").status_code == 302


def test_who_must_have_a_second_factor_is_led_to_it_and_nowhere_else(office: Any) -> None:
    order_id = office.order("W-1", total_price="26.00")
    office.app.extensions["sign_in_rules"] = SignInRules(second_factor=("owner", "admin"))
    browser, operator = office.signed_in("owner"), office.signed_in("operator")

    refused = [browser.get(path) for path in ("/console", f"/console/orders/{order_id}", "/")]
    live = browser.client.get("/events")
    deed = browser.post(f"/console/orders/{order_id}/release")

    assert [answer.headers["Location"] for answer in refused] == ["/account", "/account", "/console"]
    assert (live.status_code, deed.headers["Location"]) == (403, "/account")
    assert office.rows("SELECT phase FROM orders") == [("on_hold",)]
    assert "Your role needs a second factor" in text(browser.get("/account"))
    assert operator.get("/console").status_code == 200

    enrol(browser)

    assert browser.get("/console").status_code == 200
    browser.get("/account")
    assert browser.post("/account/app/remove").status_code == 302
    assert "Add another one first" in text(browser.get("/account"))
    assert office.rows("SELECT count(*) FROM totp_secrets") == [(1,)]


@pytest.mark.parametrize(
    ("seconds", "code", "step"),
    [
        (59, "287082", 1),  # RFC 6238, appendix B, SHA-1, the last six digits
        (1_111_111_109, "081804", 37_037_036),
        (20_000_000_000, "353130", 666_666_666),
        (89, "287082", 1),  # a step late
        (1_111_111_079, "081804", 37_037_036),  # a step early
        (90, "287082", None),
        (59, "287083", None),
        (59, "94287082", None),
        (59, "287 082", 1),
        (59, "\u0662\u0668\u0667\u0660\u0668\u0662", None),
    ],
)
def test_codes_are_those_of_the_standard_one_step_early_or_late(seconds: int, code: str, step: int | None) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    assert second_factors.matching_step(secret, code, seconds * 1_000_000) == step


def test_the_secret_survives_a_rotation_of_the_master_key_and_no_other_row(empty: Any, app_and_codes: Any) -> None:
    store, file = empty.hub.store, empty.hub.settings.key_file
    vault.add_key(file)
    held = vault.read_keys(file)

    assert store.write(lambda db: second_factors.rotate_totp(db, held)) == 1

    user_id = empty.rows("SELECT user_id FROM totp_secrets")[0][0]
    row = store.read(lambda db: second_factors.totp_of(db, user_id))
    assert row.sealed.key_id == held.current
    assert second_factors.totp_secret(held, user_id, row) == app_and_codes[0]
    with pytest.raises(Paused, match="does not open"):
        second_factors.totp_secret(held, "somebody-else", row)
