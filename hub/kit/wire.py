"""HTTP/1.1 on a socket: one kept-alive line to one origin, and what is said on it, with a byte cap.

Nothing here waits: `Line.talk` is a generator that yields what it waits for, so that one thread can wait for many
lines (`hub.kit.abreast`) or for one (`Line.converse`), within a total deadline.
The standard library's parser builds an e-mail message for every answer; this reads only what the kit needs.
Rules: RFC 9112 (message syntax), RFC 9110 (which statuses and methods have no body).
"""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Generator, Mapping
from select import POLLIN, POLLOUT, poll
from time import monotonic
from types import MappingProxyType
from typing import TypeVar

HEAD_CAP = 65_536
RECEIVE = 65_536
MOST_INTERIM = 8
LONGEST_WAIT_MS = 600_000
T = TypeVar("T")
Waiting = Generator[int, None, T]
"""Yields POLLIN or POLLOUT where it waits for its line. Throw TimeoutError into it when the deadline has passed."""


class Closed(Exception):
    """The other side closed before a byte of the answer came."""


class Garbled(Exception):
    """What came is not an HTTP/1.1 answer, or it broke off."""


class OverCap(Exception):
    """The answer has more bytes than the cap."""


class Head:
    """Status, header fields (names in lower case; repeated ones joined by a comma) and what they say of the body."""

    __slots__ = ("headers", "is_chunked", "is_kept_alive", "is_packed", "length", "status")

    def __init__(self, version: str, status: int, fields: Mapping[str, str]) -> None:
        self.status = status
        self.headers = fields
        said = fields.get("connection", "").lower()
        self.is_kept_alive = "close" not in said and (version != "HTTP/1.0" or "keep-alive" in said)
        self.is_chunked = "chunked" in fields.get("transfer-encoding", "").lower()
        self.is_packed = fields.get("content-encoding", "").lower() in ("gzip", "x-gzip")
        self.length = fields.get("content-length")


class Answer:
    """Status, header fields and body as received.

    `broken` is what went wrong while the body was read, where the status had already come.
    """

    __slots__ = ("body", "broken", "headers", "status")

    def __init__(self, head: Head) -> None:
        self.status = head.status
        self.headers = head.headers
        self.body = b""
        self.broken: Exception | None = None


