"""Public samples of the sets around the main ones: they map, or what is wrong with them is named value by value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.codecs.x12.codec import CODEC
from hub.domain.errors import Rejected
from hub.ports import Profile
from hub.translate import mapfile
from hub.translate.compile import compile_mapping

ROOT = Path(__file__).parents[2] / "mappings"
FOLDER = os.environ.get("EDI_SAMPLES", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="EDI_SAMPLES does not name the folder of public samples")

WORDS_FOR_VALUES = ("amount", "paid_on", "allocations[")
"""Where the 820 has words in place of values: `TOTAL DOLLAR AMT OF CHECK`."""
SAMPLES = {
    "x12-820-homedepot.txt": WORDS_FOR_VALUES,
    "x12-846-tilde-brace.txt": (),
    "x12-860-isa105-bad-se.txt": ("placed_on",),
    "x12-861-edifabric.txt": (),
    "x12-940-1.edi": (),
}


@pytest.mark.parametrize(("name", "wrong"), SAMPLES.items(), ids=list(SAMPLES))
def test_a_public_sample_maps_or_says_what_is_wrong(name: str, wrong: tuple[str, ...]) -> None:
    file = Path(FOLDER) / name
    if not file.exists():
        pytest.skip(f"{name} is not among the samples")
    body, profile = file.read_bytes(), Profile()
    [found] = [
        one
        for frame in CODEC.frames(body, profile)
        for one in CODEC.decode(body[frame.offset : frame.offset + frame.length], frame, profile)
    ]
    compiled = compile_mapping(mapfile.load([ROOT], f"x12/{found.set}.in"))

    try:
        compiled.inward(found.tree)
        problems = ()
    except Rejected as error:
        problems = error.problems

    assert bool(problems) == bool(wrong)
    for problem in problems:
        assert problem.path.startswith(wrong), problem
        assert problem.at is not None
        assert problem.at.segment > 0
        assert problem.text.endswith(")"), "the rule with its file and line is named"
