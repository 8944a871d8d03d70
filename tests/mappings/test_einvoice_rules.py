"""UBL invoices before their judges: OASIS's XSD, CEN's EN 16931 rules and mock-einvoice with Peppol's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.domain.invoice import Invoice
from hub.domain.order import Charge, TaxLine, Totals
from hub.domain.party import Address

from .samples import document, outward, sample

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".peers" / "facturx" / "bin" / "python"
JUDGE = ROOT / "tests" / "peers" / "einvoice_judge.py"
Judge = Callable[..., list[list[str]]]
pytestmark = pytest.mark.peers


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Asks all judges about documents; returns what is wrong with each."""
    if not PYTHON.exists():
        pytest.skip("factur-x is not installed under .peers/facturx; tests/peers/facturx.txt says which version")

    def ask(*bodies: bytes) -> list[list[str]]:
        files = [tmp_path / f"{place}.xml" for place in range(len(bodies))]
        for file, body in zip(files, bodies, strict=True):
            file.write_bytes(body)
        command = [str(PYTHON), str(JUDGE), *map(str, files)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        said = json.loads(run.stdout)
        return [said[str(file)] for file in files]

    return ask


def test_what_is_written_passes_every_rule(judge: Judge) -> None:
    names = ["invoice-two-rates", "invoice-reverse-charge", "credit-note"]

    assert judge(*(sample(f"ubl/{name}.xml") for name in names)) == [[], [], []]


def test_orders_responses_and_despatch_advices_are_made_of_ubl_s_types_in_their_order(judge: Judge) -> None:
    names = ["order-dropship", "order-response-changes", "despatch-two-packs", "despatch-loose"]
    moved = sample("ubl/order-dropship.xml").replace(b"cbc:OrderTypeCode", b"cbc:Note")
    moved = moved.replace(b"cac:DeliveryLocation", b"cac:DeliveryAddress")

    *sound, (wrong, *_) = judge(*(sample(f"ubl/{name}.xml") for name in names), moved)

    assert sound == [[], [], [], []]
    assert "xsd" in wrong


def test_discounts_of_lines_odd_cents_and_a_seller_outside_vat_pass_too(judge: Judge) -> None:
    given: Invoice = document("ubl/invoice.out", "ubl/invoice-two-rates.invoice.json")
    standard = TaxLine(amount=Decimal(0), rate=Decimal("0.19"))
    first = replace(given.lines[0], unit_price=Decimal("9.99"), quantity=Decimal("3.5"), taxes=(standard,))
    discounted = replace(first, amount=Decimal("30.00"))
    dearer = replace(first, line_no="11", amount=Decimal("36.01"))
    plain = replace(given, discounts=(), taxes=(), lines=(discounted, dearer), charges=())
    odd = replace(plain, totals=Totals(lines=Decimal("66.01"), tax=Decimal("12.55"), grand=Decimal("78.56")))
    shared = replace(
        plain, charges=(Charge(kind="gift_wrap", amount=Decimal("1.99")),),
        totals=Totals(lines=Decimal("66.01"), tax=Decimal("12.92"), grand=Decimal("80.92")), paid=Decimal("80.92"),
    )  # fmt: skip
    assert given.seller is not None
    abroad = replace(given.seller, vat="", address=Address(city="Portland", country="US"))
    outside = replace(
        plain, seller=abroad, buyer=replace(given.buyer, vat=""),
        lines=tuple(replace(line, taxes=()) for line in plain.lines), totals=Totals(grand=Decimal("66.01")),
    )  # fmt: skip

    assert judge(*(outward("ubl/invoice.out", each) for each in (odd, shared, outside))) == [[], [], []]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b'<cbc:PayableAmount currencyID="EUR">218.56', b'<cbc:PayableAmount currencyID="EUR">218.57', "BR-CO-16"),
        (b'<cbc:TaxableAmount currencyID="EUR">145.90', b'<cbc:TaxableAmount currencyID="EUR">149.90', "BR-S-08"),
        (b"<cbc:DocumentCurrencyCode>EUR", b"<cbc:DocumentCurrencyCode>EURO", "BR-CL-04"),
        (b"<cbc:IssueDate>2026-11-20</cbc:IssueDate>", b"", "xsd"),
    ],
)
def test_the_judges_see_what_is_wrong(judge: Judge, old: bytes, new: bytes, rule: str) -> None:
    body = sample("ubl/invoice-two-rates.xml")
    assert body.count(old) == 1

    (said,) = judge(body.replace(old, new))

    assert [each for each in said if rule in each]
