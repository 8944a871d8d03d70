"""Guides: every dictionary loads, versions are chosen, overlays tighten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.codecs import guide as guides
from hub.codecs.guide import load_guide
from hub.codecs.machine import machine
from hub.codecs.x12.codec import CODEC
from hub.domain.errors import Rejected
from hub.ports import Profile
from hub.testing.codec_contract import decode_all

DICTIONARIES = Path(guides.__file__).parent
NAMES = [
    f"{path.parent.parent.name}/{path.stem}"
    for path in sorted(DICTIONARIES.glob("*/dictionaries/*.toml"))
    if not path.stem.startswith("segments-")
]
BASIC = (Path(__file__).parent / "x12/850/pass/basic.edi").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_dictionary_loads_and_compiles(name: str) -> None:
    guide = load_guide(name)
    compiled = machine(guide, "*", ">")
    assert guide.set == name.split("/")[1].split("-")[0]
    for tag in compiled.tags:
        compiled.find(compiled.start, tag)


def test_the_sets_that_trade_needs_are_there() -> None:
    wanted = {f"x12/{name}-{version}" for name in (850, 855, 856, 810, 997) for version in ("004010", "005010")}
    wanted |= {
        f"edifact/{name}-{year}" for name in ("ORDERS", "ORDRSP", "DESADV", "INVOIC") for year in ("D96A", "D01B")
    }
    assert wanted - set(NAMES) == set()


@pytest.mark.parametrize("name", ["x12/../../../etc/passwd", "x12/850-999999", "nothing", ""])
def test_an_unknown_guide_is_refused(name: str) -> None:
    with pytest.raises(Rejected, match="no such dictionary"):
        load_guide(name)


def _codes(overlay: dict[str, Any]) -> list[tuple[str, str, str]]:
    profile = Profile(guide="x12/850-004010", options={"overlay": overlay})
    (decoded,) = decode_all(CODEC, BASIC, profile)
    return [(problem.code, problem.path, problem.severity) for problem in decoded.problems]


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ({"require": ["FOB"]}, ("segment_missing", "FOB", "error")),
        ({"require": ["BEG.07"]}, ("element_missing", "BEG.07", "error")),
        ({"require": ["N1[01=BT]/N4"]}, ("segment_missing", "N4", "error")),
        ({"forbid": ["PER"]}, ("segment_forbidden", "PER", "error")),
        ({"forbid": ["N1[01=ST].04"]}, ("element_forbidden", "N1.04", "error")),
        ({"codes": {"BEG.02": ["DS"]}}, ("element_code", "BEG.02", "error")),
        ({"length": {"BEG.03": [1, 4]}}, ("element_too_long", "BEG.03", "error")),
        ({"repeat": {"N1": 1}}, ("loop_repeated", "N1", "error")),
        ({"forbid": ["PER"], "relax": ["segment_forbidden"]}, ("segment_forbidden", "PER", "warning")),
    ],
)
def test_an_overlay_tightens(overlay: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert _codes(overlay) == [expected]


@pytest.mark.parametrize("overlay", [{"require": ["N1[01=ST]/N4", "BEG.03"]}, {"codes": {"BEG.02": ["SA", "DS"]}}])
def test_an_overlay_that_is_kept_says_nothing(overlay: dict[str, Any]) -> None:
    assert _codes(overlay) == []
