"""inspect, translate and ack: a file on this machine, and nothing stored or sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import main

Hub = Callable[..., Result]

MAPPINGS = Path(__file__).parents[2] / "mappings"
RETAIL = str(MAPPINGS / "x12/samples/850-retail.edi")


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    def run(*arguments: str) -> Result:
        environment = {"HUB_VAR": str(tmp_path), "HUB_CONFIG": str(tmp_path), "HUB_DATABASE_URL": ""}
        return CliRunner().invoke(main, list(arguments), env=environment, prog_name="hub")

    return run


def broken(tmp_path: Path) -> str:
    """The sample with a price that is no number."""
    file = tmp_path / "broken.edi"
    text = Path(RETAIL).read_text()
    assert "*9.95*" in text
    file.write_text(text.replace("*9.95*", "*NINE*"))
    return str(file)


def test_inspect_shows_envelope_and_sets(hub: Hub) -> None:
    done = hub("inspect", RETAIL, "--json")

    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["codec"] == "x12"
    assert [(each["set"], each["sender"], each["receiver"]) for each in found["documents"]] == [
        ("850", "ZZ:NORTHWIND", "ZZ:ACMEGOODS")
    ]


def test_inspect_against_a_guide_names_segment_and_fails(hub: Hub, tmp_path: Path) -> None:
    done = hub("inspect", broken(tmp_path), "--guide", "x12/850-004010")

    assert done.exit_code == 1
    assert "document 0: error: " in done.stderr
    assert "PO1)" in done.stderr


def test_inspect_of_something_else_says_what_it_tried(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")

    done = hub("inspect", str(file))

    assert done.exit_code == 1
    assert "x12, edifact, json, cxml, idoc, xml, csv" in done.stderr


def test_translate_prints_the_canonical_document(hub: Hub) -> None:
    done = hub("translate", RETAIL, "--as", "x12/850.in")

    expected = json.loads((MAPPINGS / "x12/samples/850-retail.order.json").read_text())
    assert json.loads(done.stdout) == expected


def test_translate_to_another_mapping_prints_what_would_be_sent(hub: Hub) -> None:
    done = hub("translate", RETAIL, "--as", "x12/850.in", "--to", "rest/order.out")

    sent = json.loads(done.stdout)
    assert (sent["reference"], [item["sku"] for item in sent["items"]]) == ("4500017", ["AC-100", "AC-200", "AC-300"])


def test_translate_of_canonical_json_writes_edi(hub: Hub) -> None:
    done = hub("translate", str(MAPPINGS / "x12/samples/856-two-packs.shipment.json"), "--as", "x12/856.out")

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[1].startswith("GS*SH*SENDER*RECEIVER*")
    assert lines[2:4] == ["ST*856*0001~", "BSN*00*SH-9*20261127*1545*0001~"]


def test_translate_explains_each_value(hub: Hub) -> None:
    done = hub("translate", RETAIL, "--as", "x12/850.in", "--explain")

    assert "number = '4500017' from BEG.03 '4500017' in segment 2  [x12/850.in.toml:" in done.stdout


def test_problems_go_to_standard_error_and_fail(hub: Hub, tmp_path: Path) -> None:
    done = hub("translate", broken(tmp_path), "--as", "x12/850.in")

    assert done.exit_code == 1
    assert done.stdout == ""
    assert "error: " in done.stderr


def test_ack_accepts_what_is_good(hub: Hub) -> None:
    done = hub("ack", RETAIL, "--control", "7")

    lines = done.stdout.splitlines()
    assert lines[0].startswith("ISA*00*          *00*          *ZZ*ACMEGOODS      *ZZ*NORTHWIND      *")
    assert lines[2:7] == ["ST*997*0007~", "AK1*PO*17~", "AK2*850*0001~", "AK5*A~", "AK9*A*1*1*1~"]


def test_ack_rejects_what_the_guide_forbids(hub: Hub, tmp_path: Path) -> None:
    done = hub("ack", broken(tmp_path), "--guide", "x12/850-004010")

    assert "AK5*R*5~" in done.stdout
    assert "AK9*R*1*1*0~" in done.stdout


def test_no_acknowledgement_is_due_for_one(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "997.edi"
    file.write_text(hub("ack", RETAIL).stdout)

    done = hub("ack", str(file))

    assert done.exit_code == 1
    assert "no acknowledgement is due" in done.stderr


def test_the_catalogue_lists_connectors_codecs_and_mappings(hub: Hub) -> None:
    found = json.loads(hub("catalogue", "--json").stdout)

    assert {"rest", "webhook"} <= {each["name"] for each in found["connectors"]}
    assert set(found["codecs"]) >= {"csv", "edifact", "json", "x12", "xml"}
    assert "x12/850.in" in found["mappings"]


def test_one_connector_shows_its_settings(hub: Hub) -> None:
    done = hub("catalogue", "webhook")

    assert "secret   " in done.output
    assert "The secret that both sides know" in done.output
