"""Every mapping file says what it should do, and does it. Dropping a file in is enough to be tested."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hub.codecs.cxml import CODEC as CXML
from hub.codecs.edifact.codec import CODEC as EDIFACT
from hub.codecs.idoc import CODEC as IDOC
from hub.codecs.plain_csv import CODEC as CSV
from hub.codecs.plain_json import CODEC as JSON
from hub.codecs.plain_xml import CODEC as XML
from hub.codecs.x12.codec import CODEC as X12
from hub.domain.order import Order
from hub.testing.mapping_contract import decoder, guide_knows, mapping_names, run_case
from hub.translate import mapfile
from hub.translate.compile import compile_mapping
from hub.translate.guide import check_paths
from hub.translate.mapfile import Case

ROOT = Path(__file__).parents[2] / "mappings"
NAMES = tuple(mapping_names(ROOT))
CASES = [(name, case) for name in NAMES for case in mapfile.load([ROOT], name).tests]
DECODE = decoder((X12, EDIFACT, JSON, CXML, IDOC, XML, CSV))


@pytest.mark.parametrize("name", NAMES)
def test_a_mapping_compiles_knows_its_guide_and_has_a_test(name: str) -> None:
    mapping = mapfile.load([ROOT], name)

    compiled = compile_mapping(mapping)

    assert check_paths(compiled, guide_knows) == []
    assert mapping.tests, f"mappings/{name}.toml has no [[test]]"


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}:{case.given}" for name, case in CASES])
def test_given_gives_expected(name: str, case: Case) -> None:
    got, expected = run_case(ROOT, [ROOT], name, case, DECODE)

    assert got == expected


def test_the_same_purchase_as_x12_and_as_edifact_is_the_same_order() -> None:
    orders = []
    samples = {"x12/850.in": "x12/samples/850-retail.edi", "edifact/orders.in": "edifact/samples/orders-retail.edi"}
    for name, file in samples.items():
        mapping = mapfile.load([ROOT], name)
        orders.append(compile_mapping(mapping).inward(DECODE(mapping, (ROOT / file).read_bytes())))

    x12, edifact = (order_without_habits(order) for order in orders)
    assert len(x12.lines) == 3
    assert x12 == edifact


def order_without_habits(order: Order) -> Order:
    """Leave out what only one of the two can say: vendor and release numbers, codes of service and of discounts."""
    discounts = tuple(msgspec.structs.replace(discount, code="") for discount in order.discounts)
    return msgspec.structs.replace(
        order, extensions={}, release="", department="", service_level="", discounts=discounts
    )
