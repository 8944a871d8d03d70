"""The guarded client against real sockets on the loopback interface."""

from __future__ import annotations

import gzip
import socket
import threading
from decimal import Decimal
from time import monotonic

import pytest

from hub.domain.errors import InDoubt, Paused, Rejected, RetryLater, TooLarge
from hub.domain.secret import Secret
from hub.kit.http import Exchange, GuardedHttp, Limits
from hub.testing.scripted import Close, Drip, Flood, Hang, Raw, Reset, Say, Step, scripted
from tests.kit.calling import LOOPBACK, client


def test_a_post_carries_json_its_key_and_the_credentials() -> None:
    with scripted(Say(body=b'{"id": 7, "price": 12.50}')) as partner:
        http = client(partner, bearer=Secret("s3cret-token"), headers={"X-Shop": "one"})

        answer = http.post("/orders", {"price": Decimal("12.50")}, key="delivery-1")

    call = partner.calls[0]
    assert answer == {"id": 7, "price": Decimal("12.50")}
    assert isinstance(answer["price"], Decimal)
    assert (call.method, call.path, call.body) == ("POST", "/v2/orders", b'{"price":12.50}')
    assert call.headers["authorization"] == "Bearer s3cret-token"
    assert call.headers["idempotency-key"] == "delivery-1"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["x-shop"] == "one"


def test_basic_credentials_are_sent() -> None:
    with scripted() as partner:
        client(partner, basic=("ann", Secret("pass"))).get("/me")
    assert partner.calls[0].headers["authorization"] == "Basic YW5uOnBhc3M="


def test_a_query_leaves_out_none_and_repeats_lists() -> None:
    with scripted() as partner:
        client(partner).get("/orders", after=None, state=["new", "open"], full=True, text="a b&c")
    assert partner.calls[0].query == {"state": "open", "full": "true", "text": "a b&c"}


def test_many_calls_share_one_line() -> None:
    with scripted() as partner:
        http = client(partner)
        for _ in range(20):
            http.get("/orders")
        http.close()
    assert (len(partner.calls), partner.lines) == (20, 1)


