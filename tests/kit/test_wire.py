"""The reader of HTTP answers, against arbitrary bytes in arbitrary pieces."""

from __future__ import annotations

import socket
import threading
from itertools import pairwise
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.kit.wire import Answer, Closed, Garbled, Line, OverCap

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;ext\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"
TO_THE_END = b"HTTP/1.0 200 OK\r\n\r\nhello"


def read(data: bytes, cuts: list[int], *, method: str = "GET", cap: int = 1000) -> tuple[Answer, bool]:
    """Send `data` in pieces to a line, close, and return the answer and whether the line may be used again."""
    near, far = socket.socketpair()

    def feed() -> None:
        with far:
            places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
            for start, end in pairwise(places):
                try:
                    far.sendall(data[start:end])
                except OSError:
                    return

    thread = threading.Thread(target=feed)
    thread.start()
    line = Line(near)
    try:
        answer = line.receive(method, cap=cap, ends=monotonic() + 5)
        return answer, line.reusable
    finally:
        line.close()
        thread.join(5)


pieces = st.lists(st.integers(0, 200), max_size=6)


@pytest.mark.parametrize("data", [PLAIN, CHUNKED, TO_THE_END], ids=["length", "chunks", "to the end"])
@given(cuts=pieces)
@settings(max_examples=40, deadline=None)
def test_an_answer_reads_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    answer, reusable = read(data, cuts)
    assert (answer.status, answer.body, answer.broken) == (200, b"hello", None)
    assert reusable == (data != TO_THE_END)


def test_repeated_fields_are_joined() -> None:
    assert read(PLAIN, [])[0].headers == {"content-length": "5", "x-a": "1, 2"}


@given(data=st.binary(max_size=300), cuts=pieces)
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_are_an_answer_or_garbled_and_nothing_else(data: bytes, cuts: list[int]) -> None:
    for start in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        try:
            answer, _ = read(start + data, cuts)
        except (Closed, Garbled):
            continue
        assert answer.broken is None or isinstance(answer.broken, Garbled | OverCap | OSError)


@given(end=st.integers(0, len(CHUNKED) - 1))
@settings(max_examples=40, deadline=None)
def test_an_answer_that_breaks_off_is_never_taken_for_whole(end: int) -> None:
    try:
        answer, reusable = read(CHUNKED[:end], [])
    except (Closed, Garbled):
        return
    assert answer.broken is not None
    assert not reusable


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", "chunk's length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", "chunk's length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n", "longer than it says"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "gzip"),
    ],
)
def test_a_body_of_doubtful_length_is_broken(data: bytes, reason: str) -> None:
    answer, reusable = read(data, [])
    assert reason in str(answer.broken)
    assert not reusable


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 200_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
    ],
    ids=["version", "short status", "status", "folded", "space before colon", "no colon", "huge head", "only interim"],
)
def test_a_head_that_is_not_http_is_garbled(data: bytes) -> None:
    with pytest.raises(Garbled):
        read(data, [])


def test_a_line_with_bytes_left_over_is_not_used_again() -> None:
    assert read(PLAIN + b"HTTP/1.1 200 OK\r\n\r\n", [])[1] is False


def test_both_lengths_at_once_end_the_line() -> None:
    both = CHUNKED.replace(b"\r\n\r\n2", b"\r\nContent-Length: 5\r\n\r\n2", 1)
    answer, reusable = read(both, [])
    assert (answer.body, reusable) == (b"hello", False)


def test_head_has_no_body() -> None:
    answer, reusable = read(PLAIN[: -len("hello")], [], method="HEAD")
    assert (answer.body, answer.broken, reusable) == (b"", None, True)
