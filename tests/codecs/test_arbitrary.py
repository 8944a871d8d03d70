"""Documents at random: whatever a guide allows is written and read back; whatever is broken is refused, never raised.

For longer: `python -m tests.codecs.test_arbitrary 300` goes on for 300 seconds.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.cli.partnering.compare import flat
from hub.codecs import hub_codecs
from hub.codecs.x12.writer import FUNCTIONAL_IDS
from hub.domain.errors import HubError
from hub.ports import Codec, Profile
from hub.testing.codec_contract import decode_all
from tests.codecs.arbitrary import Author, damaged, guides, trimmed

CODECS: dict[str, Codec] = {codec.name: codec for codec in hub_codecs()}
SLOW = 5.0
"""Seconds that no document of a few thousand bytes may take, on the slowest machine."""


def written(guide: str, dice: random.Random) -> tuple[Codec, bytes, list[Any]]:
    """Return a codec, an interchange of one to three documents of one guide, and the documents."""
    author = Author(guide, dice)
    syntax, _, rest = guide.partition("/")
    set_name, _, version = rest.partition("-")
    documents = [author.document() for _ in range(dice.randint(1, 3))]
    envelope: dict[str, Any] = {
        "set": set_name, "sender": "ZZ:US", "receiver": "ZZ:THEM", "date": "20261122", "time": "1015",
        "control": {"interchange": dice.randint(1, 999), "group": 1, "sets": list(range(1, len(documents) + 1))},
        "newline": dice.random() < 0.5,
    }  # fmt: skip
    if syntax == "x12":
        envelope |= {
            "version": version[:5],
            "group": version,
            "separators": dice.choice((["*", "~", ">", "^"], ["|", "\n", "\\", "`"])),
        }
        envelope["functional_id"] = FUNCTIONAL_IDS.get(set_name, "PO")
        envelope["fold"] = True
    else:
        envelope["message_version"] = "D:3:UN" if version == "D3" else f"{version[0]}:{version[1:]}:UN"
        envelope["syntax"] = "UNOC:3"
    return CODECS[syntax], CODECS[syntax].encode(documents, envelope), documents


def check_round_trip(guide: str, dice: random.Random) -> None:
    """Write and read back; the segments must be the same and nothing may be wrong with them."""
    codec, body, documents = written(guide, dice)
    found = decode_all(codec, body, Profile(guide=guide))
    assert [problem for each in found for problem in each.problems if problem.severity == "error"] == [], body
    folds = str.maketrans(dict.fromkeys("*~>^|\\`\n", " ")) if codec.name == "x12" else {}
    for each, document in zip(found, documents, strict=True):
        read = [[text.translate(folds) for text in segment] for segment in trimmed(flat(each.tree))]
        assert read == [[text.translate(folds) for text in segment] for segment in trimmed(document)]


def check_damage(guide: str, dice: random.Random) -> None:
    """Damage, and read: problems have positions, nothing is raised, nothing takes for ever."""
    codec, body, _ = written(guide, dice)
    body = damaged(body, dice)
    began = time.monotonic()
    for profile in (Profile(guide=guide), Profile(), Profile(max_segments=20)):
        try:
            for each in decode_all(codec, body, profile):
                assert all(problem.at is not None or problem.text for problem in each.problems)
        except HubError:
            continue  # refused as a whole, as a cap asks
    assert time.monotonic() - began < SLOW, body


@pytest.mark.parametrize("guide", guides())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_what_a_guide_allows_is_written_and_read_back(guide: str, seed: int) -> None:
    check_round_trip(guide, random.Random(seed))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(guide=st.sampled_from(guides()), seed=st.integers(0, 2**32))
def test_what_is_damaged_is_refused_and_never_raises(guide: str, seed: int) -> None:
    check_damage(guide, random.Random(seed))


def forever(seconds: float) -> Iterator[tuple[str, int]]:
    """Yield guides and seeds until the time is over."""
    until, seed, names = time.monotonic() + seconds, time.time_ns() % 2**32, guides()
    while time.monotonic() < until:
        seed += 1
        yield names[seed % len(names)], seed


def main(seconds: float) -> None:
    """Try at random and say how much; the guide and seed of a failure are printed."""
    done = 0
    for guide, seed in forever(seconds):
        try:
            check_round_trip(guide, random.Random(seed))
            check_damage(guide, random.Random(seed))
        except BaseException:
            print(f"guide {guide} seed {seed} after {done}", file=sys.stderr)
            raise
        done += 1
    print(f"{done} documents written and read back, {done} damaged ones read in {seconds:.0f} s: nothing raised")


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 300)
