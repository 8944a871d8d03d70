"""A shop's orders arrive by webhook and end as sales in an ERP, once each, whatever happens to the line or the ERP.

The ERP is the stand-in of the demo and, where `make peers` built it, a real Tryton.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
import pytest

from connectors.tryton.simulator import TrytonSimulator
from hub.bootstrap import Hub, build
from hub.settings import HubSettings
from hub.store import seeds
from hub.store.migrate import upgrade
from hub.store.seed_files import read_folder
from hub.testing.chaos import Chaos, chaos
from hub.testing.serve import serve
from hub.web.app import create_app
from tests.peers.tryton import KEY, Erp

pytest_plugins = ["tests.peers.tryton_fixtures"]
SECRET = "the secret of the shop"

SHOP = """
[connection]
connector    = "webhook"
items        = "any"
fulfilled_by = "elsewhere"
settings     = { secret = "env:SHOP_SECRET" }

[[agreement]]
direction = "in"
document  = "order"
codec     = "json"
mapping   = "webhook/order.in"
"""
ERP = """
[connection]
connector  = "tryton"
settings   = {{ base_url = "{url}", database = "{database}", key = "env:ERP_KEY", deadline = 10 }}
pull_every = {{ stock = 300, invoice = 300 }}

[[agreement]]
direction = "out"
document  = "order"
codec     = "json"
mapping   = "tryton/order.out"

[[agreement]]
direction = "in"
document  = "stock"
codec     = "json"
mapping   = "tryton/stock.in"
match     = {{ kind = "stock" }}

