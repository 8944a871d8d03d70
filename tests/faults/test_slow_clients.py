"""Clients who open a line and send nothing, or a byte now and then: they wait, nobody else does."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.driver import System, free_port, order_body, until

pytestmark = pytest.mark.faults
HEADS = b"POST /in/shop HTTP/1.1\r\nHost: hub\r\nX-Signature: "
BODIES = b"POST /in/shop HTTP/1.1\r\nHost: hub\r\nX-Signature: 00\r\nContent-Length: 5000\r\n\r\n{"
LARGE_BODIES = BODIES.replace(b"5000", b"9000000") + b"0" * 300_000
CHUNKS = BODIES.replace(b"Content-Length: 5000", b"Transfer-Encoding: chunked")[:-1] + b"fffff\r\n"
LONGEST = 5.0
"""Seconds in which everybody else is answered, on a machine with other work."""


@contextlib.contextmanager
def dawdling(port: int, begin: bytes, count: int) -> Iterator[None]:
    """Keep so many lines open that began a request, each sending one more byte every half second."""
    lines = []
    ended = threading.Event()
    for _ in range(count):
        line = socket.create_connection(("127.0.0.1", port), timeout=5)
        line.sendall(begin)
        lines.append(line)

    def drip() -> None:
        while not ended.wait(0.5):
            for line in lines:
                with contextlib.suppress(OSError):
                    line.send(b"0")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(5)
        for line in lines:
            line.close()


def answers(system: System, names: list[str]) -> list[float]:
    """Return how long each order took to be accepted."""
    seconds = []
    for name in names:
        begun = time.monotonic()
        assert system.post(order_body(name), f"event-{name}") == 202
        seconds.append(time.monotonic() - begun)
    return seconds


def serve_web(system: System) -> None:
    """Start `hub web`, which production puts behind nginx."""
    system.port = free_port()
    system.start("web", ["-m", "hub.cli", "web", "--port", str(system.port)])
    until(lambda: system.post(b"{}", "", "nobody") == 404, 20, "hub web to answer")


def serve_alone(system: System) -> None:
    """Start `hub web` as it stands alone."""
    system.port = free_port()
    system.start("web", ["-m", "hub.cli", "web", "--alone", "--port", str(system.port)])
    until(lambda: system.post(b"{}", "", "nobody") == 404, 20, "hub web to answer")


def serve_embedded(system: System) -> None:
    """Start the server of `hub run`, which stands alone."""
    system.web()


@pytest.mark.parametrize(
    ("serve", "begin"),
    [
        pytest.param(serve_web, HEADS, id="hub web, heads"),
        pytest.param(serve_embedded, HEADS, id="hub run, heads"),
        pytest.param(serve_embedded, BODIES, id="hub run, bodies"),
        pytest.param(serve_embedded, LARGE_BODIES, id="hub run, large bodies"),
        pytest.param(serve_embedded, CHUNKS, id="hub run, chunks"),
        pytest.param(serve_alone, LARGE_BODIES, id="hub web --alone, large bodies"),
    ],
)
def test_those_who_dawdle_hold_up_nobody_else(on_sqlite: System, serve: Callable[[System], None], begin: bytes) -> None:
    system = on_sqlite
    serve(system)
    system.worker()
    names = [f"S-{at}" for at in range(10)]
    with dawdling(system.port, begin, 150 if begin in (HEADS, BODIES) else 40):
        took = answers(system, names)
    assert max(took) < LONGEST
    system.quiet(10)
    system.verify(names)
