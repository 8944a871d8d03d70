"""A seller who trades over a partner's file server: an 850 is fetched, 997, 855, 856 and 810 are put there."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from connectors.ftps import simulator as ftps_simulator
from connectors.sftp import simulator as sftp_simulator
from hub.domain.work import WorkItem
from tests.connectors.cutter import cutter
from tests.connectors.ftps.conftest import certificate

from .conftest import STOCKED, Company
from .test_edi_x12 import OUT, answer_lines, interchange, purchase

Found = Callable[[Mapping[str, str]], Company]
Partner = sftp_simulator.Partner | ftps_simulator.Partner
SENT = (("acknowledgement", "855"), ("shipment", "856"), ("invoice", "810"))
NORTH = """
[partner]
name = "north"
[connection]
name = "north"
connector = "{connector}"
source_kind = "edi"
test = true
options = {{ allow_networks = ["127.0.0.0/8"] }}
[connection.settings]
host = "127.0.0.1"
port = {port}
user = "northwind"
password = "env:NORTH_PASSWORD"
inbox = "in"
outbox = "out"
outboxes = {{ receipt = "ack" }}
patterns = ["*.edi"]
ready = "old"
when_gone = "resend"
deadline = 10
{more}
[[agreement]]
direction = "in"
document = "order"
codec = "x12"
guide = "x12/850-004010"
mapping = "x12/850.in"
match = {{ set = "850", version = "004010", sender = "ZZ:MOCKEDI", receiver = "ZZ:NORTHWIND" }}
answer = ["997"]
"""


@contextmanager
def sftp_server(folder: Path) -> Iterator[tuple[Partner, int, str]]:
    """Their SFTP server, its port and what the settings say of it."""
    partner = sftp_simulator.Partner(root=folder / "theirs")
    with sftp_simulator.serve(partner) as port:
        yield partner, port, f'host_keys = ["{partner.fingerprint}"]'


@contextmanager
def ftps_server(folder: Path) -> Iterator[tuple[Partner, int, str]]:
    """Their FTPS server, its port and what the settings say of it."""
    cert, key = certificate(folder)
    partner = ftps_simulator.Partner(root=folder / "theirs", certificate=cert, key=key)
    with ftps_simulator.serve(partner) as port:
        yield partner, port, f"authorities = ['''{cert.read_text()}''']"


SERVERS = {"sftp": sftp_server, "ftps": ftps_server}


def files(partner: Partner, folder: str) -> list[tuple[str, bytes]]:
    """What lies in a folder of theirs."""
    return sorted((each.name, each.read_bytes()) for each in (partner.root / folder).iterdir() if each.is_file())


def put(partner: Partner, name: str, body: bytes) -> None:
    """They put a file there."""
    (partner.root / "in" / name).write_bytes(body)


def found(company: Found, connector: str, port: int, more: str) -> Company:
    """A seller who trades over that server."""
    out = "".join(OUT.format(document=document, set=name) for document, name in SENT)
    north = NORTH.format(connector=connector, port=port, more=more + "\nold_after = 0") + out
    return company({**STOCKED, "partners/north.toml": north})


def fetch(seller: Company) -> None:
    """A pull is due; do all that follows."""
    item = WorkItem(task="pull", subject_id="north/order", connection="north")
    seller.hub.ledger.transact(lambda unit: unit.later([item]))
    seller.work()


@pytest.fixture(params=sorted(SERVERS))
def connector(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each protocol in turn."""
    monkeypatch.setenv("NORTH_PASSWORD", "correct horse")
    return str(request.param)


def prepared(partner: Partner) -> Partner:
    """Make the folders of the account."""
    for folder in ("in", "out", "ack"):
        (partner.root / folder).mkdir(parents=True)
    return partner


