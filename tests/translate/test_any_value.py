"""A condition `[05=*]` asks for a segment whose element has a value, whichever it is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.domain.tree import Node
from hub.testing.mapping_contract import compiled_of, segment
from hub.translate.compile import Compiled

STORES = """
document = "sales_report"
set = "852"
[sales_report]
number = "XQ[05=*].05"
[[sales_report.lines]]
each = "SDQ[03=*]"
location = "03"
quantity = { from = "04", required = true }
[[sales_report.lines]]
each = "SDQ[05=*]"
location = "05"
quantity = { from = "06", required = true }
"""


def tree() -> Node:
    """Three stores in two SDQ, the second of them with one pair; and an XQ without number before one with."""
    return segment(
        "", segment("XQ*H*20261115"), segment("XQ*H*20261115**Z*PD-47"),
        segment("SDQ*EA*92*0042*14*0107*3"), segment("SDQ*EA*92*0211*8"),
    )  # fmt: skip


def rule_by_rule(compiled: Compiled) -> Compiled:
    """The same mapping without the function that is written from its rules."""
    assert compiled.inwards is not None
    assert compiled.source, "the rules have a function of their own"
    compiled.inwards.straight = None
    return compiled


@pytest.mark.parametrize("straight", [True, False], ids=["as one function", "rule by rule"])
def test_only_pairs_that_are_there_become_lines(straight: bool) -> None:
    compiled = compiled_of(STORES)

    report = (compiled if straight else rule_by_rule(compiled)).inward(tree())

    assert report.number == "PD-47"
    assert [(line.location, line.quantity) for line in report.lines] == [
        ("0042", Decimal(14)),
        ("0211", Decimal(8)),
        ("0107", Decimal(3)),
    ]
