"""`hub partner new --from` and the compliance report of `hub partner test`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

import mappings

from .conftest import Hub

HOUSE = Path(mappings.__path__[0])
ORDER = (HOUSE / "x12" / "samples" / "850-retail.edi").read_text()
NOTICE = (HOUSE / "x12" / "samples" / "856-notice.edi").read_text()


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """A 5010 order whose terminator is a bar, marked as a test, with a reference that the base does not read."""
    text = ORDER.replace("REF*IA*778812", "REF*ZA*778812").replace("~", "|").replace("004010", "005010")
    text = text.replace("*U*00401*", "*^*00501*").replace("*0*P*>", "*0*T*>")
    return written(tmp_path / "order.edi", text.replace("GS*PO*NORTHWIND*", "GS*PO*NWSTORES*"))


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    """The dispatch advice that this partner wants from us."""
    text = NOTICE.replace("SUPPLYCO       *ZZ*ACMEGOODS      ", "ACMEGOODS      *ZZ*NORTHWIND      ")
    return written(tmp_path / "notice.edi", text.replace("GS*SH*SUPPLYCO*ACMEGOODS", "GS*SH*ACMEGOODS*NORTHWIND"))


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def test_what_the_samples_show_is_written_and_what_is_guessed_is_marked(
    hub: Hub, config: Path, order: Path, notice: Path
) -> None:
    done = hub("partner", "new", "northwind", "--from", str(order), "--from", str(notice), "--us", "ZZ:ACMEGOODS")

    assert done.exit_code == 0, done.output
    text = (config / "partners" / "northwind.toml").read_text()
    drafted = tomllib.loads(text)
    assert drafted["partner"]["identifiers"] == [{"scheme": "ISA", "value": "ZZ:NORTHWIND"}]
    assert drafted["connection"]["test"] is True
    inbound, outbound = drafted["agreement"]
    assert inbound["match"] == {
        "set": "850", "version": "005010", "sender": "ZZ:NORTHWIND", "receiver": "ZZ:ACMEGOODS",
    }  # fmt: skip
    assert (inbound["document"], inbound["guide"]) == ("order", "x12/850-005010")
    assert (outbound["document"], outbound["mapping"]) == ("shipment", "partners/northwind/856.out")
    assert outbound["envelope"] == {
        "sender": "ZZ:ACMEGOODS", "receiver": "ZZ:NORTHWIND", "version": "00401", "group": "004010", "newline": True,
    }  # fmt: skip
    # an answer that no sample shows is proposed with their characters and their group's names, turned round
    assert 'group_receiver = "NWSTORES", separators = ["*", "|", ">", "^"], newline = true, test = true' in text
    assert 'title = "Northwind"   # ?' in text
    mapping = (config / "mappings" / "partners" / "northwind" / "850.in.toml").read_text()
    assert """# ? ... = "REF[01=ZA].02"   # '778812', segment 5""" in mapping
    assert "BEG.03" not in mapping
    assert "lines are marked '# ?'" in done.output


def test_the_drafts_pass_and_what_is_open_is_told(hub: Hub, config: Path, order: Path, notice: Path) -> None:
    hub("partner", "new", "northwind", "--from", str(order), "--from", str(notice), "--us", "ZZ:ACMEGOODS")
    assert config

    done = hub("partner", "test", "northwind")

    assert done.exit_code == 0, done.output
    assert "ok     order.edi document 1: they send 850 005010, ZZ:NORTHWIND > ZZ:ACMEGOODS" in done.output
    assert "REF[01=ZA].02 = '778812' in segment 5" in done.output
    assert "answer: AK1*PO*17*005010 ~ AK2*850*0001 ~ AK5*A ~ AK9*A*1*1*1" in done.output
    assert "ok     notice.edi document 1: we send 856 004010" in done.output
    assert "TD1.07 (their segment 4): only they have '4.5'" in done.output
    assert "ok     partners/northwind/850.in: 1 tests" in done.output
    assert "lines are still marked '# ?'" in done.output


def test_what_is_given_a_field_is_not_open_any_more(hub: Hub, config: Path, order: Path) -> None:
    hub("partner", "new", "northwind", "--from", str(order), "--us", "ACMEGOODS")
    file = config / "mappings" / "partners" / "northwind" / "850.in.toml"
    file.write_text(file.read_text().replace('# ? ... = "REF[01=ZA].02"', 'department = "REF[01=ZA].02"'))

    done = hub("partner", "test", "northwind", "--json")

    assert done.exit_code == 1  # the department of the kept result was another
    assert "department" in done.stderr
    open_paths = [one["path"] for one in json.loads(done.stdout)[0]["unread"]]
    assert "REF[01=ZA].02" not in open_paths
    assert "REF[01=DP].02" in open_paths