[[agreement]]
direction = "in"
document  = "invoice"
codec     = "json"
mapping   = "tryton/invoice.in"
match     = {{ kind = "invoice" }}
"""
FILES = {
    "connections/shop.toml": SHOP,
    "routes.toml": '[[route]]\non = "order.accepted"\nto = "erp"\nsend = "order"\n',
    "locations.toml": '[[location]]\ncode = "WH"\nname = "Warehouse"\n',
    "items.csv": "sku,name\nWIDGET-001,Widget\nPANEL-A3,Panel\nTAXED-9,Taxed\n",
}


class Between:
    """Stands in front of the ERP: passes requests on, says 503 while it is `down`, and lets an answer be lost."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.down = False
        self.created = 0
        self.lose: Callable[[], None] | None = None
        """Called once the next sale was made, before its answer goes back."""
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self.down:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        status, headers, body = self._passed(environ, method, f"{path}?{environ.get('QUERY_STRING', '')}")
        if method == "POST" and path.endswith("/model/sale.sale") and status == 200:
            with self._lock:
                self.created += 1
                lose, self.lose = self.lose, None
            if lose is not None:
                lose()
        start_response(f"{status} Status", [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _passed(self, environ: WSGIEnvironment, method: str, target: str) -> tuple[int, list[tuple[str, str]], bytes]:
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        names = {"HTTP_AUTHORIZATION": "Authorization", "HTTP_X_TRYTON_CONTEXT": "X-Tryton-Context"}
        headers = {header: environ[name] for name, header in names.items() if name in environ}
        if sent:
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.request(method, target, body=sent or None, headers=headers)
            answer = line.getresponse()
            kind = answer.headers.get("Content-Type", "text/plain")
            return answer.status, [("Content-Type", kind)], answer.read()
        finally:
            line.close()


class Company:
    """A hub with a shop and an ERP, worked by hand."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.client = create_app(hub.services, hub.store).test_client()

    def order(self, number: str, event: str = "") -> int:
        """The shop sends an order; return the hub's status."""
        body = msgspec.json.encode(_order(number))
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Signature": signature, "X-Event-Id": event or f"event-{number}"}
        return self.client.post("/in/shop", data=body, headers=headers).status_code

    def work(self, turns: int = 1) -> None:
        """Do all that is due, so many times; what was put back for later becomes due in between."""
        for turn in range(turns):
            if turn:
                self.hub.store.write(lambda db: db.run("UPDATE work SET due_us = 0 WHERE status = 'queued'"))
            self.hub.worker.run_dry()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.hub.store.read(lambda db: [tuple(row) for row in db.all(sql)])

    def deliveries(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state")

    def incidents(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT fingerprint, state FROM incidents ORDER BY fingerprint")


def _order(number: str) -> dict[str, Any]:
    return {
        "id": number,
        "number": number,
        "created_at": "2026-11-20T08:15:00Z",
        "currency": "USD",
        "email": "Jo@Customer.Example",
        "shipping_address": {
            "name": "Jo Sample",
            "address1": "1 Main St",
            "city": "Dayton",
            "zip": "45402",
            "country_code": "US",
        },
        "line_items": [
            {"sku": "WIDGET-001", "title": "Widget", "quantity": 2, "price": "12.50"},
            {"sku": "PANEL-A3", "title": "Panel", "quantity": 1, "price": "124.50"},
        ],
        "total_price": "149.50",
    }


@pytest.fixture
def start(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], Company]]:
    """Starts the company on an empty database: `start(address of the ERP, name of its database)`."""
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    monkeypatch.setenv("ERP_KEY", KEY)
    started: list[Hub] = []

    def start(url: str, database: str) -> Company:
        folder = tmp_path / "config"
        for name, text in {**FILES, "connections/erp.toml": ERP.format(url=url, database=database)}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        upgrade(database_url)
        settings = HubSettings(database_url=database_url, var=tmp_path / "var", allow_networks=("127.0.0.0/8",))
        hub = build(settings)
        started.append(hub)
        found = read_folder(folder)
        hub.store.write(lambda db: seeds.apply(db, found, who="test"))
        return Company(hub)

    yield start
    for hub in started:
        hub.close()


@contextmanager
def stood_before(port: int) -> Iterator[tuple[Between, Chaos]]:
    """Put a line that can be cut, and somebody who can say 503, in front of an ERP."""
    between = Between(port)
    with serve(between) as url, chaos("127.0.0.1", int(url.rsplit(":", 1)[1])) as line:
        yield between, line


def test_an_order_becomes_one_sale_and_a_repeat_changes_nothing(erp: Erp, start: Callable[[str, str], Company]) -> None:
    company = start(erp.url, erp.database)

    assert [company.order("W-1001") for _ in range(3)] == [202, 200, 200]
    company.work()
    assert company.order("W-1001") == 200
    company.work()

    (sale,) = erp.sales()
    assert (sale["number"], sale["state"], sale["reference"]) == ("1", "processing", "W-1001")
    assert sale["total_amount"]["decimal"] == "149.50"
    assert sale["party"]["code"] == "jo@customer.example"
    assert [(line["product"]["code"], Decimal(str(line["quantity"]))) for line in sale["lines"]] == [
        ("WIDGET-001", Decimal(2)),
        ("PANEL-A3", Decimal(1)),
    ]
    assert [line["unit_price"]["decimal"] for line in sale["lines"]] == ["12.50", "124.50"]
    assert company.rows("SELECT state, reference FROM deliveries") == [("delivered", "1")]
    assert company.incidents() == []


def test_an_answer_lost_after_the_sale_was_made_is_in_doubt_and_then_found(
    erp: Erp, start: Callable[[str, str], Company]
) -> None:
    with stood_before(erp.port) as (between, line):
        company = start(line.url, erp.database)

        def lose() -> None:
            line.blackhole = True
            line.cut()

        between.lose = lose
        company.order("W-1001")
        company.work()
        assert company.deliveries() == [("in_doubt", 1)]
        assert [sale["state"] for sale in erp.sales()] == ["draft"]

        line.blackhole = False
        company.work(2)

    assert company.deliveries() == [("delivered", 1)]
    (sale,) = erp.sales()
    assert (between.created, sale["state"], sale["total_amount"]["decimal"]) == (1, "processing", "149.50")
    assert company.incidents() == []


def test_an_erp_that_is_down_is_one_incident_that_resolves_itself(
    erp: Erp, start: Callable[[str, str], Company]
) -> None:
    numbers = [f"W-{number}" for number in range(1001, 1006)]
    with stood_before(erp.port) as (between, line):
        company = start(line.url, erp.database)
        between.down = True
        for number in numbers:
            company.order(number)
        company.work(5)
        assert company.incidents() == [("connection/erp", "open")]
        assert company.deliveries() == [("planned", 5)]
        assert erp.sales() == []

        between.down = False
        company.work(2)

    assert sorted(sale["reference"] for sale in erp.sales()) == numbers
    assert company.deliveries() == [("delivered", 5)]
    assert company.incidents() == [("connection/erp", "auto_resolved")]


def test_a_thousand_orders_wait_for_an_erp_and_arrive_once_each(start: Callable[[str, str], Company]) -> None:
    simulator = TrytonSimulator(key=KEY)
    with serve(simulator) as url:
        company = start(url, "erp")
        simulator.down = True
        for number in range(1000):
            company.order(f"W-{number:04}")
        company.work(5)
        assert company.incidents() == [("connection/erp", "open")]

        simulator.down = False
        company.work(2)

    assert sorted(sale["reference"] for sale in simulator.sales) == [f"W-{number:04}" for number in range(1000)]
    assert {sale["state"] for sale in simulator.sales} == {"processing"}
    assert company.deliveries() == [("delivered", 1000)]
    assert company.incidents() == [("connection/erp", "auto_resolved")]


def test_what_the_erp_has_becomes_our_stock(erp: Erp, start: Callable[[str, str], Company]) -> None:
    company = start(erp.url, erp.database)

    company.hub.tick()
    company.work()

    levels = company.rows(
        "SELECT items.sku, locations.code, stock_levels.on_hand FROM stock_levels JOIN items ON items.id = "
        "stock_levels.item_id JOIN locations ON locations.id = stock_levels.location_id ORDER BY items.sku"
    )
    assert levels == [(sku, "WH", 100_000_000) for sku in ("PANEL-A3", "TAXED-9", "WIDGET-001")]
    assert company.incidents() == []


def test_the_invoice_that_the_erp_posts_arrives_once(erp: Erp, start: Callable[[str, str], Company]) -> None:
    company = start(erp.url, erp.database)
    company.order("W-1001")
    company.work()
    (sale,) = erp.sales()
    erp.rest("POST", f"account.invoice/{sale['invoices'][0]['id']}/post?f=state", {})

    for _ in range(2):
        company.hub.store.write(lambda db: db.run("UPDATE cursors SET next_us = 0"))
        company.hub.tick()
        company.work()

    taken = company.rows("SELECT state, count(*) FROM documents WHERE kind = 'invoice' GROUP BY state")
    assert taken == [("applied", 1)]
    assert company.incidents() == []
