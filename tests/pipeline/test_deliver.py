"""How a window is sent: looked up where it is in doubt, together where that is quicker, and no longer than its time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import pytest

from hub.domain.errors import HubError, InDoubt, Paused, Rejected, RetryLater
from hub.domain.message import Outgoing, Receipt
from hub.pipeline.deliver import Unknowable, deliver
from hub.pipeline.services import Opened
from hub.ports import Connector, Push

OVER = -inf
"""An instant that has passed."""


def says(answer: Any) -> Any:
    """Return an answer, or raise it."""
    if isinstance(answer, Exception):
        raise answer
    return answer


class Partner:
    """Takes documents one by one and in lists, and can be asked; answers as told, by key."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: list[tuple[str, ...]] = []

    def push(self, out: Outgoing) -> Receipt:
        self.calls.append(("push", out.key))
        return says(self.answers.get(out.key, Receipt(reference=out.key)))  # type: ignore[no-any-return]

    def push_many(self, outs: Sequence[Outgoing]) -> Sequence[Receipt | HubError]:
        self.calls.append(("push_many", *(out.key for out in outs)))
        return says(self.answers.get("many", [Receipt(reference=out.key) for out in outs]))  # type: ignore[no-any-return]

    def find(self, out: Outgoing) -> Receipt | None:
        self.calls.append(("find", out.key))
        return says(self.answers.get("find"))  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """None."""


def opened(partner: Partner) -> Opened:
    return Opened(
        name="erp",
        connector=Connector(name="fake", title="Fake", settings=Settings, open=lambda *_: partner),
        instance=partner,
    )


def window(*keys: str, doubted: str = "") -> list[tuple[Outgoing, bool]]:
    return [(Outgoing(key=key, kind="order", body=b"{}"), key in doubted.split()) for key in keys]


def sent(partner: Partner, push: Push, *keys: str, doubted: str = "", until: float = inf) -> list[Any]:
    """Send a window and return what is known of each: their reference, the kind of error, None."""
    results = deliver(opened(partner), push, window(*keys, doubted=doubted), until)
    return [each.reference if isinstance(each, Receipt) else each and type(each) for each in results]


RESEND, FIND, ASK = (Push(on_doubt=each, parallel=1) for each in ("resend", "find", "ask"))


def test_what_is_in_doubt_is_looked_up_and_sent_only_if_it_is_not_there() -> None:
    there, away = Partner(find=Receipt(reference="theirs")), Partner(find=None)
    assert sent(there, FIND, "a", "b", doubted="b") == ["a", "theirs"]
    assert sent(away, FIND, "a", "b", doubted="b") == ["a", "b"]
    assert ("push", "b") not in there.calls
    assert away.calls == [("find", "b"), ("push", "a"), ("push", "b")]


def test_what_is_in_doubt_where_nobody_can_be_asked_is_not_sent() -> None:
    partner = Partner()
    assert sent(partner, ASK, "a", "b", doubted="a") == [InDoubt, "b"]
    assert partner.calls == [("push", "b")]


@pytest.mark.parametrize("failure", [RetryLater("busy"), Paused("no"), KeyError("bug")])
def test_a_look_up_that_fails_leaves_the_doubt(failure: Exception) -> None:
    partner = Partner(find=failure)
    [result] = deliver(opened(partner), FIND, window("a", doubted="a"), inf)
    assert isinstance(result, InDoubt)
    assert not isinstance(result, Unknowable)
    assert partner.calls == [("find", "a")]


def test_a_look_up_that_is_refused_leaves_it_to_a_person() -> None:
    partner = Partner(find=Rejected("no such address"))
    [result] = deliver(opened(partner), FIND, window("a", doubted="a"), inf)
    assert isinstance(result, Unknowable)
    assert "erp refuses to be asked about it: no such address" in str(result)
    assert partner.calls == [("find", "a")]


@pytest.mark.parametrize("push", [RESEND, Push(on_doubt="resend")])
def test_when_time_is_over_one_is_tried_and_the_others_are_left(push: Push) -> None:
    partner = Partner()
    assert sent(partner, push, "a", "b", "c", until=OVER) == ["a", None, None]
    assert partner.calls == [("push", "a")]


def test_where_their_side_was_slow_threads_begin_at_once() -> None:
    # given a partner that answers nobody before two have asked
    both = threading.Barrier(2)
    partner = Partner()

    class Waiting(Partner):
        def push(self, out: Outgoing) -> Receipt:
            both.wait(5)
            return partner.push(out)

    results = deliver(opened(Waiting()), Push(on_doubt="resend", parallel=2), window("a", "b"), OVER, slow=True)
    assert [each.reference for each in results if isinstance(each, Receipt)] == ["a", "b"]


def test_one_that_takes_its_time_brings_threads_which_are_given_theirs() -> None:
    # given a partner whose first answer takes longer than there was time in all
    slow, ended = iter([0.02]), threading.Event()

    class Slow(Partner):
        def push(self, out: Outgoing) -> Receipt:
            ended.wait(next(slow, 0))
            return super().push(out)

    partner = Slow()
    assert sent(partner, Push(on_doubt="resend"), "a", "b", "c", until=OVER) == ["a", "b", "c"]


def test_when_time_is_over_one_is_looked_up_and_the_others_stay_in_doubt() -> None:
    partner = Partner(find=Receipt(reference="theirs"))
    assert sent(partner, FIND, "a", "b", doubted="a b", until=OVER) == ["theirs", None]


def test_lists_are_as_long_as_they_take_and_end_with_the_time() -> None:
    partner = Partner()
    push = Push(on_doubt="resend", batch=2)
    assert sent(partner, push, "a", "b", "c") == ["a", "b", "c"]
    assert sent(partner, push, "d", "e", "f", until=OVER) == ["d", "e", None]
    assert partner.calls == [("push_many", "a", "b"), ("push_many", "c"), ("push_many", "d", "e")]


def test_what_goes_side_by_side_is_handed_over_together_and_ends_with_the_time() -> None:
    partner = Partner()
    push = Push(on_doubt="resend", window=2)
    assert sent(partner, push, "a", "b", "c") == ["a", "b", "c"]
    assert sent(partner, push, "d", "e", "f", until=OVER) == ["d", "e", None]
    assert sent(partner, push, "g") == ["g"]
    assert partner.calls == [("push_many", "a", "b"), ("push_many", "c"), ("push_many", "d", "e"), ("push", "g")]


def test_after_a_pause_nothing_more_is_sent() -> None:
    partner = Partner(b=Paused("token expired"))
    assert sent(partner, RESEND, "a", "b", "c") == ["a", Paused, None]


def test_an_error_that_nobody_foresaw_leaves_doubt() -> None:
    assert sent(Partner(a=KeyError("bug")), RESEND, "a", "b") == [InDoubt, "b"]
    assert sent(Partner(many=KeyError("bug")), Push(on_doubt="resend", batch=9), "a", "b") == [InDoubt, InDoubt]


def test_a_list_that_is_answered_with_another_number_of_results_is_in_doubt() -> None:
    assert sent(Partner(many=[Receipt()]), Push(on_doubt="resend", batch=9), "a", "b") == [InDoubt, InDoubt]


def test_a_list_that_fails_as_a_whole_fails_for_each() -> None:
    assert sent(Partner(many=RetryLater("busy")), Push(on_doubt="find", batch=9), "a", "b") == [RetryLater, RetryLater]
