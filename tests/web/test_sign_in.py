"""Who gets in: the first owner by a link that serves once, everybody else by a password at a limited pace."""

from __future__ import annotations

from typing import Any

import pytest

from hub.store import people
from hub.web.console_app import create_console_app, first_run_path

PASSWORD = "correct horse battery"


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def test_the_first_link_makes_the_owner_and_serves_once(empty: Any) -> None:
    path = first_run_path(empty.hub.store)
    first, second = empty.browser(), empty.browser()
    token = path.partition("token=")[2]
    first.get(path)
    second.get(path)

    made = first.post("/sign-in/first", {"token": token, "email": "ann@company.example", "password": PASSWORD})
    again = second.post("/sign-in/first", {"token": token, "email": "eve@company.example", "password": PASSWORD})

    assert made.headers["Location"] == "/console"
    assert first.get("/console").status_code == 200
    assert again.status_code == 410
    assert empty.rows("SELECT email, role FROM users") == [("ann@company.example", "owner")]


def test_no_first_link_is_made_once_somebody_can_sign_in(empty: Any) -> None:
    empty.person("owner")

    assert first_run_path(empty.hub.store) is None


def test_a_short_password_is_refused_and_the_link_still_serves(empty: Any) -> None:
    path = first_run_path(empty.hub.store)
    browser = empty.browser()
    browser.get(path)

    answer = browser.post(
        "/sign-in/first", {"token": path.partition("=")[2], "email": "ann@company.example", "password": "too short"}
    )

    assert answer.status_code == 422
    assert "must have 15 to 1024 characters" in text(answer)
    assert "This link works once." in text(browser.get(path))


def test_a_link_for_a_person_sets_their_password(empty: Any) -> None:
    empty.person("owner")
    token = people.new_token()
    user = empty.hub.store.write(lambda db: people.add_user(db, "bob@company.example", "support", who="tests"))
    empty.hub.store.write(lambda db: people.keep_token(db, token, user.id))
    browser = empty.browser()

    browser.get(browser.get(f"/console/sign-in?token={token}").headers["Location"])
    browser.post("/sign-in/first", {"token": token, "password": PASSWORD})

    assert browser.get("/console").status_code == 200
    assert empty.browser().sign_in("bob@company.example").status_code == 302


def test_a_page_asks_for_a_sign_in_and_leads_back_to_itself(empty: Any) -> None:
    browser, email = empty.browser(), empty.person("owner")

    asked = browser.get("/console/orders?phase=on_hold")
    signed_in = browser.sign_in(email, next_page="/console/orders?phase=on_hold")

    assert asked.headers["Location"] == "/sign-in?next=/console/orders?phase%3Don_hold"
    assert signed_in.headers["Location"] == "/console/orders?phase=on_hold"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/console", "//evil.example/console", "/\\evil.example", "/consolevil", "javascript:x"],
)
def test_a_sign_in_never_leads_to_another_host(empty: Any, elsewhere: str) -> None:
    answer = empty.browser().sign_in(empty.person("owner"), next_page=elsewhere)

    assert answer.headers["Location"] == "/console"


def test_a_wrong_password_and_an_unknown_person_look_the_same(empty: Any) -> None:
    email = empty.person("owner")

    wrong = empty.browser().sign_in(email, "not the password at all")
    unknown = empty.browser().sign_in("nobody@company.example")

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert "do not belong together" in text(wrong)
    assert "do not belong together" in text(unknown)


def test_a_disabled_person_is_out_at_once(empty: Any) -> None:
    browser = empty.signed_in("admin")
    user_id = empty.rows("SELECT id FROM users")[0][0]

    empty.hub.store.write(lambda db: people.disable_user(db, user_id, who="tests"))

    assert browser.get("/console").status_code == 302
    assert empty.browser().sign_in("admin@company.example").status_code == 401


def test_after_five_wrong_tries_even_the_right_password_waits(empty: Any) -> None:
    email = empty.person("owner")
    browser = empty.browser()
    for _ in range(6):
        browser.sign_in(email, "not the password at all")

    answer = browser.sign_in(email)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "2"
    assert "Too many tries" in text(answer)


def test_a_sign_in_gives_a_new_session_and_signing_out_ends_it_on_the_server(empty: Any) -> None:
    browser = empty.signed_in("owner")
    cookie = browser.client.get_cookie("hub_session")
    browser.get("/console")

    browser.post("/sign-out")
    browser.client.set_cookie("hub_session", cookie.value)

    assert browser.get("/console").status_code == 302
    assert empty.rows("SELECT count(*) FROM sessions") == [(0,)]


def test_the_cookie_is_bound_to_the_host_wherever_there_is_tls(empty: Any) -> None:
    email = empty.person("owner")
    browser = empty.browser()
    browser.get("/sign-in", base_url="https://hub.example")

    answer = browser.client.post(
        "/sign-in", base_url="https://hub.example", headers={"Origin": "https://hub.example"},
        data={"csrf_token": browser.token, "email": email, "password": PASSWORD},
    )  # fmt: skip

    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if "hub_session" in each)
    assert cookie.startswith("__Host-hub_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_no_password_is_taken_over_an_open_wire(empty: Any) -> None:
    email = empty.person("owner")
    browser = empty.browser()
    page = browser.get("/sign-in", base_url="http://hub.example")

    answer = browser.client.post(
        "/sign-in", base_url="http://hub.example", headers={"Origin": "http://hub.example"},
        data={"csrf_token": browser.token, "email": email, "password": PASSWORD},
    )  # fmt: skip

    assert "Passwords travel over https only" in text(page)
    assert answer.status_code == 403


def test_behind_a_proxy_that_ends_tls_people_sign_in_as_over_tls(empty: Any) -> None:
    email = empty.person("owner")
    empty.app = create_console_app(empty.hub, proxied=True, passwords=empty.app.extensions["passwords"])
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "evil.example"}
    browser = empty.browser()
    browser.get("/sign-in", base_url="http://hub.example", headers=said)

    answer = browser.client.post(
        "/sign-in", base_url="http://hub.example", headers={**said, "Origin": "https://hub.example"},
        data={"csrf_token": browser.token, "email": email, "password": "not the password at all"},
    )  # fmt: skip
    empty.app.extensions["live"].close()

    assert answer.status_code == 401
    assert ("address:192.0.2.7",) in empty.rows("SELECT subject FROM sign_in_failures")
