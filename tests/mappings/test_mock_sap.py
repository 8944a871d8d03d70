"""IDocs before mock-sap, which nobody here wrote: it posts what we write, refuses what does not add up, and is read."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.rest import Rest, Settings
from hub.domain.order import Totals
from hub.sdk import InDoubt, Kit, Outgoing, Rejected

from .samples import document, inward, outward

pytest_plugins = ["hub.testing.pytest_plugin"]
MOCK_SAP = Path(__file__).parents[2] / ".peers" / "mock-sap" / "bin" / "mock-sap"
pytestmark = pytest.mark.peers


class Sap:
    """A running mock, and the account that documents go by."""

    def __init__(self, base: str, kit: Kit) -> None:
        self.base = base
        self.account = Rest(
            Settings(
                base_url=base, path="/sap/bc/idoc", id_field="DOCNUM", status_field="STATUS", accepted=("53",),
                reason_field="STATUS_TEXT",
            ),
            kit,
        )  # fmt: skip

    def send(self, kind: str, body: bytes) -> dict[str, Any]:
        """Send an IDoc as deliveries go; return their answer."""
        receipt = self.account.push(Outgoing(key="d-1", kind=kind, body=body, content_type="application/xml"))
        answer: dict[str, Any] = json.loads(receipt.body)
        assert receipt.reference == answer["DOCNUM"]
        return answer

    def ask(self, path: str, data: Any = None) -> bytes:
        """Ask something of it."""
        body = None if data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.base + path, body, headers), timeout=10) as reply:
            answer: bytes = reply.read()
        return answer

    def order(self) -> tuple[str, list[dict[str, Any]]]:
        """Return one of its sales orders that has something to deliver, with its items."""
        path = "/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder?$format=json&$expand=to_Item&$top=50"
        for found in json.loads(self.ask(path.replace(" ", "%20")))["d"]["results"]:
            if found["OverallDeliveryStatus"] == "A":
                return found["SalesOrder"], found["to_Item"]["results"]
        raise AssertionError("no sales order is open")


@pytest.fixture
def sap(hub_kit: Kit) -> Iterator[Sap]:
    """Starts mock-sap."""
    if not MOCK_SAP.exists():
        pytest.skip("mock-sap is not installed under .peers/mock-sap; tests/peers/mock-sap.txt says which version")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(MOCK_SAP), "--port", str(port), "--no-csrf", "-q"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        found = Sap(f"http://127.0.0.1:{port}", hub_kit)
        try:
            _await(found, process)
            yield found
        finally:
            process.terminate()
            process.wait(timeout=10)


def _await(sap: Sap, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until and process.poll() is None:
        try:
            sap.ask("/_mock/health")
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("mock-sap did not answer within 15 s")


def invoice() -> Any:
    """An invoice without charges, whose lines come to its net."""
    given = document("idoc/invoic.out", "idoc/invoic-shipped.invoice.json")
    totals = Totals(lines=Decimal("183.90"), tax=Decimal("29.90"), grand=Decimal("213.80"))
    return replace(given, charges=(), discounts=(), totals=totals)


def test_an_order_is_filed_and_an_invoice_is_posted_as_a_payable(sap: Sap) -> None:
    order = outward("idoc/sales_order.out", document("idoc/sales_order.out", "idoc/sales-order.order.json"))

    assert sap.send("order", order)["MESTYP"] == "ORDERS"
    (posted,) = sap.send("invoice", outward("idoc/invoic.out", invoice()))["APPLIED"]
    assert posted["INVOICINGPARTY"] == "NORTHWIND"
    assert "213.80" in posted["MESSAGE"]


def test_a_delivery_moves_their_order(sap: Sap) -> None:
    number, items = sap.order()
    given = document("idoc/desadv.out", "idoc/desadv-two-packs.shipment.json")
    lines = tuple(
        replace(given.lines[0], external_id=item["SalesOrderItem"], quantity=Decimal(item["RequestedQuantity"]))
        for item in items
    )
    shipment = replace(given, order_external_id=number, lines=lines, packages=())
    body = outward("idoc/desadv.out", shipment).replace(b"<MESTYP>DESADV<", b"<MESTYP>DELVRY<")

    (moved,) = sap.send("shipment", body)["APPLIED"]

    assert (moved["SALESORDER"], moved["STATUS"]) == (number, "C")


def test_received_but_not_posted_is_a_refusal_with_their_reason(sap: Sap) -> None:
    wrong = replace(invoice(), totals=Totals(lines=Decimal("183.90"), tax=Decimal("29.90"), grand=Decimal("999.00")))
    with pytest.raises(Rejected, match=r"STATUS 51 .*Balance not zero"):
        sap.send("invoice", outward("idoc/invoic.out", wrong))

    closed = {"mestyp": "INVOIC", "status": "51", "message": "Posting period 11 2026 is not open", "count": 1}
    sap.ask("/_mock/idoc-posting", closed)
    with pytest.raises(Rejected, match="Posting period 11 2026 is not open"):
        sap.send("invoice", outward("idoc/invoic.out", invoice()))

    assert sap.send("invoice", outward("idoc/invoic.out", invoice()))["STATUS"] == "53"


def test_an_answer_without_a_status_leaves_doubt(sap: Sap) -> None:
    sap.account.settings = Settings(base_url=sap.base, path="/_mock/reset", status_field="STATUS", accepted=("53",))
    with pytest.raises(InDoubt, match="no STATUS"):
        sap.send("invoice", b"{}")


@pytest.mark.parametrize(("kind", "mapping"), [("ORDERS", "orders"), ("INVOIC", "invoic"), ("DELVRY", "desadv")])
def test_what_it_writes_is_read(sap: Sap, kind: str, mapping: str) -> None:
    number, items = sap.order()
    body = sap.ask("/sap/bc/idoc/generate?format=xml", {"mestyp": kind, "SalesOrder": number})

    found = inward(f"idoc/{mapping}.in", body)

    quantities = [getattr(line, "ordered", None) or line.quantity for line in found.lines]
    assert quantities == [Decimal(item["RequestedQuantity"]) for item in items]
    told = [getattr(line, "sku", "") for line in found.lines]
    assert [getattr(each, "seller", each) for each in told] == [item["Material"] for item in items]
