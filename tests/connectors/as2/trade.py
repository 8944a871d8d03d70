"""A whole hub that trades with North Stores over AS2, worked by hand; the partner is the simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from msgspec.structs import replace
from werkzeug.test import TestResponse

from connectors.as2.simulator import Later, Partner, Sent
from hub.bootstrap import build
from hub.settings import HubSettings
from hub.store import seeds
from hub.store.config import save_record
from hub.store.migrate import upgrade
from hub.store.seed_files import read_folder
from hub.testing.invariants import check
from hub.testing.serve import handler, serve
from hub.web.app import create_app
from tests.connectors.worked_hub import WorkedHub

from .conftest import certificate_pem, pem

LONG = 20_000
"""Days for which certificates are valid here: these hubs go by the real clock."""
FILES = {
    "hub.toml": '[seller]\nname = "Northwind Components Ltd"\n',
    "routes.toml": '[[route]]\non = "acknowledgement.issued"\nto = "origin"\nsend = "acknowledgement"\n',
    "locations.toml": (
        '[[location]]\ncode = "MAIN"\nname = "Main"\n[location.address]\nname = "Northwind"\n'
        'line1 = "77 Harbour Road"\ncity = "Portland"\nregion = "OR"\npostal_code = "97209"\ncountry = "US"\n'
    ),
    "items.csv": "sku,name\nWIDGET-001,Blue widget\n",
    "stock.csv": "location,sku,quantity\nMAIN,WIDGET-001,5000\n",
}
NORTH = """
[partner]
name = "north"
[connection]
name = "north"
connector = "as2"
source_kind = "edi"
test = true
[connection.settings]
our_id = "HUB"
their_id = "North Stores"
our_key = "file:{folder}/hub.pem"
their_certificates = ["north.pem"]
url = "{url}"
{settings}
[[agreement]]
direction = "in"
document = "order"
codec = "x12"
guide = "x12/850-004010"
mapping = "x12/850.in"
match = {{ set = "850", sender = "ZZ:NORTH", receiver = "ZZ:NORTHWIND" }}
answer = {answer}
[[agreement]]
direction = "out"
document = "acknowledgement"
codec = "x12"
mapping = "x12/855.out"
[agreement.envelope]
sender = "ZZ:NORTHWIND"
receiver = "ZZ:NORTH"
version = "00401"
group = "004010"
"""
PURCHASE = (
    "ISA*00*          *00*          *ZZ*NORTH          *ZZ*NORTHWIND      *261122*0900*U*00401*{control:09}*0*T*>~\n"
    "GS*PO*NORTH*NORTHWIND*20261122*0900*{control}*X*004010~\nST*850*0001~\nBEG*00*SA*{number}**20261120~\nCUR*BY*USD~\n"
    "N1*BY*North Stores*92*0001~\nN1*ST*North Stores Boston~\nN3*500 Seaport Boulevard~\nN4*Boston*MA*02210*US~\n"
    "PO1*1*2*EA*12.50**VP*WIDGET-001~\nCTT*1~\nSE*10*0001~\nGE*1*{control}~\nIEA*1*{control:09}~\n"
)


def purchase(number: str, control: int = 1) -> bytes:
    """One 850 in its interchange."""
    return PURCHASE.format(number=number, control=control).encode()


class Trade(WorkedHub):
    """A hub and its partner."""

    def __init__(self, hub: Any, partner: Partner, settings: HubSettings) -> None:
        super().__init__(hub)
        self.partner, self.settings = partner, settings
        self.client: FlaskClient = create_app(hub.services, hub.store).test_client()

    def change(self, **settings: Any) -> None:
        """An admin changes settings of the connection (and its `state`); the next process sees it at once."""
        configured = self.hub.config().connections["north"]
        state = settings.pop("state", configured.state)
        changed = replace(configured, state=state, settings={**configured.settings, **settings})
        self.hub.store.write(lambda db: save_record(db, "connection", "north", changed, "tests"))
        self.hub.close()
        self.hub = build(self.settings)
        self.client = create_app(self.hub.services, self.hub.store).test_client()

    def post(self, sent: Sent | Later, **headers: str) -> TestResponse:
        """Call `POST /as2` as the partner."""
        return self.client.post("/as2", data=sent.body, headers={**sent.headers, **headers})

    def incidents(self) -> list[str]:
        """Return the fingerprints of the incidents that are open."""
        found = self.rows("SELECT fingerprint FROM incidents WHERE state = 'open' ORDER BY fingerprint")
        return [row[0] for row in found]

    def deliveries(self) -> list[tuple[Any, ...]]:
        """Return every delivery as (document, state)."""
        return self.rows("SELECT send, state FROM deliveries ORDER BY send, id")

    def messages(self) -> list[tuple[Any, ...]]:
        """Return every message as (direction, kind, state)."""
        return self.rows("SELECT direction, kind, state FROM messages ORDER BY direction, kind, id")

    def orders(self) -> list[str]:
        """Return the numbers of the orders."""
        return [row[0] for row in self.rows("SELECT number FROM orders ORDER BY number")]


@contextmanager
def trading(
    folder: Path, database_url: str, *settings: str, answer: tuple[str, ...] = (), **changes: Any
) -> Iterator[Trade]:
    """Found a hub and a partner; `settings` are lines of the connection's, `changes` the partner's fields."""
    hub_certificate = certificate_pem("hub", days=LONG)
    partner = Partner(
        name="North Stores", hub="HUB", key=pem("north", days=LONG), hub_certificate=hub_certificate, **changes
    )
    config, var = folder / "config", folder / "var"
    for path in (config / "partners", var):
        path.mkdir(parents=True)
    (folder / "hub.pem").write_text(pem("hub", days=LONG))
    (var / "north.pem").write_text(certificate_pem("north", days=LONG))
    with serve(handler(partner.take)) as url:
        text = NORTH.format(folder=folder, url=f"{url}/as2", settings="\n".join(settings), answer=json.dumps(answer))
        for name, content in {**FILES, "partners/north.toml": text}.items():
            (config / name).write_text(content)
        upgrade(database_url)
        given = HubSettings(database_url=database_url, var=var, config=config, allow_networks=("127.0.0.0/8",))
        hub = build(given)
        hub.store.write(lambda db: seeds.apply(db, read_folder(config), who="tests"))
        trade = Trade(hub, partner, given)
        try:
            yield trade
            assert check(trade.hub.store) == []
        finally:
            trade.hub.close()
