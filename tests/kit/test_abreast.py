"""Several requests at once over several lines, against real sockets: each has its own answer, deadline and doubt."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from hub.domain.errors import HubError, InDoubt, Paused, Rejected, RetryLater
from hub.domain.secret import Secret
from hub.kit.budget import Bucket
from hub.kit.http import Exchange, GuardedHttp, Limits
from hub.ports import Call, Rate
from hub.testing.fakes import LOOPBACK
from tests.kit.talking import GOOD, client, kinds, named, playing, post, posts


def test_each_has_its_own_answer_in_the_order_of_asking() -> None:
    with playing() as partner:
        partner.says = named
        results = client(partner).request_many(posts(50), lines=4)
        assert [each.json()["path"] for each in results if not isinstance(each, HubError)] == [
            f"/{at}" for at in range(50)
        ]
        assert sorted(path for _, path in partner.heard) == sorted(f"/{at}" for at in range(50))


def test_nothing_asked_is_nothing_answered() -> None:
    with playing() as partner:
        assert client(partner).request_many([]) == []
        assert partner.lines == 0


@pytest.mark.parametrize("lines", [1, 3])
def test_no_more_lines_are_open_than_asked_for_and_they_are_kept(lines: int) -> None:
    together = threading.Barrier(lines)

    def waits(_: int, path: str, __: bytes) -> bytes:
        if path == "/together":
            together.wait(5)
        return GOOD

    with playing() as partner:
        partner.says = waits
        http = client(partner)
        # when all lines must be under way at once before any is answered
        http.request_many(posts(40), lines=lines)
        assert kinds(http.request_many([post("/together", key="a")] * lines, lines=lines)) == [200] * lines
        assert (partner.lines, partner.most) == (lines, lines)
        http.get("/one")
        assert partner.lines == lines
        http.close()


def test_one_that_hangs_is_in_doubt_at_its_own_deadline_and_the_others_are_answered() -> None:
    with playing() as partner:
        partner.says = lambda _, path, __: None if path == "/3" else GOOD
        calls = posts(20)
        calls[3]["deadline"] = 0.3
        began = monotonic()
        results = client(partner).request_many(calls, lines=2)
        assert monotonic() - began < 3
    assert kinds(results) == [200] * 3 + [InDoubt] + [200] * 16
    assert "the deadline has passed" in str(results[3])


def test_the_first_may_hang_and_the_others_do_not_wait_for_it() -> None:
    with playing() as partner:
        partner.says = lambda _, path, __: None if path == "/0" else GOOD
        calls = [post("/0", deadline=1.5), *posts(9)[1:]]
        began, ended = monotonic(), list[str]()
        results = client(partner, record=lambda one: ended.append(one.url)).request_many(calls, lines=2)
        assert monotonic() - began < 6
    assert kinds(results) == [InDoubt] + [200] * 8
    assert ended[-1].endswith("/0")


def test_a_drip_ends_at_its_deadline_and_a_get_is_only_put_off() -> None:
    with playing() as partner:
        partner.says = lambda _, path, __: GOOD if path != "/drip" else b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"
        drips = [post("/drip", deadline=0.3), Call(method="GET", path="/drip", deadline=0.3)]
        results = client(partner).request_many([*drips, post("/a")], lines=3)
    assert kinds(results) == [InDoubt, RetryLater, 200]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 422 No\r\nContent-Length: 3\r\n\r\nbad", Rejected),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", RetryLater),
        (b"HTTP/1.1 502 Gateway\r\nContent-Length: 0\r\n\r\n", InDoubt),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", InDoubt),
        (b"SSH-2.0-x\r\n\r\n", InDoubt),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 200),
    ],
)
def test_what_one_is_told_means_what_it_means_alone_and_is_its_own(answer: bytes, kind: Any) -> None:
    with playing() as partner:
        partner.says = lambda _, path, __: answer if path == "/1" else GOOD
        results = client(partner).request_many(posts(6), lines=2)
    assert kinds(results) == [200, kind, 200, 200, 200, 200]


def test_after_refused_credentials_nothing_more_is_sent() -> None:
    with playing() as partner:
        partner.says = lambda *_: b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"
        results = client(partner, bearer=Secret("s3cret-token")).request_many(posts(10), lines=2)
        assert kinds(results) == [Paused] * 10
        assert len(partner.heard) == 1


def test_who_asks_for_time_gets_no_more_of_the_same_window() -> None:
    with playing() as partner:
        partner.says = lambda *_: b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
        results = client(partner).request_many(posts(10), lines=2)
        assert kinds(results) == [RetryLater] * 10
        assert {each.after for each in results if isinstance(each, RetryLater)} == {7}
        assert len(partner.heard) <= 2


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    results = GuardedHttp(f"http://127.0.0.1:{port}", networks=LOOPBACK).request_many(posts(3))
    assert kinds(results) == [RetryLater] * 3
    assert all("nothing was sent" in str(each) for each in results)


def test_one_with_more_time_is_tried_where_one_with_little_was_not_connected() -> None:
    asked: list[str] = []
    ended = threading.Event()

    def resolve(host: str, port: int, *_: object) -> Any:
        asked.append(host)
        if len(asked) == 1:
            ended.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with playing() as partner:
        port = partner.url.rsplit(":", 1)[1]
        http = GuardedHttp(f"http://erp.example:{port}", networks=LOOPBACK, resolver=resolve)
        calls = [post("/a", deadline=0.2), post("/b"), post("/c", deadline=0.2)]
        assert kinds(http.request_many(calls, lines=2)) == [RetryLater, 200, RetryLater]
        assert [path for _, path in partner.heard] == ["/b"]
        ended.set()


def test_what_cannot_be_written_is_refused_alone() -> None:
    with playing() as partner:
        bad = [post("/a/../b"), post("https://elsewhere.example/x"), post("/c", headers={"X-A": "b\r\nX-B: 1"})]
        results = client(partner).request_many([*bad, post("/d")])
        assert kinds(results) == [Rejected, Rejected, Rejected, 200]
        assert [path for _, path in partner.heard] == ["/d"]


def hangs_up_on_second(line: int, path: str, _: bytes) -> bytes:
    """A server that closes its first line when it is used a second time."""
    return b"" if line == 1 and path != "/first" else GOOD


def test_a_kept_line_that_is_dead_is_replaced_once_where_a_repeat_is_harmless() -> None:
    with playing() as partner:
        partner.says = hangs_up_on_second
        http = client(partner)
        http.post("/first", {})
        assert kinds(http.request_many(posts(3), lines=1)) == [200] * 3
        assert partner.heard == [(1, "/first"), (1, "/0"), (2, "/0"), (2, "/1"), (2, "/2")]


def test_a_kept_line_that_is_dead_leaves_doubt_without_a_key() -> None:
    with playing() as partner:
        partner.says = hangs_up_on_second
        http = client(partner)
        http.post("/first", {})
        assert kinds(http.request_many([post("/a"), post("/b")], lines=1)) == [InDoubt, 200]
        assert partner.heard == [(1, "/first"), (1, "/a"), (2, "/b")]


def test_a_line_that_dies_new_is_not_tried_again() -> None:
    with playing() as partner:
        partner.says = lambda *_: b""
        assert kinds(client(partner).request_many(posts(3), lines=2)) == [InDoubt] * 3
        assert len(partner.heard) == 3


def test_a_server_that_serves_one_line_at_a_time_leaves_nothing_in_doubt() -> None:
    with playing(lines=1) as partner:
        results = client(partner).request_many(posts(30), lines=4)
        assert kinds(results) == [200] * 30
        assert (partner.most, partner.lines) == (1, 2)


def test_a_further_line_that_cannot_be_opened_quickly_is_done_without() -> None:
    ended = threading.Event()
    asked: list[str] = []

    def resolve(host: str, port: int, *_: object) -> Any:
        asked.append(host)
        if len(asked) > 1:
            ended.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with playing() as partner:
        port = partner.url.rsplit(":", 1)[1]
        http = GuardedHttp(f"http://erp.example:{port}", networks=LOOPBACK, resolver=resolve)
        assert kinds(http.request_many(posts(12), lines=4)) == [200] * 12
        assert (partner.lines, len(asked)) == (1, 2)
        ended.set()


class Counting:
    """A budget that has `ready` calls at once; then each takes a moment, for which only `wait` may pay."""

    def __init__(self, ready: int) -> None:
        self.ready, self.taken, self.waited = ready, 0, 0

    def take(self, count: int, wait: float) -> None:
        if self.taken >= self.ready:
            if wait == 0.0:
                raise RetryLater("its rate budget is spent", after=0.01)
            self.waited += 1
        self.taken += count

    def pause(self, seconds: float) -> None:
        self.ready = 0


def test_each_takes_its_call_from_the_budget_and_waits_only_while_nothing_is_under_way() -> None:
    budget = Counting(3)
    with playing() as partner:
        results = client(partner, budget=budget).request_many(posts(7), lines=3)
    assert kinds(results) == [200] * 7
    assert (budget.taken, budget.waited) == (7, 4)


def test_a_budget_that_is_spent_for_longer_than_the_deadline_puts_the_rest_off() -> None:
    with playing() as partner:
        partner.says = lambda *_: b"HTTP/1.1 429 Slow\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
        budget = Bucket("erp", Rate(per_second=1000, burst=100))
        results = client(partner, budget=budget).request_many(posts(4), lines=1)
        assert len(partner.heard) == 1
    assert kinds(results) == [RetryLater] * 4
    assert all(isinstance(each, RetryLater) and (each.after or 0) > 50 for each in results)


def test_each_is_recorded_without_credentials() -> None:
    seen: list[Exchange] = []
    with playing() as partner:
        partner.says = lambda _, path, __: GOOD if path == "/0" else b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n"
        client(partner, bearer=Secret("s3cret-token"), record=seen.append).request_many(
            [post("/0"), post("/1?token=s3cret-token")], lines=1
        )
    assert [(one.method, one.status, one.received) for one in seen] == [("POST", 200, 2), ("POST", 500, 0)]
    assert "s3cret" not in repr(seen)


def test_threads_share_a_client() -> None:
    with playing() as partner:
        http = client(partner)
        found: list[Any] = []
        threads = [
            threading.Thread(target=lambda: found.extend(kinds(http.request_many(posts(30), lines=3))))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        http.close()
    assert found == [200] * 120
    assert partner.lines <= 12


def test_large_documents_go_out_and_come_back_whole() -> None:
    with playing() as partner:
        partner.says = lambda _, __, body: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        bodies = [bytes([65 + at]) * 3_000_000 for at in range(4)]
        http = client(partner, limits=Limits(deadline=20, cap=5_000_000))
        results = http.request_many([post(f"/{at}", body=body) for at, body in enumerate(bodies)], lines=3)
    assert [each.body for each in results if not isinstance(each, HubError)] == bodies


def test_lines_may_be_encrypted(certificate: Callable[[str], tuple[Path, Path]], trust: Callable[[Path], None]) -> None:
    cert, key = certificate("127.0.0.1")
    trust(cert)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with playing(context=context) as partner:
        partner.says = lambda _, __, body: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        bodies = [bytes([65 + at]) * 300_000 for at in range(12)]
        http = client(partner, limits=Limits(deadline=20, cap=5_000_000))
        results = http.request_many([post(f"/{at}", body=body) for at, body in enumerate(bodies)], lines=3)
        assert [each.body for each in results if not isinstance(each, HubError)] == bodies
        assert 1 < partner.lines <= 3
        http.close()
