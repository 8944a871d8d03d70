"""A hub with its console, asked as a browser would ask: cookies, Origin, and the token of each form."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.bootstrap import Hub, build
from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.route import Route
from hub.settings import HubSettings
from hub.store import people
from hub.store.config import save_record
from hub.store.people import Passwords
from hub.testing.serve import Answer, Call, handler, serve
from hub.web.console_app import create_console_app

SECRET = "s3cret"
PASSWORD = "correct horse battery"
ORIGIN = "http://localhost"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Browser:
    """A person's browser: keeps cookies, follows nothing by itself, sends the token that the last page gave it."""

    client: FlaskClient
    token: str = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        headers = {"Accept": "text/html", **options.pop("headers", {})}
        answer = self.client.get(path, headers=headers, **options)
        found = _TOKEN.search(answer.get_data(as_text=True)) if answer.mimetype == "text/html" else None
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """Send a form as the last page would."""
        sent = {"csrf_token": self.token, **(data or {})}
        return self.client.post(path, data=sent, headers={"Accept": "text/html", "Origin": ORIGIN, **headers})

    def sign_in(self, email: str, password: str = PASSWORD, next_page: str = "") -> TestResponse:
        """Fill in the form and send it."""
        self.get("/sign-in")
        return self.post("/sign-in", {"email": email, "password": password, "next": next_page})


@dataclass
class Office:
    """One hub at work: a shop that calls it, a warehouse that it calls, and people who look at it."""

    hub: Hub
    app: Flask
    answers: list[Answer]
    """What the warehouse says next; while empty, it takes everything."""

    def browser(self) -> Browser:
        """Return a browser that nobody has used yet."""
        return Browser(self.app.test_client())

    def person(self, role: str, email: str = "") -> str:
        """Let somebody in and return the address."""
        email = email or f"{role}@company.example"
        partner = "north" if role in people.OUTSIDERS else ""
        hashed = self.app.extensions["passwords"].hash(PASSWORD)
        self.hub.store.write(
            lambda db: people.add_user(db, email, role, password_hash=hashed, partner=partner, who="tests")
        )
        return email

    def signed_in(self, role: str) -> Browser:
        """Return the browser of somebody who has just signed in."""
        browser = self.browser()
        browser.sign_in(self.person(role))
        return browser

    def order(self, number: str, **fields: Any) -> str:
        """Let the shop send an order, do all the work, and return our id of it."""
        body = json.dumps(order(number, **fields)).encode()
        answer = self.app.test_client().post(
            "/in/shop", data=body, headers={"X-Signature": signature(body), "Content-Type": "application/json"}
        )
        assert answer.status_code == 202, answer.get_data(as_text=True)
        self.work()
        row = self.hub.store.read(lambda db: db.one("SELECT id FROM orders WHERE external_id = :id", id=number))
        return str(row[0]) if row else ""

    def work(self) -> None:
        """Do all that is due."""
        self.hub.worker.run_dry()

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Ask the record."""
        return [tuple(row) for row in self.hub.store.read(lambda db: db.all(sql, **values))]


def order(number: str, **fields: Any) -> dict[str, Any]:
    """Return an order as the shop writes it."""
    lines = [{"sku": "WIDGET-001", "quantity": 2, "price": "12.50", "title": "Widget"}]
    whole = {
        "id": number,
        "currency": "EUR",
        "email": "jo@customer.example",
        "line_items": lines,
        "total_price": "25.00",
    }
    return {**whole, **fields}


def signature(body: bytes) -> str:
    """Return what the shop writes into its header."""
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def seed(hub: Hub, warehouse: str) -> None:
    """Configure one shop, one warehouse, and the way between them."""
    records: list[tuple[str, str, Any]] = [
        ("connection", "shop", ConnectionConfig(
            name="shop", connector="webhook", settings={"secret": "env:SHOP_SECRET"}, items="any",
            fulfilled_by="elsewhere",
        )),
        ("connection", "warehouse", ConnectionConfig(
            name="warehouse", connector="rest", settings={"base_url": warehouse},
            options={"allow_networks": ["127.0.0.0/8"]},
        )),
        ("agreement", "shop", Agreement(
            connection="shop", direction="in", document="order", codec="json", mapping="webhook/order.in",
        )),
        ("agreement", "warehouse", Agreement(
            connection="warehouse", direction="out", document="order", codec="json", mapping="rest/order.out",
        )),
        ("route", "orders", Route(name="orders", on="order.accepted", to="warehouse", send="order")),
    ]  # fmt: skip
    for kind, name, record in records:
        hub.store.write(lambda db, kind=kind, name=name, record=record: save_record(db, kind, name, record, "tests"))


@pytest.fixture
def empty(tmp_path: Path, upgraded_url: str) -> Iterator[Office]:
    """A hub that nobody has set up yet."""
    hub = build(HubSettings(database_url=upgraded_url, var=tmp_path / "var", allow_networks=("127.0.0.0/8",)))
    passwords = Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    app = create_console_app(hub, passwords=passwords)
    app.testing = True
    yield Office(hub, app, [])
    app.extensions["live"].close()
    hub.close()


@pytest.fixture
def office(empty: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A hub with a shop and a warehouse."""
    monkeypatch.setenv("SHOP_SECRET", SECRET)

    def warehouse(_: Call) -> Answer:
        return empty.answers.pop(0) if empty.answers else Answer(status=201, body=b'{"id": "WH-1"}')

    with serve(handler(warehouse)) as address:
        seed(empty.hub, address)
        yield empty


@pytest.fixture
def owner(office: Office) -> Browser:
    """The browser of the owner."""
    return office.signed_in("owner")
