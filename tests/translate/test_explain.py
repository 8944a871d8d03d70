"""Where a value came from: rule, file and line, source, raw value, functions, segment."""

from __future__ import annotations

from hub.domain.order import Order
from hub.testing.mapping_contract import compiled_of, segment
from hub.translate.explain import Trace

TEXT = """document = "order"
set = "850"
[order]
number = { from = ["REF[01=PO].02", "BEG.03"], as = ["trim", "upper"] }
currency = { from = "CUR.02", default = "USD" }
[order.lines]
each = "PO1"
line_no = "@seq"
ordered = "02"
"""


def test_each_value_names_its_rule_and_its_segment() -> None:
    tree = segment("", segment("BEG*00*SA* po7 ", number=2), segment("PO1*1*5", number=3), segment("PO1*2*x", number=4))

    traces = {trace.path: trace for trace in compiled_of(TEXT).explain_inward(tree)}

    assert traces["number"] == Trace(
        path="number", value="PO7", rule="test/it.in.toml:4", sources=("REF[01=PO].02", "BEG.03"), source="BEG.03",
        raw=" po7 ", functions=("trim", "upper"), segment=2,
    )  # fmt: skip
    assert traces["currency"] == Trace(path="currency", value="USD", rule="test/it.in.toml:5", sources=("CUR.02",))
    assert (traces["lines[0].ordered"].value, traces["lines[0].ordered"].segment) == ("5", 3)
    assert traces["lines[1].ordered"].problem == "'x' is not a number"


def test_each_element_that_is_written_names_its_rule() -> None:
    text = 'document = "order"\nset = "855"\n[[segment]]\ntag = "BAK"\n01 = { value = "00" }\n03.02 = "number"\n'

    traces = compiled_of(text, "out").explain_outward(Order(number="7"))

    assert traces == [
        Trace(path="1 BAK.01", value="00", rule="test/it.out.toml:5"),
        Trace(
            path="1 BAK.03.02", value="7", rule="test/it.out.toml:6", sources=("number",), source="number", raw="7"
        ),
    ]  # fmt: skip
