"""A partner whom this repository has never seen: from one sample file to accepted documents both ways, TOML only."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import main

from .conftest import STOCKED, Company, MockEdi
from .test_xml_families import HUB, SAMPLES, judged, order, put, written

Found = Callable[[Mapping[str, str]], Company]
LINES = (
    {"sku": "WIDGET-001", "quantity": "10", "uom": "EA", "price": "12.50"},
    {"sku": "WIDGET-002", "quantity": "4", "uom": "EA", "price": "3.10"},
)
EDIFACT = {
    "id": "NORDWIND", "name": "Nordwind GmbH", "qualifier": "14", "dialect": "EDIFACT", "version": "D:96A:UN",
    "role": "supplier",
}  # fmt: skip


def hub(folder: Path, *arguments: str) -> Result:
    surroundings = {"HUB_CONFIG": str(folder / "config"), "HUB_VAR": str(folder / "var"), "HUB_DATABASE_URL": ""}
    return CliRunner().invoke(main, list(arguments), env=surroundings, prog_name="hub")


def decide(drafted: str) -> str:
    """What a person does with a draft: their folders, the documents they want back, and the marks taken away."""
    text = re.sub("settings = .*", 'settings = { inbox = "from-them", outbox = "to-them", pattern = "*.edi" }', drafted)
    proposed = text.index("# ? No sample of it was given")
    wanted = re.sub(r"(?m)^# (?!\?)", "", text[proposed:])
    return re.sub(r" *# \?.*", "", text[:proposed] + wanted)


@pytest.mark.peers
@pytest.mark.parametrize(("syntax", "supplier"), [("x12", "NORTHWIND"), ("edifact", "NORDWIND")])
def test_one_sample_order_is_enough_to_be_answered_shipped_and_billed(
    syntax: str, supplier: str, mock_edi: MockEdi, company: Found, tmp_path: Path
) -> None:
    if syntax == "edifact":
        mock_edi.ask("/_mock/partners", EDIFACT)
    mock_edi.buy(supplier, "4500001001", *LINES)
    (sample,) = (tmp_path / "var" / "from-them").glob("*.edi")
    file = tmp_path / "config" / "partners" / "north.toml"

    drafted = hub(tmp_path, "partner", "new", "north", "--from", str(sample))
    assert drafted.exit_code == 0, drafted.output
    file.write_text(decide(file.read_text()))
    judged = hub(tmp_path, "partner", "test", "north")
    assert judged.exit_code == 0, judged.output
    seller = company(STOCKED)
    for _ in range(2):
        seller.fetch("north")
        mock_edi.scan()
    seller.dispatch_all()
    mock_edi.scan()
    seller.fetch("north")

    assert mock_edi.ask("/_mock/disagreements") == []
    assert mock_edi.ask("/_mock/unacknowledged") == []
    said = mock_edi.ask("/_mock/orders/4500001001")
    assert [(row["ordered"], row["confirmed"], row["shipped"], row["billed"]) for row in said["reconciliation"]] == [
        ("10", "10", "10", "10"),
        ("4", "4", "4", "4"),
    ]
    assert seller.rows("SELECT title, detail FROM incidents") == []
    assert seller.rows("SELECT send, state FROM deliveries WHERE send <> 'receipt' ORDER BY send") == [
        ("acknowledgement", "acknowledged"),
        ("invoice", "acknowledged"),
        ("shipment", "acknowledged"),
    ]


@pytest.mark.parametrize("kind", ["ubl", "cxml", "idoc"])
def test_one_sample_in_xml_is_enough_too(kind: str, company: Found, tmp_path: Path) -> None:
    samples = {
        "ubl": order(), "cxml": (SAMPLES / "cxml" / "samples" / "order-request.xml").read_bytes(),
        "idoc": (SAMPLES / "idoc" / "samples" / "orders-retail.xml").read_bytes().replace(b"SCREW-4", b"WIDGET-002"),
    }  # fmt: skip
    sample = tmp_path / "sample.xml"
    sample.write_bytes(samples[kind])
    file = tmp_path / "config" / "partners" / "north.toml"

    drafted = hub(tmp_path, "partner", "new", "north", "--from", str(sample))
    assert drafted.exit_code == 0, drafted.output
    file.write_text(decide(file.read_text()).replace("*.edi", "*.xml"))
    judgement = hub(tmp_path, "partner", "test", "north")
    assert judgement.exit_code == 0, judgement.output
    seller = company({**STOCKED, "hub.toml": HUB})
    put(seller, "from-them", "order.xml", samples[kind])
    seller.fetch("north")
    seller.dispatch_all()

    sent = written(seller, "to-them")
    assert seller.rows("SELECT title, detail FROM incidents") == []
    assert sorted(sent) == ["acknowledgement", "invoice", "shipment"]
    if kind == "ubl":
        assert judged(tmp_path / "invoice.xml", sent["invoice"]) == []
