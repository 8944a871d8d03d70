"""A real browser on a whole hub: nothing may be logged as an error, and nothing may be asked of another host."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.bootstrap import Hub, build
from hub.cli.run import Embedded
from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.route import Route
from hub.settings import HubSettings
from hub.store.config import save_record
from hub.store.migrate import upgrade
from hub.testing.serve import Answer, Call, handler, serve
from hub.web.console_app import create_console_app

CHROMIUM = Path("/usr/bin/chromium")
SECRET = "s3cret"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
LOOPBACK = ("127.0.0.1", "localhost")


@dataclass
class Running:
    """A hub that serves, with a shop and a warehouse."""

    hub: Hub
    address: str
    answers: list[Answer] = field(default_factory=list)
    extensions: dict[str, Any] = field(default_factory=dict)
    """What the application's pages are given."""

    def send(self, number: str, **fields: Any) -> None:
        """Let the shop send an order."""
        lines = [{"sku": "WIDGET-001", "quantity": 2, "price": "12.50", "title": "Widget, blue, 40 mm"}]
        whole = {"id": number, "currency": "EUR", "email": "jo@customer.example", "line_items": lines}
        body = json.dumps({**whole, "total_price": "25.00", **fields}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Signature": signature, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/in/shop", data=body, headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 202


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A whole hub on SQLite in this process."""
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    settings = HubSettings(var=tmp_path / "var", port=0, allow_networks=("127.0.0.0/8",))
    settings.var.mkdir()
    upgrade(settings.database)
    hub = build(settings)
    answers: list[Answer] = []

    def warehouse(_: Call) -> Answer:
        return answers.pop(0) if answers else Answer(status=201, body=b'{"id": "WH-1"}')

    app = create_console_app(hub)
    with serve(handler(warehouse)) as address:
        _seed(hub, address)
        embedded = Embedded(hub, app)
        port = embedded.start()
        try:
            yield Running(hub, f"http://127.0.0.1:{port}", answers, app.extensions)
        finally:
            app.extensions["live"].close()
            embedded.stop()


def _seed(hub: Hub, warehouse: str) -> None:
    shop = ConnectionConfig(
        name="shop", connector="webhook", title="Web shop", settings={"secret": "env:SHOP_SECRET"}, items="any",
        fulfilled_by="elsewhere",
    )  # fmt: skip
    target = ConnectionConfig(name="warehouse", connector="rest", title="Warehouse", settings={"base_url": warehouse})
    comes = Agreement(
        connection="shop", direction="in", document="order", codec="json", mapping="webhook/order.in"
    )  # fmt: skip
    goes = Agreement(
        connection="warehouse", direction="out", document="order", codec="json", mapping="rest/order.out"
    )  # fmt: skip
    records: list[tuple[str, str, Any]] = [
        ("connection", "shop", shop),
        ("connection", "warehouse", target),
        ("agreement", "shop", comes),
        ("agreement", "warehouse", goes),
        ("route", "orders", Route(name="orders", on="order.accepted", to="warehouse", send="order")),
    ]  # fmt: skip
    for kind, name, record in records:
        hub.store.write(lambda db, kind=kind, name=name, record=record: save_record(db, kind, name, record, "tests"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Chromium, started once."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}; install the package chromium to run the browser tests")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A fresh page; whatever goes wrong in it fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    wrong: list[str] = []
    opened.on(
        "console", lambda said: wrong.append(f"{said.type}: {said.text}") if said.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
    opened.on(
        "request",
        lambda asked: (
            wrong.append(f"asked {asked.url}")
            if urlsplit(asked.url).hostname not in LOOPBACK and not asked.url.startswith("data:")
            else None
        ),
    )
    opened.add_init_script(
        "document.addEventListener('securitypolicyviolation', "
        "e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
    )
    opened.set_default_timeout(10_000)
    yield opened
    context.close()
    assert wrong == []
