"""TLS on the loopback interface, with certificates made for the test."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from hub.domain.errors import InDoubt, Paused, RetryLater
from hub.kit.http import GuardedHttp, Limits
from hub.testing.fakes import LOOPBACK

Certificate = Callable[[str], tuple[Path, Path]]
Trust = Callable[[Path], None]
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'


@pytest.fixture
def trusted(certificate: Certificate, trust: Trust) -> tuple[Path, Path]:
    cert, key = certificate("127.0.0.1")
    trust(cert)
    return cert, key


@contextmanager
def partner(cert: Path, key: Path, answers: list[bytes]) -> Iterator[str]:
    """Serve one TLS line: an answer for each request, then silence for a second, then the end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def run() -> None:
        sock, _ = listener.accept()
        try:
            with context.wrap_socket(sock, server_side=True) as line:
                for answer in answers:
                    if not line.recv(200_000):
                        return
                    line.sendall(answer)
                ended.wait(1)
        except OSError:
            sock.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        thread.join(5)
        listener.close()


def test_a_trusted_partner_is_talked_to_on_one_line(trusted: tuple[Path, Path]) -> None:
    with partner(*trusted, [ANSWER, ANSWER]) as url:
        http = GuardedHttp(url, networks=LOOPBACK)
        assert http.get("/a") == {"ok": True}
        assert http.post("/b", {"x": 1}) == {"ok": True}
        http.close()


def test_a_certificate_that_nobody_vouches_for_pauses_the_connection(certificate: Certificate) -> None:
    with partner(*certificate("127.0.0.1"), [ANSWER]) as url, pytest.raises(Paused, match="not trusted"):
        GuardedHttp(url, networks=LOOPBACK).post("/orders", {})


def test_a_certificate_of_another_name_pauses_the_connection(certificate: Certificate, trust: Trust) -> None:
    cert, key = certificate("127.0.0.2")
    trust(cert)
    with partner(cert, key, [ANSWER]) as url, pytest.raises(Paused, match="mismatch"):
        GuardedHttp(url, networks=LOOPBACK).post("/orders", {})


def test_a_server_that_does_not_speak_tls_is_tried_later() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(1000)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    with listener, pytest.raises(RetryLater, match="nothing was sent"):
        GuardedHttp(f"https://127.0.0.1:{listener.getsockname()[1]}", networks=LOOPBACK).post("/orders", {})
    thread.join(5)


def test_silence_over_tls_ends_at_the_deadline(trusted: tuple[Path, Path]) -> None:
    began = monotonic()
    with partner(*trusted, []) as url, pytest.raises(InDoubt, match="deadline"):
        GuardedHttp(url, networks=LOOPBACK, limits=Limits(deadline=0.3)).post("/orders", {})
    assert monotonic() - began < 1.5