def test_an_order_is_fetched_and_all_that_is_owed_for_it_is_put_there_once(
    connector: str, company: Found, tmp_path: Path
) -> None:
    with SERVERS[connector](tmp_path) as (given, port, more):
        partner = prepared(given)
        seller = found(company, connector, port, more)
        put(partner, "po.edi", interchange(purchase("A1")))

        fetch(seller)
        seller.dispatch_all()
        fetch(seller)
        put(partner, "po-again.edi", interchange(purchase("A1")))
        fetch(seller)

        assert [order.number for order in seller.orders()] == ["A1"]
        sets = sorted(body.decode().split("ST*")[1][:3] for _, body in files(partner, "out"))
        assert sets == ["810", "855", "856"]
        receipts = {answer_lines(body.decode())[-1] for _, body in files(partner, "ack")}
        assert receipts == {"AK9*A*1*1*1"}
        assert files(partner, "in") == []
        assert sorted(name for name, _ in files(partner, "in/taken")) == ["po-again.edi", "po.edi"]
        assert seller.rows("SELECT title FROM incidents") == []
        assert {state for (state,) in seller.rows("SELECT state FROM deliveries")} == {"delivered"}


def test_a_line_that_breaks_while_documents_go_out_loses_none_and_doubles_none(
    connector: str, company: Found, tmp_path: Path
) -> None:
    with SERVERS[connector](tmp_path) as (given, port, more), cutter(port) as line:
        partner = prepared(given)
        seller = found(company, connector, line.port, more)
        seller.take("north", interchange(*(purchase(f"B{number}", f"{number:04}") for number in range(1, 6))))
        for sent in (2_000, 3_000, 3_500, 4_500):
            line.arm(sent=sent)
            seller.work()
            seller.hub.store.write(lambda db: db.run("UPDATE work SET due_us = 0 WHERE status = 'queued'"))
        line.arm()
        seller.work()

        bodies = [body.decode() for _, body in files(partner, "out")]
        numbers = sorted(text.split("BAK*")[1].split("*")[2] for text in bodies)
        assert numbers == ["B1", "B2", "B3", "B4", "B5"]
        assert all(text.rstrip().endswith("~") and "IEA*1*" in text for text in bodies)
        assert len(files(partner, "ack")) == 1
        assert [name for folder in ("out", "ack") for name, _ in files(partner, folder) if name.startswith(".")] == []
        assert {state for (state,) in seller.rows("SELECT state FROM deliveries")} == {"delivered"}


def test_a_server_that_is_not_the_one_we_know_is_an_incident_and_all_waits_until_it_is(
    connector: str, company: Found, tmp_path: Path
) -> None:
    with SERVERS[connector](tmp_path) as (given, port, right):
        partner = prepared(given)
        wrong = f'host_keys = ["SHA256:{"A" * 43}"]' if connector == "sftp" else f'fingerprints = ["{"ab" * 32}"]'
        seller = found(company, connector, port, wrong)
        seller.take("north", interchange(purchase("C1")))
        seller.work()
        fetch(seller)

        ((title, detail),) = seller.rows("SELECT title, detail FROM incidents")
        assert title == "north cannot be reached or used"
        assert "nothing was sent" in detail
        assert files(partner, "out") == files(partner, "ack") == []
        assert {state for (state,) in seller.rows("SELECT state FROM deliveries")} == {"planned"}

        configured = seller.hub.config().connections["north"]
        settings = {**configured.settings, **tomllib.loads(right), "fingerprints": []}
        settings = {name: value for name, value in settings.items() if name != "fingerprints" or connector == "ftps"}
        seller.change("connection", "north", msgspec.structs.replace(configured, settings=settings))
        seller.hub.store.write(lambda db: db.run("UPDATE work SET due_us = 0"))
        seller.work()

        assert len(files(partner, "ack")) == 1
        assert {state for (state,) in seller.rows("SELECT state FROM deliveries")} == {"delivered"}
        assert seller.rows("SELECT state FROM incidents") == [("auto_resolved",)]
