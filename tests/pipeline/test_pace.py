"""Windows grow while their side is quick and shrink where it is slow."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.pipeline.pace import Pace
from hub.ports import Push

ONE, LIST, ASK = Push(on_doubt="resend"), Push(on_doubt="find", batch=100), Push(on_doubt="ask")


def sizes(pushes: Sequence[Push], *seconds: float) -> list[int]:
    """Return the sizes of windows that are sent in so many seconds each."""
    pace = Pace(pushes)
    found = [pace.size]
    for each in seconds:
        pace.note(pace.size, each)
        found.append(pace.size)
    return found


@pytest.mark.parametrize(
    ("pushes", "seconds", "expected"),
    [
        ([ONE], [0.01, 0.02, 0.04, 0.08], [32, 64, 128, 256, 256]),
        ([ONE], [0.2, 0.2], [32, 32, 32]),
        ([ONE], [0.01, 0.01, 1.28, 0.2], [32, 64, 128, 25, 25]),
        ([ONE], [60.0, 60.0], [32, 8, 8]),
        ([LIST], [0.01, 0.01], [100, 200, 200]),
        ([LIST], [60.0], [100, 100]),
        ([ONE, ASK], [0.01, 0.01], [32, 32, 32]),
        ([ASK], [60.0], [32, 8]),
        ([], [0.01], [32, 64]),
    ],
    ids=[
        "quick",
        "neither",
        "turns slow",
        "hangs",
        "lists",
        "slow lists",
        "some are asked about",
        "slow, asked",
        "none",
    ],
)
def test_the_next_window(pushes: Sequence[Push], seconds: Sequence[float], expected: Sequence[int]) -> None:
    assert sizes(pushes, *seconds) == expected


def test_it_is_slow_as_long_as_windows_take_long() -> None:
    pace = Pace([ONE])
    found = [pace.is_slow]
    for seconds in (0.3, 0.2):
        pace.note(pace.size, seconds)
        found.append(pace.is_slow)
    assert found == [False, True, False]


def test_a_window_that_was_not_full_says_nothing_of_a_larger_one() -> None:
    pace = Pace([ONE])
    pace.note(pace.size - 1, 0.01)
    assert pace.size == 32
