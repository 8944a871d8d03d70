"""The partners of the demo, each a simulator that keeps its contract, on loopback and in folders."""

from __future__ import annotations

import json
import threading
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.carrier.simulator import CarrierSimulator
from connectors.csv_supplier.simulator import CsvSupplier
from connectors.folder.simulator import Partner
from connectors.mirakl.simulator import Market
from connectors.rest.simulator import RestSink
from connectors.shopify.simulator import Shop
from connectors.tryton.simulator import KEY, TrytonSimulator
from connectors.webhook.simulator import Sender
from hub.cli.demoing.mail import MailDrop
from hub.cli.demoing.orders import PRICES, Bought, edifact_orders, market_order, shop_order, x12_orders
from hub.testing.serve import Answer, Call, Routes, answer_json, serve

BROOK_SECRET = "demo-brook-shared-secret"
SECRETS = {
    "shop.access_token": "sandbox-token",
    "shop.webhook_secret": "sandbox-secret",
    "market.api_key": "sandbox-key",
    "parcel.token": "token",
    "erp.key": KEY,
    "brook_in.secret": BROOK_SECRET,
}
SHOP_ITEMS = ("WIDGET-001", "PANEL-A3", "LAMP-7", "MUG-BLUE")
CARTS: tuple[Bought, ...] = (
    (("WIDGET-001", 2), ("LAMP-7", 1)),
    (("PANEL-A3", 1),),
    (("MUG-BLUE", 6), ("WIDGET-001", 1)),
    (("LAMP-7", 2),),
)
EDI_CARTS: tuple[Bought, ...] = ((("WIDGET-001", 20), ("PANEL-A3", 4)), (("LAMP-7", 12), ("CHAIR-12", 2)))
KONTOR_CARTS: tuple[Bought, ...] = ((("MUG-BLUE", 48),), (("LAMP-7", 6), ("DESK-90", 1)))


class DemoPartners:
    """Everybody around the hub. `address` is the hub's own, known once it listens."""

    def __init__(self, var: Path) -> None:
        self.var = var / "demo"
        self.shop = Shop()
        self.shop.items = {f"gid://shopify/InventoryItem/{at}": sku for at, sku in enumerate(SHOP_ITEMS, 1)}
        self.market = Market()
        self.carrier = CarrierSimulator()
        self.erp = TrytonSimulator(stock=dict.fromkeys(PRICES, Decimal(1000)))
        self.brook = RestSink()
        self.alpine = CsvSupplier(root=self.var / "alpine", stock={"DESK-90": Decimal(1_000_000)})
        self.bigbox = Partner(self.var / "bigbox" / "in", self.var / "bigbox" / "out")
        self.kontor = Partner(self.var / "kontor" / "in", self.var / "kontor" / "out")
        self.mail = MailDrop(self.var / "mail")
        self.address = ""
        self._answered: set[str] = set()
        self._number = int(datetime.now(UTC).timestamp())
        self._serving = ExitStack()
        self._guard = threading.Lock()

    def open(self) -> dict[str, str]:
        """Start to serve; return what the configuration needs (addresses, the mail server's port) and `control`."""
        served: dict[str, Any] = {
            "shop": self.shop.app,
            "market": self.market.app,
            "parcel": self.carrier.app(),
            "erp": self.erp,
            "brook": self.brook.app(),
            "control": self._control(),
        }
        addresses = {name: self._serving.enter_context(serve(app)) for name, app in served.items()}
        return {**addresses, "mail": str(self._serving.enter_context(self.mail.serve()))}

    def close(self) -> None:
        """Stop serving."""
        self._serving.close()

    def turn(self) -> None:
        """Let the suppliers do what a supplier does between two looks at the clock."""
        self.alpine.work()
        for order_id, order in list(self.market.orders.items()):
            if order["order_state"] == "WAITING_DEBIT_PAYMENT":
                self.market.pay(order_id)
        for key, kept in list(self.brook.kept.items()):
            if kept["kind"] == "purchase_orders" and key not in self._answered:
                self._answer(key, kept["document"])
                self._answered.add(key)

    def place(self, count: int) -> list[dict[str, str]]:
        """Send orders through every source in turn; return (source, number) of each."""
        with self._guard:
            numbers = [self._number + at for at in range(count)]
            self._number += count
        at = datetime.now(UTC)
        shop = [each for each in numbers if each % 4 == 0]
        market = [each for each in numbers if each % 4 == 2]
        bigbox = [each for each in numbers if each % 4 == 1]
        kontor = [each for each in numbers if each % 4 == 3]
        for number in shop:
            self.shop.place(shop_order(number, CARTS[number // 4 % len(CARTS)], at))
            self.shop.send(f"{self.address}/in/shop", "orders/create", str(number))
        for number in market:
            self.market.place(*market_order(number, CARTS[number // 4 % len(CARTS)], at))
        self._drop(self.bigbox, bigbox, "BB", EDI_CARTS, at)
        self._drop(self.kontor, kontor, "KO", KONTOR_CARTS, at)
        return [
            *({"source": "shop", "number": f"#{each}"} for each in shop),
            *({"source": "market", "number": f"M{each}-A"} for each in market),
            *({"source": "bigbox", "number": f"BB-{each}"} for each in bigbox),
            *({"source": "kontor", "number": f"KO-{each}"} for each in kontor),
        ]

    def _drop(self, partner: Partner, numbers: list[int], prefix: str, carts: tuple[Bought, ...], at: datetime) -> None:
        if not numbers:
            return
        write = x12_orders if prefix == "BB" else edifact_orders
        orders = [(f"{prefix}-{each}", carts[each // 4 % len(carts)]) for each in numbers]
        partner.put(f"{prefix}{numbers[0]}.edi", write(numbers[0] % 1_000_000_000, orders, at))

    def _answer(self, key: str, order: dict[str, Any]) -> None:
        """Brook accepts every line and ships at once."""
        number, items = str(order["purchase_order"]), order["items"]
        lines = [{"line": item["line"], "sku": item.get("sku", ""), "quantity": item["quantity"]} for item in items]
        accepted = [{**line, "status": "accepted"} for line in lines]
        self._call("acknowledgement", f"{key}-a", {
            "id": f"A-{number}", "purchase_order": number, "status": "accepted", "items": accepted,
        })  # fmt: skip
        self._call("shipment", f"{key}-s", {
            "id": f"S-{number}", "purchase_order": number, "carrier": "CARRIERX", "service": "standard",
            "shipped_at": datetime.now(UTC).isoformat(timespec="seconds"), "items": lines,
            "parcels": [{"tracking_number": f"BR{number}"}],
        })  # fmt: skip

    def _call(self, kind: str, event_id: str, document: dict[str, Any]) -> None:
        sender = Sender(secret=BROOK_SECRET, kind_header="X-Document")
        call = sender.call(document, event_id=event_id, kind=kind)
        request = urllib.request.Request(f"{self.address}/in/brook_in", data=call.body, headers=call.headers)
        with urllib.request.urlopen(request, timeout=10):
            pass

    def _control(self) -> Routes:
        routes = Routes()
        routes.add("POST", "/orders", self._ordered)
        return routes

    def _ordered(self, call: Call) -> Answer:
        count = int(json.loads(call.body)["count"])
        return answer_json({"orders": self.place(min(count, 10_000))})


def ask_for_orders(control: str, count: int) -> list[dict[str, str]]:
    """Ask the running demo to send orders; raises OSError where no demo runs."""
    body = json.dumps({"count": count}).encode()
    request = urllib.request.Request(f"{control}/orders", data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        orders: list[dict[str, str]] = json.loads(answer.read())["orders"]
    return orders
