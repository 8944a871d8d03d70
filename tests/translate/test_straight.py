"""A mapping as one function gives what its rules give one by one, or leaves the document to them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.codecs.cxml import CODEC as CXML
from hub.codecs.edifact.codec import CODEC as EDIFACT
from hub.codecs.idoc import CODEC as IDOC
from hub.codecs.plain_csv import CODEC as CSV
from hub.codecs.plain_json import CODEC as JSON
from hub.codecs.plain_xml import CODEC as XML
from hub.codecs.x12.codec import CODEC as X12
from hub.domain.errors import Rejected
from hub.domain.tree import Node
from hub.testing.mapping_contract import compiled_of, decoder, mapping_names
from hub.translate import mapfile
from hub.translate.compile import Compiled, compile_mapping
from hub.translate.documents import DOCUMENTS
from hub.translate.steps import BAD_VALUE

ROOT = Path(__file__).parents[2] / "mappings"
NAMES = tuple(mapping_names(ROOT))
DECODE = decoder((X12, EDIFACT, JSON, CXML, IDOC, XML, CSV))
ODD: tuple[Any, ...] = (
    "", "x", " ", "0", "12", "-1.5", "1,5", "20261122", "20269999", "2026-11-22", "2026-11-22T10:00:00+01:00", "102",
    "DE", "EA", "UL", "9", "true", "036000291452", None, 0, 7, True, False, Decimal("0"), Decimal("1E+2"), [], {},
    ["a"], ["", "b"], [None], [[]], {"a": 1}, (), ("a",),
)  # fmt: skip
ODD_ELEMENTS: tuple[Any, ...] = (
    *(one for one in ODD if isinstance(one, str)),
    [],
    ["a"],
    ["", "b"],
    ["21", "5", "PCE"],
)


def compiled(name: str) -> Compiled:
    return compile_mapping(mapfile.load([ROOT], name))


def samples(name: str) -> Iterator[Any]:
    """Yield what a mapping's own tests give to it."""
    mapping = mapfile.load([ROOT], name)
    for case in mapping.tests:
        content = (ROOT / name).parent.joinpath(case.given).read_bytes()
        if mapping.direction == "in":
            yield DECODE(mapping, content)
        else:
            yield msgspec.convert(json.loads(content), DOCUMENTS[mapping.document], strict=False)


def engine(mapping: Compiled) -> Any:
    return mapping.inwards or mapping.outwards


def encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


def agrees(mapping: Compiled, given: Any) -> bool:
    """Compare; say whether the function took the document."""
    made = engine(mapping)
    try:
        quick = made.straight.run(given)
    except BAD_VALUE:
        return False
    slow = made.by_rules(given)
    assert quick == slow
    assert encoded(quick) == encoded(slow)
    return True


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_mapped_by_the_function_alone(name: str) -> None:
    mapping = compiled(name)

    assert [agrees(mapping, given) for given in samples(name)] == [True for _ in mapping.mapping.tests]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_documents_that_are_not_in_order_give_the_same(name: str, seed: int) -> None:
    dice = random.Random(seed)
    mapping = COMPILED.setdefault(name, compiled(name))

    for sample in samples(name):
        damaged = damage(sample, dice)
        try:
            agrees(mapping, damaged)
        except Rejected as error:
            pytest.fail(f"the function took what the rules refuse: {error}")


COMPILED: dict[str, Compiled] = {}


def damage(value: Any, dice: random.Random) -> Any:
    """Change a few places of a tree or document."""
    for _ in range(dice.randint(1, 4)):
        if isinstance(value, Node):
            _damage_node(dice.choice(list(nodes(value))), dice)
        elif isinstance(value, msgspec.Struct):
            value = _damaged_record(value, dice)
        else:
            _damage_plain(value, dice)
    return value


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for children in node.children.values():
        for child in children:
            yield from nodes(child)


def _damage_node(node: Node, dice: random.Random) -> None:
    kind = dice.randrange(6)
    if kind == 0 and node.children:
        del node.children[dice.choice(list(node.children))]
    elif kind == 1 and node.children:
        children = node.children[dice.choice(list(node.children))]
        children.insert(0, children[-1])
    elif kind == 2:
        del node.elements[max(1, len(node.elements) - 1) :]
    elif len(node.elements) > 1:
        node.elements[dice.randrange(1, len(node.elements))] = dice.choice(ODD_ELEMENTS)


def _damage_plain(value: Any, dice: random.Random) -> None:
    places: list[tuple[Any, Any]] = []

    def walk(one: Any) -> None:
        keys = list(one) if isinstance(one, dict) else list(range(len(one))) if isinstance(one, list) else []
        for key in keys:
            places.append((one, key))
            walk(one[key])

    walk(value)
    if not places:
        return
    holder, key = dice.choice(places)
    kind = dice.randrange(4)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        holder[key] = [holder[key], deepcopy(dice.choice(ODD))]
    else:
        holder[key] = deepcopy(dice.choice(ODD))


def _damaged_record(value: Any, dice: random.Random) -> Any:
    field = dice.choice(value.__struct_fields__)
    current = getattr(value, field)
    if dice.randrange(5) and isinstance(current, msgspec.Struct):
        return msgspec.structs.replace(value, **{field: _damaged_record(current, dice)})
    if dice.randrange(5) and isinstance(current, tuple) and current and isinstance(current[0], msgspec.Struct):
        items = list(current)
        place = dice.randrange(len(items))
        items[place] = _damaged_record(items[place], dice)
        return msgspec.structs.replace(value, **{field: tuple(items)})
    return msgspec.structs.replace(value, **{field: dice.choice((*ODD, current))})


def test_rules_that_nest_deeper_than_python_can_run_one_by_one() -> None:
    sources = ["a", *(f"b{place}" for place in range(120))]
    mapping = compiled_of(f'document = "order"\n[order]\nnumber = {json.dumps(sources)}\n')

    assert mapping.source == ""
    assert mapping.inward({"b119": 7}).number == "7"


def test_no_text_of_a_mapping_becomes_code() -> None:
    trap = "'\"\\n0)]}; raise SystemExit  # {UP}"
    text = f"""
    document = "order"
    syntax = "json"
    [order]
    number = {{ from = {json.dumps('"' + trap.replace('"', "").replace("[", "").replace("]", "") + '"')} }}
    currency = {{ value = {json.dumps(trap)} }}
    release = {{ from = "a", default = {json.dumps(trap)}, when = {{ path = "b", in = [{json.dumps(trap)}, "x"] }} }}
    carrier = {{ from = "a", as = [{json.dumps("then:" + trap)}] }}
    department = {{ from = "a", as = [{json.dumps("pad:3," + trap[0])}], table = "t" }}
    [order.extensions]
    {json.dumps(trap)} = "a"
    [tables.t.codes]
    {json.dumps(trap)} = {json.dumps(trap)}
    00x = {json.dumps(trap)}
    """
    mapping = compiled_of(text)

    order = mapping.inward({trap.replace('"', "").replace("[", "").replace("]", ""): "7", "a": "00x", "b": trap})

    assert mapping.source
    assert (order.number, order.currency, order.release, order.carrier) == ("7", trap, "00x", trap)
    assert (order.department, order.extensions) == (trap, {trap: "00x"})
