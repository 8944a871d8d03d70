"""Mapping files: what they extend, what they are made of, and faults with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.domain.errors import Rejected
from hub.ports import Function
from hub.testing.mapping_contract import compiled_of, mapping_of, segment
from hub.translate import mapfile
from hub.translate.compile import compile_mapping
from hub.translate.guide import check_paths

BASE = """
document = "order"
set = "850"
guide = "x12/850-004010"
[order]
number = { from = "BEG.03", required = true }
currency = { from = "CUR.02", default = "USD" }
[order.lines]
each = "PO1"
line_no = "01"
ordered = "02"
unit = { from = "03", table = "units" }
"""
UNITS = '[codes]\nEA = "EA"\nCA = "CS"\n'
OWN = """
extends = "x12/850.in"
[order]
currency = { value = "CAD" }
[order.lines]
line_no = "@seq"
[tables.units.codes]
DZ = "DZN"
"""
TREE = segment("", segment("BEG*00*SA*7"), segment("CUR*BY*EUR"), segment("PO1*9*2*DZ"))


def test_a_partners_file_replaces_rules_whole_and_keeps_the_rest() -> None:
    order = compiled_of(OWN, others={"x12/850.in": BASE, "tables/units": UNITS}).inward(TREE)

    assert (order.number, order.currency, order.lines[0].line_no, order.lines[0].unit) == ("7", "CAD", "1", "DZN")


def test_files_are_found_in_the_first_folder_that_has_them(tmp_path: Path) -> None:
    for place, text in (
        ("one/x12/850.in.toml", BASE),
        ("one/tables/units.toml", UNITS),
        ("two/partners/p/850.in.toml", OWN),
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)

    mapping = mapfile.load([tmp_path / "one", tmp_path / "two"], "partners/p/850.in")

    assert (mapping.document, mapping.guide, mapping.direction) == ("order", "x12/850-004010", "in")
    assert compile_mapping(mapping).inward(TREE).currency == "CAD"


def test_the_resolved_text_needs_no_file_and_means_the_same() -> None:
    mapping = mapping_of(OWN, others={"x12/850.in": BASE, "tables/units": UNITS})

    again = mapfile.loads(mapping.resolved)

    assert again.sha256 == mapping.sha256
    assert compile_mapping(again).inward(TREE) == compile_mapping(mapping).inward(TREE)


def test_the_fingerprint_changes_with_a_base_and_with_a_table_but_not_with_a_comment() -> None:
    def fingerprint(base: str = BASE, units: str = UNITS, own: str = OWN) -> str:
        return mapping_of(own, others={"x12/850.in": base, "tables/units": units}).sha256

    assert fingerprint(own=OWN + "# a word\n") == fingerprint()
    assert fingerprint(base=BASE.replace("BEG.03", "BEG.04")) != fingerprint()
    assert fingerprint(units=UNITS.replace("CS", "BX")) != fingerprint()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('document = "order"\n[order]\nnumbr = "x"\n', "it.in.toml:3: Order has no field 'numbr'"),
        ('document = "order"\n[order]\nnumber = { from = "x", requird = true }\n', "a rule knows no requird"),
        ('document = "order"\n[order]\nnumber = { from = "x", as = ["shout"] }\n', "there is no function 'shout'"),
        ('document = "order"\n[order]\nnumber = { from = "a[", required = true }\n', "cannot read 'a['"),
        ('document = "order"\n[order]\nnumber = { from = "a", table = "none" }\n', "there is no table none"),
        ('document = "order"\n[order]\nrate = { value = 0.5 }\n', "write numbers with decimals in quotes"),
        ('document = "order"\n[order]\nship_to = "x"\n', "ship_to is not one value"),
        ('document = "order"\n[order]\nnumber = { from = "x", when = { path = "y" } }\n', "when needs path"),
        ('document = "ordr"\n[ordr]\n', "there is no document 'ordr'"),
        ("[order]\n", "document is missing"),
        ("document = [\n", "is not TOML"),
        ('extends = "test/it.in"\n', "goes in a circle"),
        ('extends = "../etc.in"\n', "a mapping name is made of"),
    ],
)
def test_a_faulty_file_is_refused_with_what_is_wrong(text: str, fault: str) -> None:
    with pytest.raises(Rejected) as caught:
        compiled_of(text)

    assert fault in str(caught.value)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    with pytest.raises(Rejected) as caught:
        compiled_of('document = "order"\n[order]\nnumbr = "x"\ncurency = "y"\n')

    assert [problem.path for problem in caught.value.problems] == ["order.numbr", "order.curency"]


def test_a_path_that_the_guide_does_not_have_is_found_at_load() -> None:
    mapping = compiled_of('extends = "x12/850.in"\n', others={"x12/850.in": BASE, "tables/units": UNITS})

    problems = check_paths(mapping, lambda _guide, tags, _element, _component: "CUR" not in tags)

    assert [problem.path for problem in problems] == ["order.currency"]
    assert problems[0].text == "x12/850.in.toml:7: CUR.02 is not in guide x12/850-004010 (asked for CUR)"


def test_a_function_from_a_plugin_works_and_may_not_take_the_name_of_ours() -> None:
    text = 'document = "order"\n[order]\nnumber = { from = "n", as = ["twice:-"] }\n'
    twice = Function(name="twice", call=lambda value, between: f"{value}{between}{value}", help="two of it")

    assert compile_mapping(mapping_of(text), {"twice": twice}).inward({"n": "7"}).number == "7-7"
    with pytest.raises(ValueError, match="'trim' exists already"):
        compile_mapping(mapping_of(text), {"trim": twice})


def test_tables_given_at_compile_time_stand_in_for_files() -> None:
    text = 'document = "order"\n[order]\nnumber = { from = "n", as = ["map:own"] }\n[tables.own.codes]\na = "A"\n'

    order = compile_mapping(mapping_of(text), tables={"own": {"codes": {"a": "Z"}}}).inward({"n": "a"})

    assert order.number == "Z"