def test_threads_share_a_client() -> None:
    with scripted() as partner:
        http = client(partner)
        threads = [threading.Thread(target=lambda: [http.get("/x") for _ in range(25)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        http.close()
    assert len(partner.calls) == 100
    assert partner.lines <= 4


def test_an_answer_in_chunks_and_one_in_gzip_are_read() -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=1\r\n{"a"\r\n3\r\n:1}\r\n0\r\nX: y\r\n\r\n'
    packed = gzip.compress(b'{"b": 2}')
    with scripted(
        Raw(data=chunked, keep_alive=True), Say(body=packed, headers={"Content-Encoding": "gzip"})
    ) as partner:
        http = client(partner)
        assert http.get("/one") == {"a": 1}
        assert http.get("/two") == {"b": 2}
        http.close()
    assert partner.lines == 1


def test_interim_answers_are_passed_over() -> None:
    with scripted(Raw(data=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as partner:
        assert client(partner).get("/") == {}


def test_no_content_has_no_body_and_is_not_waited_for() -> None:
    with scripted(Raw(data=b"HTTP/1.1 204 No Content\r\n\r\n", keep_alive=True)) as partner:
        assert client(partner).post("/x", {}) is None


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_pause_the_connection(status: int) -> None:
    expected = pytest.raises(Paused, match=rf"acme: POST .*/v2/orders was refused \({status}\)")
    with scripted(Say(status=status, body=b"bad token s3cret-token")) as partner, expected as caught:
        client(partner, bearer=Secret("s3cret-token")).post("/orders", {})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_trouble_on_their_side_is_tried_again(status: int) -> None:
    with scripted(Say(status=status, headers={"Retry-After": "17"})) as partner, pytest.raises(RetryLater) as caught:
        client(partner).post("/orders", {})
    assert caught.value.after == 17.0


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_that_lost_sight_of_a_post_leaves_doubt_and_of_a_get_none(status: int) -> None:
    with scripted(Say(status=status), Say(status=status)) as partner:
        with pytest.raises(InDoubt, match="may have passed it on"):
            client(partner).post("/orders", {})
        with pytest.raises(RetryLater):
            client(partner).get("/orders")


def test_a_post_answered_with_garbage_leaves_doubt() -> None:
    with scripted(Say(body=b"<html>")) as partner, pytest.raises(InDoubt, match="not JSON"):
        client(partner).post("/orders", {})


def test_retry_after_may_be_a_date() -> None:
    date = {"Retry-After": "Sun, 22 Nov 2026 12:01:30 GMT"}
    with scripted(Say(status=503, headers=date)) as partner, pytest.raises(RetryLater) as caught:
        client(partner).get("/orders")
    assert caught.value.after == 90.0


@pytest.mark.parametrize("value", ["soon", "", "-5", "1e9"])
def test_a_retry_after_that_says_nothing_is_ignored(value: str) -> None:
    with scripted(Say(status=429, headers={"Retry-After": value})) as partner, pytest.raises(RetryLater) as caught:
        client(partner).get("/orders")
    assert caught.value.after is None


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
def test_a_refused_document_is_rejected_with_what_they_said(status: int) -> None:
    step = Say(status=status, body=b'{"error": "no such item AB-1"}')
    with scripted(step) as partner, pytest.raises(Rejected) as caught:
        client(partner).post("/orders", {})
    assert caught.value.problems[0].code == f"http_{status}"
    assert caught.value.problems[0].value == '{"error": "no such item AB-1"}'


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    step = Say(status=status, headers={"Location": "http://169.254.169.254/latest"})
    with scripted(step) as partner, pytest.raises(Rejected, match=r"points to 'http://169\.254\.169\.254/latest'"):
        client(partner).get("/orders")
    assert len(partner.calls) == 1


def test_garbage_with_status_200_is_tried_again() -> None:
    with scripted(Say(body=b"<html>maintenance</html>")) as partner, pytest.raises(RetryLater, match="not JSON"):
        client(partner).get("/orders")


def test_a_slow_drip_ends_at_the_deadline() -> None:
    began = monotonic()
    with scripted(Drip(body=b"x" * 1000, every=0.02)) as partner, pytest.raises(RetryLater, match="deadline"):
        client(partner, limits=Limits(deadline=0.3)).get("/orders")
    assert monotonic() - began < 1.5


@pytest.mark.parametrize("step", [Hang(), Reset(), Close(), Raw(data=b"HTTP/1.1 2"), Raw(data=b"SSH-2.0-x\r\n\r\n")])
def test_a_post_without_an_answer_is_in_doubt_and_a_get_is_not(step: Step) -> None:
    limits = Limits(deadline=0.3)
    with scripted(step) as partner, pytest.raises(InDoubt, match=r"look there before it is sent again"):
        client(partner, limits=limits).post("/orders", {}, key="k")
    with scripted(step) as partner, pytest.raises(RetryLater):
        client(partner, limits=limits).get("/orders")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_half_an_answer_is_in_doubt(method: str) -> None:
    with scripted(Raw(data=b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"id"')) as partner, pytest.raises(InDoubt):
        client(partner).request(method, "/orders", body=b"{}")


def test_half_a_refusal_is_still_a_refusal() -> None:
    half = Raw(data=b"HTTP/1.1 422 No\r\nContent-Length: 500\r\n\r\nno such item")
    with scripted(half) as partner, pytest.raises(Rejected, match="no such item"):
        client(partner).post("/orders", {})


@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_of_a_gigabyte_is_cut_at_the_cap(announced: bool) -> None:
    with scripted(Flood(announced=announced)) as partner, pytest.raises(TooLarge, match="1000000"):
        client(partner).get("/orders")
    with scripted(Flood(announced=announced)) as partner, pytest.raises(InDoubt):
        client(partner).post("/orders", {})


def test_a_gzip_bomb_is_cut_at_the_cap() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    with scripted(Say(body=bomb, headers={"Content-Encoding": "gzip"})) as partner, pytest.raises(TooLarge):
        client(partner).get("/orders")


def test_nothing_listening_is_tried_later_even_for_a_post() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(RetryLater, match="nothing was sent"):
        GuardedHttp(f"http://127.0.0.1:{port}", networks=LOOPBACK).post("/orders", {})


def test_a_line_that_they_closed_while_idle_is_replaced() -> None:
    with scripted(Say(keep_alive=False)) as partner:
        http = client(partner)
        for _ in range(3):
            http.post("/orders", {}, key="k")
    assert (len(partner.calls), partner.lines) == (3, 3)


class _ClosesOnSecond:
    """A server whose second request on a line is read and met with silence: the line is closed."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> _ClosesOnSecond:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _run(self) -> None:
        for _ in range(4):
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                self.requests.append(sock.recv(65536))
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                if data := sock.recv(65536):
                    self.requests.append(data)


def test_a_line_found_dead_is_re_sent_once_where_a_repeat_is_harmless() -> None:
    with _ClosesOnSecond() as server:
        http = GuardedHttp(server.url, networks=LOOPBACK)
        http.post("/a", {}, key="k1")
        http.post("/b", {}, key="k2")
        http.close()
    assert [request.split(b" ", 2)[1] for request in server.requests] == [b"/a", b"/b", b"/b"]


def test_a_line_found_dead_is_in_doubt_for_a_post_without_a_key() -> None:
    with _ClosesOnSecond() as server:
        http = GuardedHttp(server.url, networks=LOOPBACK)
        http.post("/a", {})
        with pytest.raises(InDoubt):
            http.post("/b", {})
    assert [request.split(b" ", 2)[1] for request in server.requests] == [b"/a", b"/b"]


def test_an_early_refusal_of_a_large_body_is_heard() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(100)
            sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass

    thread = threading.Thread(target=refuse, daemon=True)
    thread.start()
    with listener, pytest.raises(Rejected, match="413"):
        GuardedHttp(f"http://127.0.0.1:{listener.getsockname()[1]}", networks=LOOPBACK).request(
            "POST", "/x", body=bytes(3_000_000)
        )
    thread.join(5)


def test_a_request_may_replace_a_shared_header() -> None:
    with scripted() as partner:
        client(partner).request("GET", "/", headers={"accept": "text/csv"})
    assert partner.calls[0].headers["accept"] == "text/csv"


def test_after_refused_credentials_they_are_revealed_anew() -> None:
    tokens = iter(["old-token", "new-token"])

    class Rotated(Secret):
        def reveal(self) -> str:
            return next(tokens)

    with scripted(Say(), Say(status=401), Say()) as partner:
        http = client(partner, bearer=Rotated(""))
        http.post("/orders", {})
        with pytest.raises(Paused):
            http.post("/orders", {})
        http.post("/orders", {})
        http.close()
    assert [call.headers["authorization"][7:] for call in partner.calls] == ["old-token", "old-token", "new-token"]


def test_what_is_recorded_shows_no_credential() -> None:
    seen: list[Exchange] = []
    with scripted(Say(), Say(status=500, body=b"x")) as partner:
        http = client(partner, bearer=Secret("s3cret-token"), record=seen.append)
        http.get("/orders", access_token="abcdef123456")
        with pytest.raises(RetryLater):
            http.post("/orders?sig=s3cret-token", {})
        http.close()
    assert [(one.method, one.status, one.received) for one in seen] == [("GET", 200, 2), ("POST", 500, 1)]
    assert "abcdef123456" not in repr(seen)
    assert "s3cret" not in repr(seen)
    assert seen[1].error.startswith("acme: POST http://127.0.0.1")


def test_nothing_is_revealed_before_the_first_call() -> None:
    class Untouchable(Secret):
        def reveal(self) -> str:
            raise AssertionError("revealed on opening")

    GuardedHttp("https://shop.example", bearer=Untouchable(""))
