"""One order, two places: what is in stock goes out with a label, what is not comes from the CSV supplier."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.carrier.simulator import CarrierSimulator
from connectors.csv_supplier.simulator import CsvSupplier
from connectors.email.simulator import mailbox
from connectors.rest.simulator import RestSink
from connectors.webhook.simulator import Sender
from hub.bootstrap import Hub, build
from hub.domain.order import Order
from hub.domain.work import WorkItem
from hub.pipeline.receive import receive
from hub.sdk import Request
from hub.settings import HubSettings
from hub.store.migrate import upgrade
from hub.store.seed_files import read_folder
from hub.store.seeds import apply
from hub.testing.serve import serve

MAPPINGS = Path(__file__).parents[3] / "mappings"
OLD = 1_700_000_000
HUB = '[seller]\nname = "Sample Shop"\n[settings]\n"ship.carrier" = "parcel"\n'
ROUTES = "".join(
    f'[[route]]\nname = "{name}"\non = "{on}"\nto = "{to}"\nsend = "{send}"\n'
    for name, on, to, send in (
        ("buy", "purchase_order.approved", "target", "purchase_order"),
        ("label", "shipment.drafted", "target", "label_request"),
        ("tell", "order.accepted", "mail", "order_accepted"),
        ("left", "shipment.dispatched", "erp", "shipment"),
    )
)
CONNECTION = '[connection]\nconnector = "{connector}"\nsettings = {settings}\n'
AGREEMENT = (
    '[[agreement]]\ndirection = "{direction}"\ndocument = "{document}"\ncodec = "{codec}"\nmapping = "{mapping}"\n'
)
MATCH = 'match = {{ kind = "{document}" }}\n'


def agreement(direction: str, document: str, codec: str, mapping: str) -> str:
    given = {"direction": direction, "document": document, "codec": codec, "mapping": mapping}
    return (AGREEMENT + (MATCH if direction == "in" else "")).format(**given)


def config(carrier: str, erp: str, mail: int) -> dict[str, str]:
    shop = CONNECTION.format(connector="webhook", settings='{ secret = "env:SHOP_SECRET" }')
    supplier = CONNECTION.format(connector="csv_supplier", settings='{ root = "harbor" }')
    parcel = CONNECTION.format(
        connector="carrier", settings=f'{{ base_url = "{carrier}", token = "env:CARRIER_TOKEN" }}'
    )
    ledger = CONNECTION.format(connector="rest", settings=f'{{ base_url = "{erp}", path = "/{{kind}}" }}')
    post = CONNECTION.format(
        connector="email",
        settings=f'{{ host = "127.0.0.1", port = {mail}, starttls = false, sender = "orders@shop.example" }}',
    )
    return {
        "hub.toml": HUB,
        "routes.toml": ROUTES,
        "locations.toml": '[[location]]\ncode = "MAIN"\nname = "Main"\n[location.address]\ncountry = "DE"\n',
        "items.csv": "sku,name,supplier,cost\nWIDGET-001,Widget,,5.00\nPANEL-A3,Panel,harbor,80.00\n",
        "stock.csv": "location,sku,quantity\nMAIN,WIDGET-001,10\n",
        "connections/shop.toml": shop + agreement("in", "order", "json", "webhook/order.in"),
        "connections/harbor.toml": supplier
        + agreement("out", "purchase_order", "csv", "csv_supplier/purchase_order.out")
        + agreement("in", "acknowledgement", "csv", "csv_supplier/acknowledgement.in")
        + agreement("in", "shipment", "csv", "csv_supplier/shipment.in"),
        "connections/parcel.toml": parcel
        + agreement("out", "label_request", "json", "carrier/label.out")
        + agreement("in", "label", "json", "carrier/label.in"),
        "connections/erp.toml": ledger + agreement("out", "shipment", "json", "rest/shipment.out"),
        "connections/mail.toml": post + agreement("out", "order_accepted", "json", "email/order_accepted.out"),
    }


class Company:
    """A hub, and everybody around it."""

    def __init__(self, hub: Hub, var: Path) -> None:
        self.hub = hub
        self.supplier = CsvSupplier(root=var / "harbor", stock={"PANEL-A3": Decimal(3)})

    def order(self) -> None:
        sample = json.loads((MAPPINGS / "webhook/samples/order-two-lines.json").read_text())
        call = Sender(secret="shared").call(sample, event_id="E-1")
        headers = {name.lower(): value for name, value in call.headers.items()}
        reception = self.hub.services.opened("shop").instance.receive(Request(body=call.body, headers=headers))
        receive(self.hub.services, self.hub.config().connections["shop"], reception.messages)
        self.hub.worker.run_dry()

    def supplier_works(self) -> None:
        self.supplier.work()
        for file in self.supplier.root.rglob("*.csv"):
            os.utime(file, (OLD, OLD))
        pulls = [
            WorkItem(task="pull", subject_id=f"harbor/{kind}", connection="harbor")
            for kind in ("acknowledgement", "shipment")
        ]
        self.hub.ledger.transact(lambda unit: unit.later(pulls))
        self.hub.worker.run_dry()

    def the_order(self) -> Order:
        (row,) = self.hub.store.read(lambda db: db.all("SELECT id FROM orders"))
        return self.hub.ledger.look(lambda unit: unit.load(Order, [row[0]]))[row[0]]

    def incidents(self) -> list[str]:
        return [row[0] for row in self.hub.store.read(lambda db: db.all("SELECT title FROM incidents"))]


@contextmanager
def founded(tmp_path: Path, files: dict[str, str]) -> Iterator[Company]:
    folder, var = tmp_path / "config", tmp_path / "var"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    var.mkdir()
    settings = HubSettings(config=folder, var=var, allow_networks=("127.0.0.0/8",))
    upgrade(settings.database)
    hub = build(settings)
    hub.store.write(lambda db: apply(db, read_folder(folder), who="test"))
    yield Company(hub, var)
    hub.close()


def test_an_order_is_shipped_from_stock_and_from_a_supplier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "shared")
    monkeypatch.setenv("CARRIER_TOKEN", "token")
    carrier, erp = CarrierSimulator(), RestSink()
    with (
        serve(carrier.app()) as carrier_url,
        serve(erp.app()) as erp_url,
        mailbox() as (box, port),
        founded(tmp_path, config(carrier_url, erp_url, port)) as company,
    ):
        company.order()

        assert [each["reference"] for each in carrier.labels.values()] == ["SH-000001"]
        assert [mail["Subject"] for mail in box.mails.values()] == ["Your order W-1001"]
        assert [line.shipped for line in company.the_order().lines] == [Decimal(2), Decimal(0)]

        company.supplier_works()

        assert company.incidents() == []
        done = company.the_order()
        assert [line.shipped for line in done.lines] == [Decimal(2), Decimal(1)]
        assert done.fulfillment == "fulfilled"
        parcels = [[parcel["tracking_number"] for parcel in each["parcels"]] for each in erp.documents("shipment")]
        assert parcels == [["CX0000000101"], ["PX0000000001"]]


def test_what_the_supplier_does_not_have_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "shared")
    monkeypatch.setenv("CARRIER_TOKEN", "token")
    with (
        serve(CarrierSimulator().app()) as carrier_url,
        serve(RestSink().app()) as erp_url,
        mailbox() as (_, port),
        founded(tmp_path, config(carrier_url, erp_url, port)) as company,
    ):
        company.order()
        company.supplier.stock.clear()

        company.supplier_works()

        assert "harbor declined 1 of line 2 of PO-000001" in company.incidents()
        assert [line.shipped for line in company.the_order().lines] == [Decimal(2), Decimal(0)]
