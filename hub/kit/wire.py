"""HTTP/1.1 on a socket: one kept-alive line to one origin, a total deadline and a byte cap.

The standard library's parser builds an e-mail message for every answer; this reads only what the kit needs.
Rules: RFC 9112 (message syntax), RFC 9110 (which statuses and methods have no body).
"""

from __future__ import annotations

import select
import socket
import ssl
import zlib
from time import monotonic

from hub.kit.guard import left

HEAD_CAP = 65_536
RECEIVE = 65_536
TLS_RECORD = 16_384
MOST_INTERIM = 8


class Closed(Exception):
    """The other side closed before a byte of the answer came."""


class Garbled(Exception):
    """What came is not an HTTP/1.1 answer, or it broke off."""


class OverCap(Exception):
    """The answer has more bytes than the cap."""


class Answer:
    """Status, header fields (names in lower case; repeated ones joined by a comma) and body as received.

    `broken` is what went wrong while the body was read, where the status had already come.
    """

    __slots__ = ("body", "broken", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers
        self.body = b""
        self.broken: Exception | None = None


class Line:
    """One connection to an origin. Not shared: a thread owns it while it talks."""

    __slots__ = ("_buffer", "_encrypted", "_sock", "idle_since", "reusable", "served")

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._encrypted = isinstance(sock, ssl.SSLSocket)
        self._buffer = b""
        self.reusable = False
        self.served = 0
        self.idle_since = 0.0

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def __del__(self) -> None:
        self._sock.close()

    def is_quiet(self) -> bool:
        """Say whether an idle line has nothing to read; a closed one has, and is not worth sending on."""
        ready = select.poll()
        ready.register(self._sock, select.POLLIN)
        return not ready.poll(0)

    def send(self, data: bytes, ends: float) -> None:
        """Send everything before `ends`."""
        if not self._encrypted:
            self._sock.settimeout(left(ends))
            self._sock.sendall(data)
            return
        view = memoryview(data)
        while view:
            self._sock.settimeout(left(ends))
            view = view[self._sock.send(view[:TLS_RECORD]) :]

    def receive(self, method: str, *, cap: int, ends: float) -> Answer:
        """Read one answer; raises Closed, Garbled or OSError where not even a status came."""
        self.reusable = False
        for _ in range(MOST_INTERIM):
            version, answer = _parse(self._read_head(ends))
            if answer.status >= 200:
                break
        else:
            raise Garbled("only interim answers came")
        try:
            framed = self._read_body(method, answer, cap, ends)
            answer.body = _inflated(answer, cap)
        except (OSError, Garbled, OverCap) as error:
            answer.broken = error
            return answer
        self.served += 1
        self.idle_since = monotonic()
        self.reusable = framed and not self._buffer and _keeps_alive(version, answer.headers)
        return answer

    def _more(self, ends: float) -> bytes:
        self._sock.settimeout(left(ends))
        return self._sock.recv(RECEIVE)

    def _read_head(self, ends: float) -> bytes:
        data = self._buffer
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > HEAD_CAP:
                raise Garbled("its header fields are too long")
            try:
                more = self._more(ends)
            except ConnectionError as error:
                raise (Garbled(str(error)) if data else Closed(str(error))) from error
            if not more:
                raise Garbled("it broke off within the header fields") if data else Closed("closed without an answer")
            data += more
        self._buffer = data[end + 4 :]
        return data[:end]

    def _read_body(self, method: str, answer: Answer, cap: int, ends: float) -> bool:
        """Read the body; say whether its end was known without closing."""
        if method == "HEAD" or answer.status in (204, 304):
            return True
        if "chunked" in answer.headers.get("transfer-encoding", "").lower():
            answer.body = self._read_chunks(answer, cap, ends)
            return "content-length" not in answer.headers
        length = answer.headers.get("content-length")
        if length is None:
            answer.body = self._read_to_end(answer, cap, ends)
            return False
        if not length.isdecimal():
            raise Garbled(f"its Content-Length is {length[:40]!r}")
        answer.body = self._read_exactly(answer, int(length), cap, ends)
        return True

    def _read_exactly(self, answer: Answer, length: int, cap: int, ends: float) -> bytes:
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
            more = self._more(ends)
            if not more:
                raise Garbled(f"it broke off after {got} of {length} bytes")
            parts.append(more)
            got += len(more)
        whole = b"".join(parts)
        self._buffer = whole[length:]
        return whole[:length]

    def _read_to_end(self, answer: Answer, cap: int, ends: float) -> bytes:
        parts, got = [self._buffer], len(self._buffer)
        self._buffer = b""
        while more := self._more(ends):
            parts.append(more)
            got += len(more)
            if got > cap:
                answer.body = parts[0] or parts[1]
                raise OverCap(f"more than {cap} bytes came")
        return b"".join(parts)

    def _read_chunks(self, answer: Answer, cap: int, ends: float) -> bytes:
        parts: list[bytes] = []
        got = 0
        while size := _chunk_size(self._read_text_line(ends)):
            got += size
            if got > cap:
                answer.body = b"".join(parts)[:4096]
                raise OverCap(f"more than {cap} bytes came")
            parts.append(self._read_exactly(answer, size, cap, ends))
            if self._read_text_line(ends):
                raise Garbled("a chunk is longer than it says")
        for _ in range(100):
            if not self._read_text_line(ends):
                return b"".join(parts)
        raise Garbled("its trailer does not end")

    def _read_text_line(self, ends: float) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > HEAD_CAP:
                raise Garbled("a chunk's length line is too long")
            more = self._more(ends)
            if not more:
                raise Garbled("it broke off within a chunk")
            self._buffer += more
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line


def _parse(head: bytes) -> tuple[str, Answer]:
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not status.isdecimal() or len(status) != 3:
        raise Garbled(f"it does not begin like HTTP: {lines[0][:60]!r}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name[-1] in " \t" or name[0] in " \t":
            raise Garbled(f"a header field is malformed: {line[:60]!r}")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return version, Answer(int(status), headers)


def _keeps_alive(version: str, headers: dict[str, str]) -> bool:
    said = headers.get("connection")
    if said is None:
        return version != "HTTP/1.0"
    return "close" not in said.lower() and (version != "HTTP/1.0" or "keep-alive" in said.lower())


def _chunk_size(line: bytes) -> int:
    digits = line.split(b";", 1)[0].strip()
    if not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
        raise Garbled(f"a chunk's length is {line[:40]!r}")
    return int(digits, 16)


def _inflated(answer: Answer, cap: int) -> bytes:
    """Return the body without gzip, which some send unasked; never more than the cap."""
    if answer.headers.get("content-encoding", "identity").lower() not in ("gzip", "x-gzip") or not answer.body:
        return answer.body
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(answer.body, cap + 1)
    except zlib.error as error:
        raise Garbled(f"its gzip body is damaged ({error})") from error
    if len(body) > cap:
        raise OverCap(f"more than {cap} bytes unpacked")
    if not inflater.eof:
        raise Garbled("its gzip body broke off")
    return body
