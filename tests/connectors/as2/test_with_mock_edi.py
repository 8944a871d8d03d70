"""AS2 with mock-edi, a trading partner that nobody here wrote: both ways, its MIC checked, without S/MIME."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.as2 import As2
from hub.bootstrap import Hub, build
from hub.sdk import Kit, Rejected
from hub.settings import HubSettings
from hub.store import seeds
from hub.store.migrate import upgrade
from hub.store.seed_files import read_folder
from hub.testing.serve import serve
from hub.web.app import create_app
from tests.connectors.worked_hub import WorkedHub
from tests.journeys.conftest import MOCK_EDI, MockEdi

from .partnership import OUT, settings
from .trade import FILES

pytest_plugins = ["hub.testing.pytest_plugin"]

pytestmark = pytest.mark.peers
MOCK = """
[partner]
name = "mock"
[connection]
name = "mock"
connector = "as2"
source_kind = "edi"
test = true
[connection.settings]
our_id = "NORTHWIND"
their_id = "MOCKEDI"
our_key = ""
their_certificates = []
steps = []
require = []
receipt_signed = false
url = "{url}/as2"
{settings}
[[agreement]]
direction = "in"
document = "order"
codec = "x12"
guide = "x12/850-004010"
mapping = "x12/850.in"
match = {{ set = "850", sender = "ZZ:MOCKEDI", receiver = "ZZ:NORTHWIND" }}
answer = ["997"]
[[agreement]]
direction = "out"
document = "acknowledgement"
codec = "x12"
mapping = "x12/855.out"
expect = {{ 997 = "PT4H" }}
[agreement.envelope]
sender = "ZZ:NORTHWIND"
receiver = "ZZ:MOCKEDI"
version = "00401"
group = "004010"
"""


@pytest.fixture
def mock_edi() -> Iterator[MockEdi]:
    """Starts mock-edi, which posts what it has to say only when it is told to."""
    if not MOCK_EDI.exists():
        pytest.skip("mock-edi is not installed under .peers/mock-edi; `make peers` builds it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(MOCK_EDI), "--port", str(port), "-q", "--name", "North Stores", "--hold-delivery"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        mock = MockEdi(f"http://127.0.0.1:{port}")
        try:
            _wait_for(mock, process)
            yield mock
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait_for(mock: MockEdi, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until and process.poll() is None:
        try:
            mock.ask("/_mock/health")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError("mock-edi did not answer within 15 s")


@contextmanager
def hub_for(folder: Path, url: str, *settings: str) -> Iterator[Hub]:
    """Run a hub that trades with mock-edi."""
    config = folder / "config"
    (config / "partners").mkdir(parents=True)
    text = MOCK.format(url=url, settings="\n".join(settings))
    for name, content in {**FILES, "partners/mock.toml": text}.items():
        (config / name).write_text(content)
    database = f"sqlite:///{folder / 'hub.db'}"
    upgrade(database)
    hub = build(HubSettings(database_url=database, var=folder / "var", allow_networks=("127.0.0.0/8",)))
    hub.store.write(lambda db: seeds.apply(db, read_folder(config), who="tests"))
    try:
        yield hub
    finally:
        hub.close()


def exchange(mock: MockEdi, worked: WorkedHub) -> None:
    """Both sides say what they have to say, until neither has anything left."""
    for _ in range(20):
        worked.work()
        told: Any = mock.ask("/_mock/deliver", {})
        if not told.get("sent"):
            break
    worked.work()


@pytest.mark.parametrize("receipt", ["sync", "async"])
def test_an_order_comes_and_is_answered_with_receipts_both_ways(
    tmp_path: Path, mock_edi: MockEdi, receipt: str
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ours = f"http://127.0.0.1:{port}/as2"
    with hub_for(tmp_path, mock_edi.base, f'receipt = "{receipt}"', f'receipt_url = "{ours}"') as hub:
        worked = WorkedHub(hub)
        with serve(create_app(hub.services, hub.store), port=port):
            mock_edi.ask("/_mock/partners/NORTHWIND", {"as2_url": ours}, "PATCH")
            mock_edi.buy("NORTHWIND", "4500001", {"sku": "WIDGET-001", "quantity": "2", "uom": "EA", "price": "12.50"})
            exchange(mock_edi, worked)

        assert worked.rows("SELECT number FROM orders") == [("4500001",)]
        assert worked.rows("SELECT title, detail FROM incidents") == []
        assert worked.rows("SELECT send, state FROM deliveries ORDER BY send") == [
            ("acknowledgement", "acknowledged"),
            ("receipt", "acknowledged"),
        ]
        expected = worked.rows("SELECT kind, state FROM expected_receipts ORDER BY kind, delivery_id")
        assert set(expected) == {("997", "received"), *([("mdn", "received")] if receipt == "async" else [])}
    assert mock_edi.ask("/_mock/disagreements") == []
    assert mock_edi.ask("/_mock/unacknowledged") == []
    told = [each["disposition"] for each in mock_edi.ask("/_mock/mdns") if each["direction"] == "in"]
    assert told
    assert {each.rpartition("; ")[2] for each in told} == {"processed"}


def test_a_signed_message_is_refused_by_it_in_words_that_we_read(hub_kit: Kit, mock_edi: MockEdi) -> None:
    given = {"url": f"{mock_edi.base}/as2", "their_id": "MOCKEDI", "steps": ("sign",), "receipt_signed": False}
    account = As2(settings(**given), hub_kit)

    with pytest.raises(Rejected, match=r"insufficient-message-security.*does not implement S/MIME"):
        account.push(OUT)
