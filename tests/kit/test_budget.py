"""The rate budget of a connection, with a clock that the test moves."""

from __future__ import annotations

import threading
import time

import pytest

from hub.domain.errors import RetryLater
from hub.kit.budget import Bucket, Budgets, SharedBucket
from hub.kit.http import GuardedHttp
from hub.ports import Rate
from hub.testing.fakes import LOOPBACK
from hub.testing.scripted import Say, scripted


class Time:
    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.at += seconds


def bucket(time: Time, per_second: float, burst: int = 1) -> Bucket:
    return Bucket("acme", Rate(per_second=per_second, burst=burst), now=time.now, sleep=time.sleep)


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    time = Time()
    calls = bucket(time, per_second=4, burst=2)
    for _ in range(5):
        calls.take(1, 10)
    assert time.slept == [0.25, 0.25, 0.25]


def test_quiet_time_gives_back_the_burst_and_no_more() -> None:
    time = Time()
    calls = bucket(time, per_second=4, burst=2)
    time.at += 3600
    for _ in range(3):
        calls.take(1, 10)
    assert time.slept == [0.25]


def test_too_long_a_wait_is_put_off_and_takes_nothing() -> None:
    time = Time()
    calls = bucket(time, per_second=0.1)
    calls.take(1, 1)
    with pytest.raises(RetryLater) as caught:
        calls.take(1, 1)
    with pytest.raises(RetryLater) as again:
        calls.take(1, 1)
    assert (caught.value.after, again.value.after) == (10.0, 10.0)


def test_a_pause_holds_for_all_and_is_not_shortened() -> None:
    time = Time()
    calls = bucket(time, per_second=100, burst=10)
    calls.pause(30)
    calls.pause(5)
    with pytest.raises(RetryLater) as caught:
        calls.take(1, 20)
    assert caught.value.after == pytest.approx(30.01)


def test_threads_share_one_bucket() -> None:
    time = Time()
    calls = bucket(time, per_second=0.001, burst=50)
    got: list[int] = []

    def run() -> None:
        for _ in range(50):
            try:
                calls.take(1, 0)
            except RetryLater:
                continue
            got.append(1)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 50


def test_a_connection_has_one_budget_until_its_rate_changes() -> None:
    budgets = Budgets()
    first = budgets.of("acme", Rate(per_second=2))
    assert budgets.of("acme", Rate(per_second=2)) is first
    assert budgets.of("globex", Rate(per_second=2)) is not first
    assert budgets.of("acme", Rate(per_second=5)) is not first


def test_a_retry_after_spares_their_side_the_next_call() -> None:
    calls = Budgets().of("acme", Rate(per_second=1000, burst=1000))
    with scripted(Say(status=429, headers={"Retry-After": "120"})) as partner:
        http = GuardedHttp(partner.url, networks=LOOPBACK, budget=calls)
        with pytest.raises(RetryLater):
            http.get("/orders")
        with pytest.raises(RetryLater, match="rate budget is spent"):
            http.get("/orders")
    assert len(partner.calls) == 1


class Clock(Time):
    """The real time, in place of one that is set."""

    @property
    def at(self) -> float:  # type: ignore[override]
        return time.monotonic()

    @at.setter
    def at(self, _: float) -> None: ...


class Common:
    """What two processes share, by the same rule as the database's."""

    def __init__(self, time: Time) -> None:
        self.time, self.free, self.asked = time, 0.0, 0

    def take(self, name: str, rate: Rate, count: int) -> float:
        self.asked += 1
        interval = 1 / rate.per_second
        self.free = max(self.free, self.time.at - rate.burst * interval) + count * interval
        return self.free - (count - 1) * interval - self.time.at

    def pause(self, name: str, seconds: float) -> None:
        self.free = max(self.free, self.time.at + seconds)


def test_two_processes_that_share_a_budget_keep_its_rate_together_and_ask_for_blocks() -> None:
    common, rate = Common(Clock()), Rate(per_second=100)
    both = [SharedBucket("acme", rate, common) for _ in range(2)]

    def call(calls: SharedBucket) -> None:
        for _ in range(60):
            calls.take(1, 60)

    threads = [threading.Thread(target=call, args=(each,)) for each in both]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # 120 calls of 100 a second; each process may run ahead within its last block only
    assert 0.9 <= time.monotonic() - begun <= 5.0
    assert common.asked < 40


def test_what_a_shared_budget_does_not_use_is_given_back_in_time_and_a_pause_is_for_all() -> None:
    time = Time()
    common = Common(time)
    first, second = (SharedBucket("acme", Rate(per_second=4), common, now=time.now, sleep=time.sleep) for _ in range(2))
    first.take(1, 0)
    time.at += 3600
    second.take(1, 0)
    assert time.slept == []
    first.pause(30)
    time.at += 1
    with pytest.raises(RetryLater) as caught:
        second.take(1, 1)
    assert caught.value.after == pytest.approx(29.25)
