"""The quick match of a segment: it never takes what is wrong, and it takes what is right."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hub.codecs.elements import Element, parse_elements, segment_faults
from hub.codecs.guide import load_guide
from hub.codecs.machine import machine
from hub.codecs.quick import Checks
from hub.codecs.segments import EACH, Segments

HERE = Path(__file__).parent
GUIDES = ["x12/850-004010", "x12/856-005010", "x12/810-004010", "edifact/ORDERS-D96A", "edifact/INVOIC-D01B"]
MARKS = {"x12": ("*", ">"), "edifact": ("+", ":")}
DEFECTS = ["", "1", "X", "1X", "-", "1.5", "1,25", ".5", "20260231", "20261131", "20240229", "991231", "2460", "2359",
           "12345678901234567890123456789012345678901234567890", "é", "\t", "²"]  # fmt: skip


def _value(rule: Element, dice: random.Random) -> str:
    """Return a value that mostly fits, sometimes one of the usual defects."""
    if dice.random() < 0.06:
        return dice.choice(DEFECTS)
    size = dice.randint(max(rule.low, 1), min(rule.high, rule.low + 6))
    if rule.kind == "DT":
        return "20261122" if rule.high > 6 else "261122"
    if rule.kind == "TM":
        return dice.choice(["1015", "101530", "1015301", "10153012"])
    return "".join(dice.choice("0123456789" if rule.kind in "NR" else "ABCDEFG") for _ in range(size))


def _element(rule: Element, component: str, dice: random.Random) -> str:
    if not rule.required and dice.random() < 0.5:
        return ""
    if rule.kind != "C":
        return _value(rule, dice)
    if not rule.parts:
        return dice.choice(["A", f"A{component}B", component, f"{component}B"])
    parts = [_value(part, dice) if part.required or dice.random() < 0.5 else "" for part in rule.parts]
    return component.join(parts[: dice.randint(1, len(parts))])


def _whole(piece: str, element: str, component: str) -> list[str | list[str]]:
    return [value.split(component) if component in value else value for value in piece.split(element)]


@pytest.mark.parametrize("name", GUIDES)
def test_what_matches_has_no_fault_and_the_same_components(name: str) -> None:
    guide, dice = load_guide(name), random.Random(name)
    element, component = MARKS[name.split("/")[0]]
    checks = machine(guide, element, component).checks
    taken = left = 0
    for tag, rules in guide.elements.items():
        for _ in range(60):
            values = [_element(rule, component, dice) for rule in rules]
            piece = element.join([tag, *values[: dice.randint(0, len(values))]])
            whole = _whole(piece, element, component)
            match, split = checks[tag][len(whole)]
            faults = list(segment_faults(whole, rules, guide.notes.get(tag, ())))
            if match(piece) is None:
                left += bool(faults)
                continue
            taken += 1
            assert faults == [], piece
            elements = piece.split(element)
            if split is not None:
                split(elements)
            assert elements == whole, piece
    assert taken > 300
    assert left > 300


@pytest.mark.parametrize(
    ("note", "right", "wrong"),
    [
        (("P", (1, 2)), ["T*A*B", "T**", "T***C"], ["T*A", "T*A**C", "T**B"]),
        (("R", (1, 2)), ["T*A", "T**B", "T*A*B"], ["T", "T***C", "T**"]),
        (("C", (3, 1)), ["T*A**C", "T*A", "T**B"], ["T***C", "T**B*C"]),
        (("C", (1, 2)), ["T*A*B", "T**B", "T***C"], ["T*A", "T*A**C"]),
        (("L", (1, 2, 3)), ["T*A*B", "T*A**C", "T***C", "T**B"], ["T*A", "T*A**"]),
    ],
)
def test_conditions_between_elements_are_part_of_the_match(
    note: tuple[str, tuple[int, ...]], right: list[str], wrong: list[str]
) -> None:
    checks = Checks("T", parse_elements(["3 * O AN 1 5"], {}), (note,), "*", ">")
    assert [piece for piece in right if checks[piece.count("*") + 1].match(piece) is None] == []
    assert [piece for piece in wrong if checks[piece.count("*") + 1].match(piece) is not None] == []


def test_a_required_composite_needs_more_than_its_separators() -> None:
    rules = parse_elements(["M C212"], {"C212": ["C an..35", "C an..3"]})
    checks = Checks("PIA", rules, (), "+", ":")
    assert [piece for piece in ("PIA+A", "PIA+A:B", "PIA+:B") if checks[2].match(piece) is None] == []
    assert [piece for piece in ("PIA+", "PIA+:") if checks[2].match(piece) is not None] == []


def test_sizes_that_cannot_be_right_are_not_kept() -> None:
    checks = Checks("N3", parse_elements(["M AN 1 55", "O AN 1 55"], {}), (), "*", ">")
    assert checks[9].match("N3*1*2*3*4*5*6*7*8") is None
    assert checks[1].match("N3") is None
    assert dict(checks) == {}


@pytest.mark.parametrize(
    ("guide", "file", "element", "end"),
    [
        ("x12/850-004010", "x12/850/pass/basic.edi", "*", "~"),
        ("x12/856-004010", "x12/856/pass/two-packs.edi", "*", "~"),
        ("edifact/ORDERS-D96A", "edifact/ORDERS/pass/basic.edi", "+", "'"),
    ],
)
def test_a_sound_set_needs_no_look_at_single_values(guide: str, file: str, element: str, end: str) -> None:
    segments = Segments(machine(load_guide(guide), element, ":" if element == "+" else ">"), lambda piece: [piece])
    lines = [line.strip() for line in (HERE / file).read_text("ascii").split(end)]
    known = [line for line in lines if line.split(element)[0] in segments.machine.tags and "?" not in line]
    assert len(known) > 8
    assert [line for line in known if not segments.learn(line)[1]] == []


def test_texts_that_never_repeat_are_soon_not_kept() -> None:
    segments = Segments(machine(load_guide("x12/850-004010"), "*", ">"), lambda piece: [piece])
    for number in range(EACH + 50):
        assert segments.learn(f"N3*{number} MAIN STREET")[1]
    assert segments.learn("N4*TOWN*NY")[1]
    assert len(segments.known) == EACH + 1
