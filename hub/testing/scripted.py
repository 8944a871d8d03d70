"""A partner that misbehaves as told: a list of steps, one for each request; later requests get the last step."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from hub.testing.serve import Answer, Call

LONGEST = 60.0
"""No step keeps a thread for longer, in seconds."""


class Step(Protocol):
    """What the partner does with one request that it has read; returns whether the line stays open."""

    def play(self, sock: socket.socket, ended: threading.Event) -> bool:
        """Answer, or not."""


@dataclass(frozen=True, kw_only=True)
class Say:
    """A whole answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    keep_alive: bool = True

    def play(self, sock: socket.socket, ended: threading.Event) -> bool:
        sock.sendall(_written(self.status, self.body, self.headers))
        return self.keep_alive


@dataclass(frozen=True, kw_only=True)
class Raw:
    """These bytes and nothing else, whatever they are: garbage, half an answer; then the line is closed."""

    data: bytes
    keep_alive: bool = False

    def play(self, sock: socket.socket, ended: threading.Event) -> bool:
        sock.sendall(self.data)
        return self.keep_alive


@dataclass(frozen=True, kw_only=True)
class Drip:
    """An answer in pieces of `size` bytes, `every` seconds: each read succeeds, the whole never ends in time."""

    body: bytes
    every: float = 0.05
    size: int = 1

    def play(self, sock: socket.socket, ended: threading.Event) -> bool:
        data = _written(200, self.body, {})
        for start in range(0, len(data), self.size):
            if ended.wait(self.every):
                return False
            sock.sendall(data[start : start + self.size])
        return True


@dataclass(frozen=True, kw_only=True)
class Flood:
    """An answer that is `size` bytes long, made as it is sent; with or without saying its length."""

    size: int = 1_000_000_000
    announced: bool = False
    status: int = 200

    def play(self, sock: socket.socket, ended: threading.Event) -> bool:
        length = f"Content-Length: {self.size}\r\n" if self.announced else "Transfer-Encoding: chunked\r\n"
        sock.sendall(f"HTTP/1.1 {self.status} Flood\r\nContent-Type: text/plain\r\n{length}\r\n".encode())
        piece = b"x" * 65_536
        chunk = piece if self.announced else b"10000\r\n" + piece + b"\r\n"
        for _ in range(self.size // len(piece)):
            if ended.is_set():
                return False
            sock.sendall(chunk)
        return False


@dataclass(frozen=True, kw_only=True)
class Reset:
    """A TCP reset in place of an answer."""

    def play(self, sock: socket.socket, ended: threading.Event) -> bool:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


@dataclass(frozen=True, kw_only=True)
class Hang:
    """No answer at all while the line stays open."""

    def play(self, sock: socket.socket, ended: threading.Event) -> bool:
        ended.wait(LONGEST)
        return False


@dataclass(frozen=True, kw_only=True)
class Close:
    """The line is closed without an answer."""

    def play(self, sock: socket.socket, ended: threading.Event) -> bool:
        return False


class Scripted:
    """A fake partner on 127.0.0.1. `calls` holds every request that was read whole; `lines` counts connections."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.calls: list[Call] = []
        self.lines = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Begin to accept."""
        self._start(self._accept)

    def stop(self) -> None:
        """Close everything."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            still = list(self._open)
        for sock in still:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True, name="hub-testing-scripted")  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(sock)
                self.lines += 1
            self._start(self._talk, sock)

    def _talk(self, sock: socket.socket) -> None:
        reader = sock.makefile("rb")
        try:
            while (call := _read_call(reader)) is not None:
                with self._lock:
                    step = self._steps[min(len(self.calls), len(self._steps) - 1)]
                    self.calls.append(call)
                if not step.play(sock, self._ended):
                    return
        except OSError:
            return
        finally:
            reader.close()
            with self._lock:
                self._open.discard(sock)
            sock.close()


@contextmanager
def scripted(*steps: Step) -> Iterator[Scripted]:
    """Run a scripted partner; yield it (`url`, `calls`, `lines`)."""
    partner = Scripted(steps or (Say(),))
    partner.start()
    try:
        yield partner
    finally:
        partner.stop()


def said(answer: Answer) -> Say:
    """Return the step that gives a simulator's answer."""
    return Say(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type, **answer.headers})


class _Reader(Protocol):
    def readline(self, size: int, /) -> bytes: ...
    def read(self, size: int, /) -> bytes: ...


def _read_call(reader: _Reader) -> Call | None:
    """Read one request; None where the line ended."""
    first = reader.readline(65_536).decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while line := reader.readline(65_536).rstrip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    body = reader.read(length) if length else b""
    if len(body) < length:
        return None
    target = urlsplit(first[1])
    return Call(method=first[0], path=target.path, query=dict(parse_qsl(target.query)), headers=headers, body=body)


def _written(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Status"
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{head}\r\n".encode() + body
