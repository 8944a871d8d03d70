"""Connections that are held back: for a time their side asked for, or until a person resolves an incident."""

from __future__ import annotations

from hub.domain.errors import Paused, Problem, Rejected, RetryLater
from hub.pipeline.holds import LOOK, Holds, Suspended, rest_of


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_pause_ends_by_itself_and_a_shorter_one_does_not_end_it_sooner() -> None:
    time = Time()
    holds = Holds(now=time)
    holds.pause("acme", 10)
    holds.pause("acme", 2)
    time.at += 9
    assert holds.held() == {"acme"}
    time.at += 2
    assert holds.held() == frozenset()


def test_suspensions_are_looked_up_once_a_second() -> None:
    time, looks = Time(), []

    def look() -> list[str]:
        looks.append(time.at)
        return ["acme"] if len(looks) < 3 else []

    holds = Holds(look, now=time)
    assert [holds.held() for _ in range(5)] == [{"acme"}] * 5
    time.at += LOOK * 1.1
    assert holds.held() == {"acme"}
    time.at += LOOK * 1.1
    assert holds.held() == frozenset()
    assert len(looks) == 3


def test_refusals_count_in_a_row_only() -> None:
    holds = Holds()
    assert [holds.refused("acme"), holds.refused("acme"), holds.refused("globex")] == [1, 2, 1]
    holds.taken("acme")
    assert holds.refused("acme") == 1


def test_what_an_answer_means_for_everything_else_that_is_to_be_sent() -> None:
    busy, gone = RetryLater("busy", after=3, for_all=True), Rejected([Problem(code="http_410", text="gone")])
    assert rest_of(busy) is busy
    assert isinstance(rest_of(gone), Suspended)
    assert isinstance(rest_of(Paused("locked")), Paused)
    assert rest_of(RetryLater("this one later", after=3)) is None
    assert rest_of(Rejected([Problem(code="http_404")])) is None
    assert rest_of(None) is None
