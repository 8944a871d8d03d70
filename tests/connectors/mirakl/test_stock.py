"""Stock goes as a file, and what the marketplace refuses of it is read from its report and named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.mirakl import Mirakl, stock
from connectors.mirakl.simulator import Market
from hub.codecs.plain_csv import CODEC as CSV
from hub.domain.stock import StockReportLine
from hub.sdk import Kit, Outgoing, Rejected, RetryLater
from hub.testing.scripted import Say, scripted
from hub.testing.serve import Answer
from tests.connectors.mirakl.hub_with_market import company_of
from tests.connectors.mirakl.sandbox import open_market, sample
from tests.connectors.worked_hub import WorkedHub

pytest_plugins = ["hub.testing.pytest_plugin"]
Make = Callable[..., Outgoing]


def levels(outgoing: Make, key: str = "delivery-1", **quantities: object) -> Outgoing:
    """Return a delivery of the sample, or of quantities by SKU."""
    rows = [{"offer-sku": sku, "quantity": str(n), "update-delete": "update"} for sku, n in quantities.items()]
    tree = {"rows": rows} if rows else sample("stock-two-offers.json")
    return outgoing("stock", CSV.encode([tree], {"delimiter": ";", "raw": True}), key)


def uploads(market: Market) -> int:
    return market.calls.count("POST /api/offers/stock/imports")


def test_stock_goes_as_a_file_and_counts_as_sent_once_its_report_is_clean(
    market: Market, opened: Mirakl, outgoing: Make
) -> None:
    out = levels(outgoing)
    with pytest.raises(RetryLater, match="took the file as import 2001") as waits:
        opened.push(out)
    assert waits.value.after == 300

    receipt = opened.push(out)

    assert receipt.reference == "2001"
    assert market.offers == {("WIDGET-001", ""): 12, ("PANEL-A3", "WH1"): 0}
    assert uploads(market) == 1


def test_an_import_that_still_runs_is_looked_at_again(market: Market, opened: Mirakl, outgoing: Make) -> None:
    market.import_looks = 2
    out = levels(outgoing)
    for _ in range(3):
        with pytest.raises(RetryLater):
            opened.push(out)

    assert opened.push(out).reference == "2001"
    assert uploads(market) == 1


def test_lines_that_are_refused_are_named_with_the_marketplaces_words(
    market: Market, opened: Mirakl, outgoing: Make
) -> None:
    market.listed = {"CUP"}
    out = levels(outgoing, CUP=4, POT=2, PAN=1)
    with pytest.raises(RetryLater):
        opened.push(out)

    with pytest.raises(Rejected) as refused:
        opened.push(out)

    assert [(each.path, each.value, each.text) for each in refused.value.problems] == [
        ("lines[POT]", "POT", "POT: No offer exists for the SKU POT"),
        ("lines[PAN]", "PAN", "PAN: No offer exists for the SKU PAN"),
        ("", "", "1 other levels of this report were set"),
    ]
    assert market.offers == {("CUP", ""): 4}


def test_what_is_retried_after_a_refusal_is_uploaded_anew(market: Market, opened: Mirakl, outgoing: Make) -> None:
    market.listed = set()
    out = levels(outgoing, CUP=4)
    with pytest.raises(RetryLater):
        opened.push(out)
    with pytest.raises(Rejected):
        opened.push(out)

    market.listed = {"CUP"}
    with pytest.raises(RetryLater, match="import 2002"):
        opened.push(out)

    assert opened.push(out).reference == "2002"
    assert market.offers == {("CUP", ""): 4}


def test_deliveries_are_told_apart(market: Market, opened: Mirakl, outgoing: Make) -> None:
    market.listed = {"CUP"}
    good, bad = levels(outgoing, "delivery-1", CUP=4), levels(outgoing, "delivery-11", POT=1)
    for out in (good, bad):
        with pytest.raises(RetryLater):
            opened.push(out)

    assert opened.push(good).reference == "2001"
    with pytest.raises(Rejected, match="POT"):
        opened.push(bad)


def test_the_report_need_not_be_asked_for(market: Market, address: str, hub_kit: Kit, outgoing: Make) -> None:
    receipt = open_market(address, hub_kit, report_after=0).push(levels(outgoing))

    assert (receipt.reference, len(market.calls)) == ("2001", 1)


def test_an_import_that_the_marketplace_forgot_is_refused_and_goes_again(
    market: Market, opened: Mirakl, outgoing: Make
) -> None:
    out = levels(outgoing)
    with pytest.raises(RetryLater):
        opened.push(out)
    market.faults.append(Answer(status=404, body=b'{"message": "Import 2001 does not exist"}'))

    with pytest.raises(Rejected, match="404"):
        opened.push(out)
    with pytest.raises(RetryLater, match="import 2002"):
        opened.push(out)


STATE = {"import_id": "7", "shop_id": 1, "date_created": "2026-11-20T09:00:00Z", "lines_in_success": 0}


def said(**state: Any) -> Say:
    return Say(body=json.dumps({**STATE, **state}).encode())


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ((said(status="FAILED", has_error_report=False),), "stock import 7 failed as a whole"),
        (
            (said(status="COMPLETE", has_error_report=True, lines_in_error=3), Say(body=b"")),
            "stock import 7: 3 lines were refused and the report names none",
        ),
        (
            (said(status="FAILED", has_error_report=True), Say(body=b"line;reason\n4;file is empty\n")),
            "line 4: file is empty",
        ),
        (
            (
                said(status="COMPLETE", has_error_report=True),
                Say(body=b'\xef\xbb\xbf"error-line";"error-message";"Offer-SKU"\n"2";"no; ""really"" no";"A;B"\n'),
            ),
            'A;B: no; "really" no',
        ),
    ],
)
def test_every_end_of_an_import_has_its_words(
    hub_kit: Kit, outgoing: Make, answers: tuple[Say, ...], text: str
) -> None:
    with scripted(Say(status=201, body=b'{"import_id": "7"}'), *answers) as partner:
        opened = open_market(partner.url, hub_kit)
        with pytest.raises(RetryLater):
            opened.push(levels(outgoing))
        with pytest.raises(Rejected) as refused:
            opened.push(levels(outgoing))

    assert refused.value.problems[0].text.startswith(text)
    assert [call.path for call in partner.calls][1:] == [
        "/api/offers/stock/imports/7/status", "/api/offers/stock/imports/7/error_report",
    ][: len(answers)]  # fmt: skip


def test_of_many_refused_lines_the_first_are_named_and_the_rest_is_counted(
    market: Market, opened: Mirakl, outgoing: Make
) -> None:
    market.listed = set()
    many: dict[str, Any] = {f"SKU-{n}": 1 for n in range(stock.MOST_NAMED + 7)}
    out = levels(outgoing, **many)
    with pytest.raises(RetryLater):
        opened.push(out)

    with pytest.raises(Rejected) as refused:
        opened.push(out)

    assert len(refused.value.problems) == stock.MOST_NAMED + 1
    assert "7 more lines were refused" in refused.value.problems[-1].text


def test_the_notes_stay_few_and_small_however_many_imports_run(opened: Mirakl, hub_kit: Any) -> None:
    for n in range(3000):
        opened.imports.keep(f"0193-{n:04x}", f"b7a5e1c0-3f3e-4a57-9d1f-{n:012d}")

    notes = hub_kit._notes.kept
    assert len(notes) <= 256
    assert max(len(text) for text in notes.values()) <= 4000
    assert opened.imports.of(f"0193-{2999:04x}") == f"b7a5e1c0-3f3e-4a57-9d1f-{2999:012d}"


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> Iterator[WorkedHub]:
    monkeypatch.setenv("MARKET_KEY", "sandbox-key")
    with company_of(tmp_path, address) as company:
        yield company


def publish(company: WorkedHub, **quantities: str) -> None:
    """New levels are published to the marketplace."""
    company.publish("market", [StockReportLine(sku=sku, quantity=Decimal(n)) for sku, n in quantities.items()])


def test_a_refused_line_is_an_incident_that_names_the_sku(company: WorkedHub, market: Market) -> None:
    market.listed = {"CUP"}
    publish(company, CUP="4", POT="2")
    assert company.rows("SELECT state FROM deliveries") == [("planned",)]
    assert company.rows("SELECT title FROM incidents") == []

    company.again()

    assert company.rows("SELECT state FROM deliveries") == [("refused",)]
    ((title, subject),) = company.rows("SELECT title, subject_kind FROM incidents")
    assert (title, subject) == (
        "market refused stock: lines[POT]: POT: No offer exists for the SKU POT; "
        "1 other levels of this report were set", "delivery",
    )  # fmt: skip

    publish(company, POT="3")
    company.again()
    assert company.rows("SELECT count FROM incidents") == [(2,)]


def test_levels_that_are_all_taken_are_delivered(company: WorkedHub, market: Market) -> None:
    publish(company, CUP="4")
    company.again()

    assert company.rows("SELECT state, reference FROM deliveries") == [("delivered", "2001")]
    assert (market.offers, uploads(market)) == ({("CUP", ""): 4}, 1)
    assert company.rows("SELECT title FROM incidents") == []
