"""Answers that the embedded server sends after the call's own thread is through."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.web.embedded.line import post


class Bell:
    """Answers each call later, from a thread of its own, when it is rung: with its body, the last call first."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, bytes]] = []
        self.came = threading.Semaphore(0)

    def __call__(self, environ: Any, _start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))

        def begin(send: Any) -> None:
            self.calls.append((send, body))
            self.came.release()

        environ["hub.later"](begin)
        return []

    def ring(self, times: int, size: int = 0) -> None:
        """Wait for so many calls, then answer them."""
        for _ in range(times):
            assert self.came.acquire(timeout=20)

        def answer() -> None:
            while self.calls:
                send, body = self.calls.pop()
                body = body.ljust(size, b".")
                send("202 Accepted", [("Content-Length", str(len(body))), ("X-Hello", "1")], body)

        thread = threading.Thread(target=answer)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()


def test_one_thread_serves_many_calls_that_are_answered_later(lines: Any) -> None:
    bell = Bell()
    open_line = lines(bell, threads=1)
    some = [open_line() for _ in range(20)]

    for round_ in (b"a", b"b"):
        for at, line in enumerate(some):
            line.say(post(b"%s%d" % (round_, at)))
        bell.ring(20)
        assert [line.answer()[2] for line in some] == [b"%s%d" % (round_, at) for at in range(20)]


def test_a_later_answer_has_the_fields_of_any_other(lines: Any) -> None:
    bell = Bell()
    line = lines(bell)()

    line.say(post(b"one") + post(b"two", more=b"Connection: close\r\n"))
    bell.ring(1)
    status, fields, body = line.answer()
    bell.ring(1)
    last = line.answer()

    assert (status, body, fields["x-hello"], fields["server"]) == (202, b"one", "1", "hub")
    assert fields.keys() == {"content-length", "x-hello", "server", "date"}
    assert (last[1]["connection"], last[2]) == ("close", b"two")
    assert line.ended()


def test_an_old_client_is_answered_later_and_hung_up_on(lines: Any) -> None:
    bell = Bell()
    line = lines(bell)()

    line.say(b"POST /in/shop HTTP/1.0\r\nContent-Length: 3\r\n\r\nold")
    bell.ring(1)

    assert line.answer()[2] == b"old"
    assert line.ended()


def test_who_does_not_take_its_answer_is_hung_up_on_and_nobody_waits_for_it(lines: Any) -> None:
    bell = Bell()
    open_line = lines(bell)
    deaf_line, line = open_line(), open_line()

    deaf_line.say(post(b"deaf"))
    bell.ring(1, size=50_000_000)
    line.say(post(b"here"))
    bell.ring(1)

    assert line.answer()[2] == b"here"
    with pytest.raises((ConnectionResetError, ValueError)):
        deaf_line.read_exactly(50_000_000)


def test_who_hung_up_before_its_answer_is_no_harm(lines: Any) -> None:
    bell = Bell()
    open_line = lines(bell)
    line = open_line()
    line.say(post(b"gone"))
    line.close()
    bell.ring(1)

    line = open_line()
    line.say(post(b"here"))
    bell.ring(1)

    assert line.answer()[2] == b"here"
