"""Control numbers and the clocks of agreements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.domain.errors import Rejected
from hub.pipeline import numbers
from hub.pipeline.clocks import due


class Series:
    """Counts as the record does, and remembers what it was asked."""

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self.asked: list[tuple[str, int, list[str]]] = []

    def control_numbers(self, scope: str, count: int, *, delivery_ids: Sequence[str]) -> list[int]:
        """Take numbers."""
        self.asked.append((scope, count, list(delivery_ids)))
        return [self.last + at for at in range(1, count + 1)]


ENVELOPE = {"sender": "ZZ:US", "receiver": "ZZ:NORTH"}
LEVELS = ("interchange", "group", "set")


def test_a_batch_takes_its_numbers_in_one_statement_per_series() -> None:
    unit: Any = Series()
    wanted = [(name, "x12", ENVELOPE, LEVELS) for name in ("first", "second")]

    found = numbers.take(unit, wanted)

    assert found == {
        "first": {"interchange": 1, "group": 1, "sets": [1]},
        "second": {"interchange": 2, "group": 2, "sets": [2]},
    }
    assert unit.asked == [
        ("x12/ZZ:US>ZZ:NORTH/group", 2, ["first", "second"]),
        ("x12/ZZ:US>ZZ:NORTH/interchange", 2, ["first", "second"]),
        ("x12/ZZ:US>ZZ:NORTH/set", 2, ["first", "second"]),
    ]


def test_a_series_begins_again_after_the_largest_number_its_field_holds() -> None:
    unit: Any = Series(last=999_999_998)

    found = numbers.take(unit, [("first", "x12", ENVELOPE, LEVELS), ("second", "x12", ENVELOPE, LEVELS)])

    assert [found["first"]["interchange"], found["second"]["interchange"]] == [999_999_999, 1]


@pytest.mark.parametrize(
    ("codec", "sender", "name"),
    [
        ("x12", "US", "x12/ZZ:US>ZZ:NORTH/group"),
        ("x12", "ZZ:US ", "x12/ZZ:US>ZZ:NORTH/group"),
        ("edifact", ":US", "edifact/US>ZZ:NORTH/group"),
        ("edifact", "14:US", "edifact/14:US>ZZ:NORTH/group"),
    ],
)
def test_one_party_has_one_series_however_it_is_spelled(codec: str, sender: str, name: str) -> None:
    assert numbers.scope(codec, sender, "ZZ:NORTH", "group") == name


def test_an_envelope_without_address_is_refused_before_numbers_are_taken() -> None:
    with pytest.raises(Rejected, match="acme for shipment names no receiver; add them to its envelope"):
        numbers.check({"sender": "ZZ:US"}, "acme", "shipment")


@pytest.mark.parametrize(
    ("duration", "then"),
    [
        ("PT4H", datetime(2026, 11, 22, 14, 0, tzinfo=UTC)),
        ("P1D", datetime(2026, 11, 23, 10, 0, tzinfo=UTC)),
        ("P1DT2H30M", datetime(2026, 11, 23, 12, 30, tzinfo=UTC)),
        ("P2W", datetime(2026, 12, 6, 10, 0, tzinfo=UTC)),
        ("PT0S", datetime(2026, 11, 22, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_clock_runs_out_after_its_duration(duration: str, then: datetime) -> None:
    assert due(datetime(2026, 11, 22, 10, 0, tzinfo=UTC), duration) == then


@pytest.mark.parametrize("duration", ["4h", "", "P", "PT", "P1M", "-PT4H"])
def test_what_is_no_duration_is_refused_with_how_to_write_one(duration: str) -> None:
    with pytest.raises(Rejected, match="is no duration; write hours as PT4H, days as P1D"):
        due(datetime(2026, 11, 22, 10, 0, tzinfo=UTC), duration)
