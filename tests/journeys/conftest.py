"""Whole hubs for journeys, wired as in production and worked in this thread; and partners to trade with."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.bootstrap import build
from hub.domain.event import Event
from hub.domain.message import Incoming
from hub.domain.order import Order
from hub.domain.shipment import Shipment
from hub.domain.work import WorkItem
from hub.pipeline.operate import operate
from hub.pipeline.receive import receive
from hub.pipeline.route import route
from hub.ports.records import Arrival, Unit
from hub.settings import HubSettings
from hub.store.config import save_record
from hub.store.seed_files import read_folder
from hub.store.seeds import apply
from hub.testing.invariants import check

ROOT = Path(__file__).parents[2]
MOCK_EDI = ROOT / ".peers" / "mock-edi" / "bin" / "mock-edi"
OLD = 1_700_000_000
HUB = """
[seller]
name = "Northwind Components Ltd"
[settings]
"ship.carrier" = "own-truck"
"gs1.company_prefix" = "4012345"
"""
ROUTES = """
[[route]]
on = "acknowledgement.issued"
to = "origin"
send = "acknowledgement"
[[route]]
on = "shipment.dispatched"
to = "origin"
send = "shipment"
[[route]]
on = "invoice.issued"
to = "origin"
send = "invoice"
"""
LOCATIONS = """
[[location]]
code = "MAIN"
name = "Main warehouse"
[location.address]
name = "Northwind"
line1 = "77 Harbour Road"
city = "Portland"
region = "OR"
postal_code = "97209"
country = "US"
"""
ITEMS = """sku,name,gtin,weight_grams
WIDGET-001,Blue widget,00076123400003,120
WIDGET-002,Red widget,00076123400010,140
"""
STOCK = """location,sku,quantity
MAIN,WIDGET-001,5000
MAIN,WIDGET-002,500
"""
STOCKED = {
    "hub.toml": HUB,
    "routes.toml": ROUTES,
    "locations.toml": LOCATIONS,
    "items.csv": ITEMS,
    "stock.csv": STOCK,
}
"""A seller with stock who answers, ships and bills where the order came from."""


class Company:
    """A running company: one hub, and the folders that its partners share with it."""

    def __init__(self, settings: HubSettings) -> None:
        self.settings = settings
        self.var = settings.var
        self.hub = build(settings)

    def work(self) -> None:
        """Do all that is due."""
        self.hub.worker.run_dry()

    def take(self, connection: str, body: bytes, name: str = "") -> Arrival:
        """Receive one file as a transport would hand it over."""
        configured = self.hub.config().connections[connection]
        return receive(self.hub.services, configured, [Incoming(body=body, name=name)])[0]

    def fetch(self, connection: str) -> None:
        """Pull what lies in the partner's folder, then do all that is due because of it."""
        inbox = self.var / str(self.hub.config().connections[connection].settings["inbox"])
        for file in inbox.glob("*.edi"):
            os.utime(file, (OLD, OLD))
        item = WorkItem(task="pull", subject_id=f"{connection}/order", connection=connection)
        self.hub.ledger.transact(lambda unit: unit.later([item]))
        self.work()

    def sent(self, connection: str) -> dict[str, bytes]:
        """Return what was written for a partner, by file name."""
        outbox = self.var / str(self.hub.config().connections[connection].settings["outbox"])
        return {file.name: file.read_bytes() for file in sorted(outbox.glob("*.edi"))}

    def texts(self, connection: str, document: str) -> list[str]:
        """Return what was written of one document, oldest first."""
        return [body.decode() for name, body in self.sent(connection).items() if name.endswith(f"-{document}.edi")]

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Ask the record."""
        return [tuple(row) for row in self.hub.store.read(lambda db: db.all(sql, **values))]

    def orders(self) -> list[Order]:
        """Return every order by number."""
        ids = [row[0] for row in self.rows("SELECT id FROM orders ORDER BY number")]
        found = self.hub.ledger.look(lambda unit: unit.load(Order, ids))
        return [found[each] for each in ids]

    def dispatch_all(self) -> None:
        """A person says that everything that was drafted left."""
        ids = [row[0] for row in self.rows("SELECT id FROM shipments WHERE state = 'draft'")]

        def say(unit: Unit) -> list[Event]:
            for shipment in unit.load(Shipment, ids).values():
                unit.emit(
                    "shipment.dispatch_requested",
                    order_id=shipment.order_id,
                    subject_kind="shipment",
                    subject_id=shipment.id,
                )
            operate(self.hub.services, unit)
            route(self.hub.services, unit)
            return unit.events

        self.hub.ledger.transact(say)
        self.work()

    def change(self, kind: str, name: str, record: Any) -> None:
        """An admin changes the configuration; the next process sees it at once."""
        self.hub.store.write(lambda db: save_record(db, kind, name, record, "tests"))
        self.hub.close()
        self.hub = build(self.settings)


@pytest.fixture
def company(tmp_path: Path, upgraded_url: str) -> Iterator[Callable[[Mapping[str, str]], Company]]:
    """Founds a company from its configuration files (path -> text); in the end its record must hold together."""
    founded: list[Company] = []

    def found(files: Mapping[str, str]) -> Company:
        config, var = tmp_path / "config", tmp_path / "var"
        for name, text in files.items():
            (config / name).parent.mkdir(parents=True, exist_ok=True)
            (config / name).write_text(text, encoding="utf-8")
        founded.append(Company(HubSettings(database_url=upgraded_url, var=var, config=config)))
        founded[-1].hub.store.write(lambda db: apply(db, read_folder(config), who="tests"))
        return founded[-1]

    yield found
    broken = [text for each in founded for text in check(each.hub.store)]
    for each in founded:
        each.hub.close()
    assert broken == []


class MockEdi:
    """A trading partner nobody here wrote, spoken to by its control plane; documents go by folder."""

    def __init__(self, base: str) -> None:
        self.base = base

    def ask(self, path: str, data: Any = None, method: str = "") -> Any:
        """Send one request and return its JSON."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.base + path, data=body, method=method or ("POST" if body else "GET"))
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None

    def buy(self, partner: str, number: str, *lines: Mapping[str, str]) -> None:
        """Place an order with a supplier."""
        self.ask("/_mock/purchase", {"partner": partner, "po_number": number, "lines": list(lines)})

    def scan(self) -> dict[str, Any]:
        """Have it read its folder now; return what it found."""
        found: dict[str, Any] = self.ask("/_mock/drop/scan", {})
        return found


@pytest.fixture
def mock_edi(tmp_path: Path) -> Iterator[MockEdi]:
    """Starts mock-edi with `var/to-them` and `var/from-them` as its folders."""
    if not MOCK_EDI.exists():
        pytest.skip("mock-edi is not installed under .peers/mock-edi; tests/peers/mock-edi.txt says which version")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    var = tmp_path / "var"
    command = [
        str(MOCK_EDI), "--port", str(port), "-q", "--name", "North Stores", "--drop-settle-ms", "0",
        "--drop-interval-ms", "3600000", "--drop-dir", str(var / "to-them"), "--pickup-dir", str(var / "from-them"),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        mock = MockEdi(f"http://127.0.0.1:{port}")
        try:
            _await(mock, process)
            yield mock
        finally:
            process.terminate()
            process.wait(timeout=10)


def _await(mock: MockEdi, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until and process.poll() is None:
        try:
            mock.ask("/_mock/health")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError("mock-edi did not answer within 15 s")