class Line:
    """One connection to an origin. Not shared: a thread owns it while it talks."""

    __slots__ = ("_buffer", "_encrypted", "_heard", "_poll", "_sock", "_wanted", "idle_since", "reusable")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._encrypted = isinstance(sock, ssl.SSLSocket)
        self._buffer = b""
        self._heard: tuple[bytes, Head] | None = None
        self._poll = poll()
        self._poll.register(sock, POLLIN)
        self._wanted = POLLIN
        self.reusable = False
        self.idle_since = 0.0

    def fileno(self) -> int:
        """Return the number by which the line is waited for."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def __del__(self) -> None:
        self._sock.close()

    def is_quiet(self) -> bool:
        """Say whether an idle line has nothing to read; a closed one has, and is not worth sending on."""
        return not self._is_ready(POLLIN, 0)

    def converse(self, method: str, data: bytes, *, cap: int, ends: float) -> Answer:
        """Talk once and wait for it, until `ends` (a `time.monotonic()` instant)."""
        return self._waited(self.talk(method, data, cap), ends)

    def receive(self, method: str, *, cap: int, ends: float) -> Answer:
        """Read one answer and wait for it."""
        return self._waited(self._receive(method, cap), ends)

    def talk(self, method: str, data: bytes, cap: int) -> Waiting[Answer]:
        """Send a request and read its answer; raises Closed, Garbled or OSError where not even a status came."""
        self.reusable = False
        try:
            yield from self._send(data)
        except ConnectionError as error:
            # An answer may still lie there: many refuse a body without reading it.
            try:
                return (yield from self._receive(method, cap))
            except (OSError, Closed, Garbled):
                raise error from None
        return (yield from self._receive(method, cap))

    def _waited(self, talk: Waiting[Answer], ends: float) -> Answer:
        try:
            wanted = next(talk)
            while True:
                seconds = ends - monotonic()
                if seconds <= 0:
                    wanted = talk.throw(TimeoutError("the deadline has passed"))
                elif self._is_ready(wanted, seconds):
                    wanted = next(talk)
        except StopIteration as done:
            answer: Answer = done.value
            return answer

    def _is_ready(self, wanted: int, seconds: float) -> bool:
        if wanted != self._wanted:
            self._poll.modify(self._sock, wanted)
            self._wanted = wanted
        return bool(self._poll.poll(min(seconds * 1000, LONGEST_WAIT_MS)))

    def _send(self, data: bytes) -> Waiting[None]:
        rest: bytes | memoryview = data
        while True:
            try:
                sent = self._sock.send(rest)
            except (BlockingIOError, ssl.SSLWantWriteError):
                yield POLLOUT
            except ssl.SSLWantReadError:
                yield POLLIN
            else:
                if sent == len(rest):
                    return
                rest = memoryview(rest)[sent:]

    def _more(self) -> Waiting[bytes]:
        """Return what comes next; TLS may hold what it has read of the socket already."""
        if not isinstance(self._sock, ssl.SSLSocket) or not self._sock.pending():
            yield POLLIN
        while True:
            try:
                return self._sock.recv(RECEIVE)
            except (BlockingIOError, ssl.SSLWantReadError):
                yield POLLIN
            except ssl.SSLWantWriteError:
                yield POLLOUT

    def _receive(self, method: str, cap: int) -> Waiting[Answer]:
        self.reusable = False
        for _ in range(MOST_INTERIM):
            head = self._parsed((yield from self._read_head()))
            if head.status >= 200:
                break
        else:
            raise Garbled("only interim answers came")
        answer = Answer(head)
        try:
            framed = yield from self._read_body(method, head, answer, cap)
            if head.is_packed:
                answer.body = _inflated(answer.body, cap)
        except (OSError, Garbled, OverCap) as error:
            answer.broken = error
            return answer
        self.idle_since = monotonic()
        self.reusable = framed and not self._buffer and head.is_kept_alive
        return answer

    def _parsed(self, data: bytes) -> Head:
        """Return what these bytes say; a destination says much the same every time."""
        if self._heard is not None and self._heard[0] == data:
            return self._heard[1]
        self._heard = data, _parse(data)
        return self._heard[1]

    def _read_head(self) -> Waiting[bytes]:
        data = self._buffer
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > HEAD_CAP:
                raise Garbled("its header fields are too long")
            try:
                more = yield from self._more()
            except ConnectionError as error:
                raise (Garbled(str(error)) if data else Closed(str(error))) from error
            if not more:
                raise Garbled("it broke off within the header fields") if data else Closed("closed without an answer")
            data += more
        self._buffer = data[end + 4 :]
        return data[:end]

    def _read_body(self, method: str, head: Head, answer: Answer, cap: int) -> Waiting[bool]:
        """Read the body; say whether its end was known without closing."""
        if method == "HEAD" or head.status in (204, 304):
            return True
        if head.is_chunked:
            answer.body = yield from self._read_chunks(answer, cap)
            return head.length is None
        if head.length is None:
            answer.body = yield from self._read_to_end(answer, cap)
            return False
        if not head.length.isdecimal():
            raise Garbled(f"its Content-Length is {head.length[:40]!r}")
        answer.body = yield from self._read_exactly(answer, int(head.length), cap)
        return True

    def _read_exactly(self, answer: Answer, length: int, cap: int) -> Waiting[bytes]:
        if length > cap:
            answer.body = self._buffer[:4096]
            raise OverCap(f"{length} bytes are announced, at most {cap} are taken")
        data = self._buffer
        if len(data) >= length:
            self._buffer = data[length:]
            return data[:length]
        parts, got = [data], len(data)
        self._buffer, answer.body = b"", data[:4096]
        while got < length:
            more = yield from self._more()
            if not more:
                raise Garbled(f"it broke off after {got} of {length} bytes")
            parts.append(more)
            got += len(more)
        whole = b"".join(parts)
        self._buffer = whole[length:]
        return whole[:length]

    def _read_to_end(self, answer: Answer, cap: int) -> Waiting[bytes]:
        parts, got = [self._buffer], len(self._buffer)
        self._buffer = b""
        while more := (yield from self._more()):
            parts.append(more)
            got += len(more)
            if got > cap:
                answer.body = parts[0] or parts[1]
                raise OverCap(f"more than {cap} bytes came")
        return b"".join(parts)

    def _read_chunks(self, answer: Answer, cap: int) -> Waiting[bytes]:
        parts: list[bytes] = []
        got = 0
        while size := _chunk_size((yield from self._read_text_line())):
            got += size
            if got > cap:
                answer.body = b"".join(parts)[:4096]
                raise OverCap(f"more than {cap} bytes came")
            parts.append((yield from self._read_exactly(answer, size, cap)))
            if (yield from self._read_text_line()):
                raise Garbled("a chunk is longer than it says")
        for _ in range(100):
            if not (yield from self._read_text_line()):
                return b"".join(parts)
        raise Garbled("its trailer does not end")

    def _read_text_line(self) -> Waiting[bytes]:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > HEAD_CAP:
                raise Garbled("a chunk's length line is too long")
            more = yield from self._more()
            if not more:
                raise Garbled("it broke off within a chunk")
            self._buffer += more
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line


def _parse(data: bytes) -> Head:
    lines = data.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not status.isdecimal() or len(status) != 3:
        raise Garbled(f"it does not begin like HTTP: {lines[0][:60]!r}")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name[-1] in " \t" or name[0] in " \t":
            raise Garbled(f"a header field is malformed: {line[:60]!r}")
        name, value = name.lower(), value.strip()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return Head(version, int(status), MappingProxyType(fields))


def _chunk_size(line: bytes) -> int:
    digits = line.split(b";", 1)[0].strip()
    if not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
        raise Garbled(f"a chunk's length is {line[:40]!r}")
    return int(digits, 16)


def _inflated(packed: bytes, cap: int) -> bytes:
    """Return the body without gzip, which some send unasked; never more than the cap."""
    if not packed:
        return packed
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(packed, cap + 1)
    except zlib.error as error:
        raise Garbled(f"its gzip body is damaged ({error})") from error
    if len(body) > cap:
        raise OverCap(f"more than {cap} bytes unpacked")
    if not inflater.eof:
        raise Garbled("its gzip body broke off")
    return body
