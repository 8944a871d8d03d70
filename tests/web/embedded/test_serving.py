"""The embedded server, spoken to in bytes: what it takes for one request, what it refuses, whom it waits for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from hub.web.serving import EmbeddedServer
from tests.web.embedded.line import HOST, Line, chunked, echo, post


def deaf(_environ: Any, start_response: Any) -> list[bytes]:
    """Answer without a look at the body."""
    start_response("404 Not Found", [("Content-Length", "4")])
    return [b"none"]


def shown(environ: Any, start_response: Any) -> list[bytes]:
    """Answer with the fields of the request, as the application sees them."""
    seen = [f"{key}={value}" for key, value in sorted(environ.items()) if key.startswith(("HTTP_", "CONTENT_"))]
    text = "\n".join(seen).encode("latin-1")
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]


def test_one_line_serves_many_requests(lines: Any) -> None:
    line = lines(echo)()

    answers = []
    for body in (b"one", b"", b"three"):
        line.say(post(body, b"/a%20b?x=1"))
        answers.append(line.answer())

    assert [(status, body) for status, _, body in answers] == [
        (200, b"POST /a b?x=1 one"), (200, b"POST /a b?x=1 "), (200, b"POST /a b?x=1 three"),
    ]  # fmt: skip
    assert answers[0][1].keys() == {"content-length", "content-type", "date", "server"}
    assert answers[0][1]["server"] == "hub"


def test_requests_that_are_sent_without_waiting_are_answered_in_order(lines: Any) -> None:
    line = lines(echo)()

    line.say(post(b"one") + chunked(b"tw", b"o") + b"GET /three HTTP/1.1\r\n" + HOST + b"\r\n" + post(b"four"))

    assert [line.answer()[2].split(b" ")[-1] for _ in range(4)] == [b"one", b"two", b"", b"four"]


def test_a_request_that_comes_byte_by_byte_is_one_request(lines: Any) -> None:
    line = lines(echo)()

    for at in post(b"slow"):
        line.say(bytes([at]))

    assert line.answer()[2] == b"POST /in/shop? slow"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 3_000_000])
def test_a_body_of_any_size_arrives_whole(lines: Any, size: int) -> None:
    line = lines(echo)()

    line.say(post(b"x" * size) + post(b"next"))

    assert line.answer()[2] == b"POST /in/shop? " + b"x" * size
    assert line.answer()[2] == b"POST /in/shop? next"


def test_chunks_arrive_whole_and_what_follows_them_is_left_out(lines: Any) -> None:
    line = lines(echo)()

    line.say(chunked(b"a" * 70_000, b"b", end=b"0;last\r\nX-After: 1\r\n\r\n") + post(b"next"))

    assert line.answer()[2] == b"POST /c? " + b"a" * 70_000 + b"b"
    assert line.answer()[2] == b"POST /in/shop? next"


def test_fields_are_shown_as_they_came(lines: Any) -> None:
    line = lines(shown)()

    more = (
        b"X-Signature: a=b: c\r\nx-empty:\r\nAccept: one\r\naccept:\ttwo \r\nX-Umlaut: \xfc\r\nX_Signature: forged\r\n"
    )
    line.say(post(b"{}", more=more + b"content-type: application/json\r\n"))

    assert line.answer()[2].decode("latin-1").split("\n") == [
        "CONTENT_LENGTH=2", "CONTENT_TYPE=application/json", "HTTP_ACCEPT=one, two", "HTTP_HOST=127.0.0.1",
        "HTTP_X_EMPTY=", "HTTP_X_SIGNATURE=a=b: c", "HTTP_X_UMLAUT=\xfc",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "head",
    [
        b"POST /in/shop HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
        b"POST /in/shop HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4",
        b"POST /in/shop HTTP/1.1\r\nContent-Length: +3",
        b"POST /in/shop HTTP/1.1\r\nContent-Length: 3_0",
        b"POST /in/shop HTTP/1.1\r\nContent-Length: 3, 3",
        b"POST /in/shop HTTP/1.1\r\nContent-Length:",
        b"POST /in/shop HTTP/1.1\r\nContent-Length: " + b"9" * 5_000,
        b"POST /in/shop HTTP/1.1\r\nContent-Length : 3",
        b"POST /in/shop HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"POST /in/shop HTTP/1.1\r\nX-A: 1\r\n folded",
        b"POST /in/shop HTTP/1.1\r\nX-A: 1\nX-B: 2",
        b"POST /in/shop HTTP/1.1\r\nX-A: \0",
        b"POST /in/shop HTTP/1.1\r\nno field",
        b"POST /in/shop HTTP/1.1\r\n: empty",
        b"GET http://elsewhere/ HTTP/1.1",
        b"get / HTTP/1.1",
        b"GET / HTTP/eleven",
        b"\x16\x03\x01",
    ],
)
def test_what_could_be_understood_in_two_ways_is_refused_and_the_line_closed(lines: Any, head: bytes) -> None:
    line = lines(echo)()

    line.say(head + b"\r\n\r\nabc")

    assert line.answer()[0] == 400
    assert line.ended()


@pytest.mark.parametrize("body", [b"zz\r\nabc", b"-3\r\nabc", b"0x3\r\nabc\r\n0\r\n\r\n", b"3\r\nabcdef\r\n0\r\n\r\n"])
def test_chunks_that_are_none_end_the_line(lines: Any, body: bytes) -> None:
    line = lines(echo)()

    line.say(chunked(end=body))

    assert line.answer()[0] == 500
    assert line.ended()


@pytest.mark.parametrize(
    ("head", "status"),
    [(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n", 414), (b"GET / HTTP/1.1\r\nX-A: " + b"x" * 140_000, 400)],
)
def test_a_head_that_does_not_end_is_not_read_for_ever(lines: Any, head: bytes, status: int) -> None:
    line = lines(echo)()

    line.say(head)

    assert line.answer()[0] == status


def test_a_body_that_nobody_wanted_is_no_request(lines: Any) -> None:
    line = lines(deaf)()

    line.say(post(post(b"", b"/hidden") * 1_000) + post(b"next"))

    assert [line.answer()[0] for _ in range(2)] == [404, 404]


@pytest.mark.parametrize("request_", [post(b"x" * 1_000_001), chunked(b"GET / HTTP/1.1\r\n\r\n")])
def test_after_a_body_that_nobody_wanted_and_whose_end_is_far_the_line_is_closed(lines: Any, request_: bytes) -> None:
    line = lines(deaf)()

    line.say(request_)

    assert line.answer()[1]["connection"] == "close"
    assert line.ended()


def test_a_sender_that_asks_first_is_told_to_go_on(lines: Any) -> None:
    line = lines(echo)()

    line.say(post(b"", more=b"Expect: 100-continue\r\n").replace(b"Content-Length: 0", b"Content-Length: 5"))
    first = line.answer()
    line.say(b"after")

    assert (first[0], line.answer()[2]) == (100, b"POST /in/shop? after")


@pytest.mark.parametrize("begun", [b"", b"POST /in/sh", post(b"whole")[:-1], b"\r\n"])
def test_those_who_connect_and_say_nothing_or_a_part_hold_up_nobody(lines: Any, begun: bytes) -> None:
    open_line = lines(echo, threads=2)
    half_open = [open_line() for _ in range(40)]
    for line in half_open:
        line.say(begun)

    line = open_line()
    for _ in range(3):
        line.say(post(b"here"))
        assert line.answer()[2] == b"POST /in/shop? here"

    rest = post(b"whole")[len(begun) :] if begun != b"\r\n" else post(b"whole")
    half_open[0].say(rest)
    assert half_open[0].answer()[2] == b"POST /in/shop? whole"


@pytest.mark.parametrize("begun", [b"", b"POST /in/sh", post(b"whole")[:-1], post(b"once")])
def test_who_is_silent_for_too_long_is_hung_up_on(lines: Any, begun: bytes) -> None:
    line = lines(echo, silence=1)()

    line.say(begun)
    if begun == post(b"once"):
        line.answer()

    assert line.ended()


def test_who_says_a_large_body_and_falls_silent_is_told_so(lines: Any) -> None:
    line = lines(echo, silence=1)()

    line.say(post(b"x" * 300_000)[:-1])

    assert line._file.readline().startswith(b"HTTP/1.1 408 ")


def test_an_answer_without_a_length_comes_in_parts_as_they_are_made(lines: Any) -> None:
    go_on = threading.Event()

    def stream(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        yield b"first"
        assert go_on.wait(20)
        yield b"second"

    line = lines(stream)()
    line.say(b"GET /events HTTP/1.1\r\n" + HOST + b"\r\n")
    line.answer(head_only=True)
    parts = line.chunks()

    assert next(parts) == b"first"
    go_on.set()
    assert list(parts) == [b"second"]


def test_a_listener_that_hung_up_is_noticed(lines: Any) -> None:
    closed = threading.Event()

    class Stream:
        def __iter__(self) -> Iterator[bytes]:
            return self

        def __next__(self) -> bytes:
            return b"x" * 100_000

        def close(self) -> None:
            closed.set()

    def stream(_environ: Any, start_response: Any) -> Stream:
        start_response("200 OK", [])
        return Stream()

    line = lines(stream)()
    line.say(b"GET /events HTTP/1.1\r\n" + HOST + b"\r\n")
    line.answer(head_only=True)
    line.close()

    assert closed.wait(20)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_leaves_the_line_open(lines: Any, status: str) -> None:
    def empty(_environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [])
        return []

    line = lines(empty)()
    for _ in range(2):
        line.say(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert line.answer(head_only=True)[0] == int(status[:3])


def test_an_application_that_fails_is_500_and_the_next_is_served(lines: Any) -> None:
    def failing(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/fail":
            raise KeyError("broken")
        return echo(environ, start_response)

    open_line = lines(failing, threads=1)
    line = open_line()
    line.say(b"GET /fail HTTP/1.1\r\n" + HOST + b"\r\n")

    assert line.answer()[0] == 500
    assert line.ended()
    second = open_line()
    second.say(post(b"next"))
    assert second.answer()[0] == 200


def test_an_old_client_is_answered_and_hung_up_on(lines: Any) -> None:
    line = lines(echo)()

    line.say(b"GET /old HTTP/1.0\r\n\r\n")

    assert line.answer()[2] == b"GET /old? "
    assert line.ended()


def test_a_client_may_ask_to_be_hung_up_on(lines: Any) -> None:
    line = lines(echo)()

    line.say(post(b"last", more=b"Connection: close\r\n"))

    status, fields, _ = line.answer()
    assert (status, fields["connection"]) == (200, "close")
    assert line.ended()


def test_who_hangs_up_within_a_body_is_no_harm(lines: Any) -> None:
    open_line = lines(echo, threads=1)
    for request in (post(b"x" * 100_000)[:-1], post(b"half")[:-1], chunked(b"abc")[:-8]):
        line = open_line()
        line.say(request)
        line.close()

    line = open_line()
    line.say(post(b"here"))

    assert line.answer()[0] == 200


def test_what_is_under_way_is_answered_before_the_server_stops() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(environ: Any, start_response: Any) -> list[bytes]:
        entered.set()
        assert go_on.wait(20)
        return echo(environ, start_response)

    server = EmbeddedServer(slow, "127.0.0.1", 0)
    line = Line(server.start())
    line.say(post(b"late"))
    assert entered.wait(20)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    go_on.set()

    assert line.answer()[2] == b"POST /in/shop? late"
    stopping.join(20)
    assert not stopping.is_alive()
    line.close()


def test_no_more_than_half_of_the_threads_wait_for_bodies_that_drip(lines: Any) -> None:
    connect = lines(echo, threads=4)
    slow = [connect() for _ in range(8)]
    for line in slow:
        line.say(post(b"x" * 900_000)[:300_000])
    # when all of them go on as slowly as one can
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.1):
            for line in slow:
                with suppress(OSError):
                    line.say(b"x" * 2_000)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        other = connect()
        other.say(post(b"quick"))
        # then somebody else is answered
        assert other.answer()[0] == 200
    finally:
        ended.set()
        thread.join()
