"""“Your sign-in”: what is added and removed by its owner, shortly after a sign-in."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest

from tests.web.test_second_step import CODE, SECRET, enrol, text

CHANGES = (
    "/account/sessions/close", "/account/app", "/account/app/confirm", "/account/app/remove", "/account/codes",
    "/account/passkeys", "/account/passkeys/remove",
)  # fmt: skip


def test_an_app_counts_only_after_its_first_code(empty: Any) -> None:
    browser = empty.signed_in("support")
    browser.get("/account")
    browser.post("/account/app")
    page = browser.get("/account/app")

    wrong = browser.post("/account/app/confirm", {"code": "000000"})

    assert 'src="data:image/svg+xml' in text(page)
    assert wrong.status_code == 422
    assert "Is the time of your phone?" in text(wrong)
    assert SECRET.search(text(wrong))[1] == SECRET.search(text(page))[1]  # type: ignore[index]
    assert empty.browser().sign_in("support@company.example").headers["Location"] == "/console"


def test_the_secret_and_the_recovery_codes_are_shown_once(empty: Any) -> None:
    browser = empty.signed_in("support")
    secret, codes = enrol(browser)

    again = [browser.get("/account/app"), browser.post("/account/app/confirm", {"code": pyotp.TOTP(secret).now()})]

    assert len(codes) == 10
    assert [answer.headers["Location"] for answer in again] == ["/account", "/account"]
    assert CODE.findall(text(browser.get("/account"))) == []
    assert "10 left" in text(browser.get("/account"))


def test_a_second_app_is_refused_and_the_first_one_stays(empty: Any) -> None:
    browser = empty.signed_in("support")
    enrol(browser)
    before = empty.rows("SELECT version, ciphertext FROM totp_secrets")

    browser.get("/account")
    browser.post("/account/app")

    assert "there is an authenticator app already" in text(browser.get("/account"))
    assert empty.rows("SELECT version, ciphertext FROM totp_secrets") == before


def test_new_recovery_codes_end_the_old_ones(empty: Any) -> None:
    browser = empty.signed_in("support")
    old = enrol(browser)[1]
    browser.get("/account")

    new = CODE.findall(text(browser.post("/account/codes")))

    other = empty.browser()
    other.sign_in("support@company.example")
    other.get("/sign-in/second")
    assert len(new) == 10
    assert not set(new) & set(old)
    assert other.post("/sign-in/second", {"code": old[0]}).status_code == 401
    assert other.post("/sign-in/second", {"code": new[0]}).status_code == 302


def test_removing_the_app_takes_the_codes_with_it_and_ends_the_other_sessions(empty: Any) -> None:
    browser, other = empty.signed_in("support"), empty.browser()
    enrol(browser)
    empty.hub.store.write(lambda db: db.run("UPDATE totp_secrets SET last_step = 0"))
    secret_of_other = empty.rows("SELECT count(*) FROM sessions")
    browser.get("/account")

    browser.post("/account/app/remove")

    assert secret_of_other == [(1,)]
    assert other.sign_in("support@company.example").headers["Location"] == "/console"
    assert empty.rows("SELECT count(*) FROM recovery_codes") == [(0,)]
    assert [row[0] for row in empty.rows("SELECT what FROM audit ORDER BY no")][-3:] == [
        "totp.add", "recovery.new", "totp.remove",
    ]  # fmt: skip


def test_a_new_factor_ends_the_sessions_elsewhere(empty: Any) -> None:
    browser, elsewhere = empty.signed_in("support"), empty.browser()
    elsewhere.sign_in("support@company.example")
    assert elsewhere.get("/console").status_code == 200

    enrol(browser)

    assert elsewhere.get("/console").status_code == 302
    assert browser.get("/console").status_code == 200


@pytest.mark.parametrize("path", CHANGES)
def test_a_change_asks_for_a_sign_in_that_is_not_long_past(empty: Any, path: str) -> None:
    browser = empty.signed_in("support")
    enrol(browser)
    browser.get("/account")
    empty.hub.store.write(lambda db: db.run("UPDATE sessions SET created_us = created_us - 901000000"))

    answer = browser.post(path, {"code": "000000"})

    assert answer.headers["Location"] == "/sign-in?again=1&next=/account"
    assert "You signed in a while ago" in text(browser.get(answer.headers["Location"]))
    assert empty.rows("SELECT count(*) FROM totp_secrets WHERE confirmed_us IS NOT NULL") == [(1,)]


def test_a_partner_may_look_after_their_own_sign_in(empty: Any) -> None:
    browser = empty.signed_in("partner")

    page = browser.get("/account")

    assert page.status_code == 200
    assert 'href="/console/orders"' not in text(page)
    assert len(enrol(browser)[1]) == 10


def test_one_sees_where_one_is_signed_in_and_ends_what_is_elsewhere(empty: Any) -> None:
    browser, elsewhere, stranger = empty.signed_in("support"), empty.browser(), empty.signed_in("auditor")
    elsewhere.sign_in("support@company.example")

    page = text(browser.get("/account"))
    browser.post("/account/sessions/close")

    assert (page.count("last seen"), page.count("here</span>")) == (2, 1)
    assert text(browser.get("/account")).count("last seen") == 1
    assert elsewhere.get("/console").status_code == 302
    assert stranger.get("/console").status_code == 200