def test_an_error_is_told_at_its_segment_and_element_with_the_answer_it_gets(
    hub: Hub, config: Path, order: Path
) -> None:
    hub("partner", "new", "northwind", "--from", str(order), "--us", "ZZ:ACMEGOODS")
    sample = config / "mappings" / "partners" / "northwind" / "samples" / "late.edi"
    sample.write_text(order.read_text().replace("*20261120|", "*20261320|").replace("PO1*2*2*CA", "PO1*2*two*CA"))

    done = hub("partner", "test", "northwind")

    assert done.exit_code == 1
    assert "FAILED late.edi document 1: they send 850" in done.output
    assert "error segment 2 BEG element 5 byte " in done.output
    assert "20261320" in done.output
    assert "element 2" in done.output.partition("PO1")[2]
    assert "AK3*BEG*2" in done.output
    assert "AK5*R" in done.output
    assert "0 of 1 mappings and 1 of 2 documents in samples failed" in done.stderr


def test_a_sample_that_no_agreement_takes_is_named(hub: Hub, config: Path, order: Path, notice: Path) -> None:
    hub("partner", "new", "northwind", "--from", str(order), "--us", "ZZ:ACMEGOODS")
    (config / "mappings" / "partners" / "northwind" / "samples" / "notice.edi").write_bytes(notice.read_bytes())

    done = hub("partner", "test", "northwind")

    assert done.exit_code == 1
    assert "no agreement takes set 856 004010 from ZZ:ACMEGOODS to ZZ:NORTHWIND that goes out" in done.output


def test_the_hub_knows_its_own_name(hub: Hub, config: Path, order: Path) -> None:
    file = config / "hub.toml"
    file.write_text('[seller]\nname = "Acme"\nidentifiers = [{ scheme = "ISA", value = "ZZ:ACMEGOODS" }]\n')

    assert hub("partner", "new", "northwind", "--from", str(order)).exit_code == 0

    text = (config / "partners" / "northwind.toml").read_text()
    assert 'value = "ZZ:NORTHWIND" }]\n' in text


def test_who_we_are_may_be_guessed_and_then_says_so(hub: Hub, config: Path, order: Path, notice: Path) -> None:
    assert hub("partner", "new", "northwind", "--from", str(notice), "--from", str(order)).exit_code == 0

    text = (config / "partners" / "northwind.toml").read_text()
    assert 'value = "ZZ:NORTHWIND" }]   # ? taken for theirs because they buy; --us says who we are' in text


@pytest.mark.parametrize(
    ("change", "us", "told"),
    [
        ("", "ZZ:NOBODY", "none of ZZ:NOBODY sent or received a sample; the samples name ZZ:ACMEGOODS, ZZ:NORTHWIND"),
        ("ST*850=ST*999", "", "the samples hold acknowledgements only"),
        ("ST*850=ST*830", "", "x12 830: no mapping of the house reads it; write one first"),
    ],
)
def test_samples_that_cannot_be_drafted_from_are_refused_with_the_reason(
    hub: Hub, config: Path, order: Path, change: str, us: str, told: str
) -> None:
    order.write_text(order.read_text().replace(*change.split("=")) if change else order.read_text())

    done = hub("partner", "new", "northwind", "--from", str(order), *(("--us", us) if us else ()))

    assert done.exit_code == 1
    assert told in done.stderr
    assert not (config / "partners" / "northwind.toml").exists()


def test_a_file_of_nothing_is_refused(hub: Hub, config: Path, tmp_path: Path) -> None:
    done = hub("partner", "new", "northwind", "--from", str(written(tmp_path / "x.edi", "hello")))

    assert done.exit_code == 1
    assert "the first bytes look like none of" in done.stderr
    assert not (config / "mappings").exists()


def test_the_base_s_trouble_with_a_sample_stands_in_the_draft(hub: Hub, config: Path, order: Path) -> None:
    order.write_text(order.read_text().replace("*20261120|", "*20261320|"))

    assert hub("partner", "new", "northwind", "--from", str(order), "--us", "ZZ:ACMEGOODS").exit_code == 0

    text = (config / "mappings" / "partners" / "northwind" / "850.in.toml").read_text()
    assert "# ? order.edi: placed_on: " in text
    assert "[[test]]" not in text


def test_a_sample_in_xml_of_what_we_send_is_compared_key_by_key(hub: Hub, config: Path, tmp_path: Path) -> None:
    samples = HOUSE / "ubl" / "samples"
    response = (samples / "order-response-changes.xml").read_text()
    wanted = written(
        tmp_path / "response.xml",
        response.replace("</cbc:IssueDate>", "</cbc:IssueDate><cbc:Note>Please</cbc:Note>", 1),
    )
    given = ["--from", str(samples / "order-retail.xml"), "--from", str(wanted), "--us", "0088:4012345000009"]
    assert hub("partner", "new", "kontor", *given).exit_code == 0

    done = hub("partner", "test", "kontor")

    assert done.exit_code == 0, done.output
    drafted = tomllib.loads((config / "partners" / "kontor.toml").read_text())
    assert [(each["direction"], each["mapping"]) for each in drafted["agreement"]] == [
        ("in", "partners/kontor/order.in"), ("out", "partners/kontor/order_response.out"),
    ]  # fmt: skip
    assert "Order.CustomizationID = 'urn:fdc:peppol.eu:poacc:trns:order:3'" in done.output
    assert "OrderResponse.Note: only they have 'Please'" in done.output
