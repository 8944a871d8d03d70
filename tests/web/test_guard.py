"""What every answer and every route must hold: headers, permissions, and no form from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hub.web.permissions import ALLOWED, declared

PAGES = ("/console", "/console/orders", "/console/messages", "/console/deliveries", "/console/incidents",
         "/console/connections", "/console/queue", "/console/overdue", "/sign-in", "/account")  # fmt: skip


def test_every_route_declares_a_permission(empty: Any) -> None:
    silent = [
        rule.rule
        for rule in empty.app.url_map.iter_rules()
        if declared(rule.endpoint, empty.app.view_functions[rule.endpoint]) is None
    ]

    assert silent == []


def test_a_route_that_declares_nothing_is_refused_even_to_the_owner(empty: Any) -> None:
    empty.app.add_url_rule("/console/forgotten", "forgotten", lambda: "secret")

    answer = empty.signed_in("owner").get("/console/forgotten")

    assert answer.status_code == 403
    assert b"secret" not in answer.get_data()


def test_every_route_that_changes_something_asks_for_more_than_looking(empty: Any) -> None:
    weak = [
        rule.rule
        for rule in empty.app.url_map.iter_rules()
        if "POST" in rule.methods
        and rule.rule.startswith("/console")
        and declared(rule.endpoint, empty.app.view_functions[rule.endpoint])
        not in ("orders", "deliveries", "incidents")
    ]

    assert weak == []


@pytest.mark.parametrize("role", sorted(ALLOWED))
def test_each_role_sees_what_the_table_says(office: Any, role: str) -> None:
    order_id = office.order("W-1")
    browser = office.signed_in(role)
    seen = {
        path: browser.get(path).status_code
        for path in ("/console", f"/console/orders/{order_id}", f"/console/orders/{order_id}/canonical.json")
    }

    expected = {
        "owner": [200, 200, 200], "admin": [200, 200, 200], "operator": [200, 200, 200], "mapper": [200, 200, 200],
        "auditor": [200, 200, 200], "support": [200, 200, 403], "partner": [403, 403, 403], "supplier": [403, 403, 403],
    }  # fmt: skip
    assert list(seen.values()) == expected[role]


def test_support_sees_a_message_without_its_bytes(office: Any) -> None:
    office.order("W-1")
    message_id = office.rows("SELECT id FROM messages WHERE direction = 'in'")[0][0]

    shown = office.signed_in("support").get(f"/console/messages/{message_id}").get_data(as_text=True)

    assert "Your role does not show the bytes." in shown
    assert "jo@customer.example" not in shown


def test_an_auditor_is_shown_no_button_and_refused_the_deed(office: Any) -> None:
    order_id = office.order("W-1", total_price="26.00")
    browser = office.signed_in("auditor")

    page = browser.get(f"/console/orders/{order_id}").get_data(as_text=True)
    deed = browser.post(f"/console/orders/{order_id}/release")

    assert "On hold" in page
    assert "Release this hold" not in page
    assert deed.status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_a_strict_policy_with_a_fresh_nonce_and_is_not_kept(owner: Any, path: str) -> None:
    answers = [owner.get(path, follow_redirects=True) for _ in range(2)]

    policies = [answer.headers["Content-Security-Policy"] for answer in answers]
    nonces = [re.findall(r"'nonce-([^']+)'", policy) for policy in policies]
    assert policies[0].startswith("default-src 'none'; script-src 'nonce-")
    assert "unsafe" not in policies[0]
    assert "frame-ancestors 'none'" in policies[0]
    assert nonces[0] != nonces[1]
    assert set(re.findall(r'<script nonce="([^"]+)"', answers[0].get_data(as_text=True))) == set(nonces[0])
    assert answers[0].headers["Cache-Control"] == "no-store"
    assert answers[0].headers["X-Content-Type-Options"] == "nosniff"
    assert answers[0].headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_inline_code_or_style(office: Any, owner: Any, path: str) -> None:
    office.order("W-1", total_price="26.00")
    page = owner.get(path, follow_redirects=True).get_data(as_text=True)

    assert re.findall(r"<[^>]+\son\w+=", page) == []
    assert re.findall(r"<[^>]+\sstyle=", page) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []
    assert "hx-on" not in page
    assert re.findall(r'(?:src|href|action)="https?://', page) == []


def test_static_files_may_be_kept_and_are_not_pages(empty: Any) -> None:
    answer = empty.browser().get("/static/vendor/htmx.min.js")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.mimetype == "text/javascript"
    answer.close()


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        ({"Origin": "http://localhost"}, True, 302),
        ({"Origin": "http://evil.example"}, True, 403),
        ({"Origin": "null"}, True, 403),
        ({}, True, 403),
        ({"Origin": "http://localhost"}, False, 400),
    ],
)
def test_a_form_is_taken_from_our_own_pages_only(
    office: Any, owner: Any, headers: dict[str, str], token: bool, status: int
) -> None:
    order_id = office.order("W-1", total_price="26.00")
    owner.get(f"/console/orders/{order_id}")

    answer = owner.client.post(
        f"/console/orders/{order_id}/release", data={"csrf_token": owner.token} if token else {}, headers=headers
    )

    assert answer.status_code == status


def test_machines_need_no_cookie_and_no_token(office: Any) -> None:
    client = office.app.test_client()

    assert client.post("/in/shop", data=b"{}").status_code == 401
    assert client.get("/health/live").status_code == 200
    assert client.get("/metrics").status_code == 200


def test_a_live_part_asked_without_a_session_leads_the_browser_to_the_sign_in(empty: Any) -> None:
    answer = empty.browser().get("/console?part=1", headers={"HX-Request": "true"})

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in"


def test_the_front_door_leads_to_the_console(empty: Any) -> None:
    assert empty.browser().get("/").headers["Location"] == "/console"
