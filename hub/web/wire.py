"""The bytes of one connection to the embedded server: what has arrived, what leaves, and how a head and a body read.

What two readers could understand differently is refused: lengths that are no numbers or come twice, a length beside
chunks, folded lines, names with spaces. Names with underscores are left out, as nginx does.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from io import RawIOBase
from threading import BoundedSemaphore
from typing import Any

AT_ONCE = 65_536
"""Bytes that are asked of a socket at once, and the longest head."""
WHOLE = 262_144
"""The body that is waited for without a thread; of a larger one the rest is read by a thread, within bounds."""
GRACE, SLOWEST = 1.0, 8_192
"""Seconds that a thread may wait for one body, and how many bytes must have come for each second beyond."""
LONGEST_LINE = 1_000
"""Bytes of a line between chunks."""
LINE_END, HEAD_END = b"\r\n", b"\r\n\r\n"
_FIELD = re.compile(rb"([!#$%&'*+\-.^`|~0-9A-Za-z_]+):([^\r\n\0]*)\r\n")
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_UNSIZED = re.compile(rb"\r\n(?:Transfer-Encoding|Expect):", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_ONCE = (b"Content-Length", b"Transfer-Encoding", b"Host", b"Content-Type")


class Reader:
    """What has arrived on a socket and was not read yet."""

    def __init__(self, sock: Any) -> None:
        self._socket = sock
        self._held = b""
        self._ended = False
        self.closed = False
        self.bytes_read = 0
        self.slow: BoundedSemaphore | None = None
        """How many threads of the server may wait for slow bodies at the same time."""
        self._waited, self._got, self._is_slow = 0.0, 0, False
        self.began = 0.0
        """Since when a request that has begun is not whole, in seconds since 1970; 0 while there is none."""

    def arrive(self) -> bool:
        """Take what is there without waiting; say whether a thread has something to do with it."""
        while not self._ended and not self.has_data():
            try:
                more = os.read(self._socket.fileno(), AT_ONCE)
            except BlockingIOError:
                break
            self._held += more
            self._ended = not more
        is_ready = self._ended or self.has_data()
        self.began = 0.0 if is_ready or not self._held else self.began or time.time()
        return is_ready

    def has_data(self) -> bool:
        """Say whether a whole request is held, or so much of one that somebody has to read on."""
        end = self._held.find(HEAD_END)
        if end < 0:
            return len(self._held) > AT_ONCE
        length = _LENGTH.search(self._held, 0, end + len(LINE_END))
        if length is None or _UNSIZED.search(self._held, 0, end):
            return True
        return len(self._held) - end - len(HEAD_END) >= min(int(length[1]), WHOLE)

    def readline(self, size: int = LONGEST_LINE) -> bytes:
        """Return the next line with its end, or as many bytes of it as are asked for."""
        while (end := self._held.find(b"\n", 0, size) + 1) == 0 and len(self._held) < size and self._more():
            pass
        return self._take(end or size)

    def head(self) -> bytes:
        """Return the rest of a head with its empty line; nothing where it does not end, or not soon enough."""
        while not self._held.startswith(LINE_END):
            if (end := self._held.find(HEAD_END)) >= 0:
                return self._take(end + len(HEAD_END))
            if len(self._held) > AT_ONCE or not self._more():
                return b""
        return self._take(len(LINE_END))

    def read(self, size: int) -> bytes:
        """Return so many bytes; fewer only where the sender ended before."""
        if len(self._held) >= size:
            return self._take(size)
        parts = [self._held]
        left, self._held = size - len(self._held), b""
        while left and (part := self._received(min(left, AT_ONCE))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Say that nothing is read any more; the connection closes its socket itself."""
        self.closed = True

    def done(self) -> None:
        """Note that a request was read: the next one has a time of its own."""
        self._waited, self._got = 0.0, 0
        if self._is_slow and self.slow is not None:
            self._is_slow = False
            self.slow.release()

    def _received(self, size: int) -> bytes:
        """Wait for more; TimeoutError where it comes so slowly that too many threads would wait for such as this."""
        patience, begun, before = self._socket.gettimeout(), time.monotonic(), self._waited
        part: bytes | None = None
        while part is None:
            self._socket.settimeout(min(GRACE, patience))
            with suppress(TimeoutError):
                part = self._socket.recv(size)
            silent = time.monotonic() - begun
            self._waited = before + silent
            self._got += len(part or b"")
            if (part is None and silent >= patience) or not self._may_wait():
                raise TimeoutError("timed out")
        self._socket.settimeout(patience)
        return part

    def _may_wait(self) -> bool:
        """Say whether a thread may go on waiting for this body: for a moment each may."""
        if self._waited <= GRACE:
            return True
        if not self._is_slow:
            self._is_slow = self.slow is None or self.slow.acquire(blocking=False)
        return self._is_slow and self._got >= (self._waited - GRACE) * SLOWEST

    def _more(self) -> bool:
        more = self._received(AT_ONCE)
        self._held += more
        return bool(more)

    def _take(self, size: int) -> bytes:
        taken, self._held = self._held[:size], self._held[size:]
        return taken


class Writer:
    """Sends at once; between `hold` and `flush`, in one piece."""

    def __init__(self, sock: Any) -> None:
        self._socket = sock
        self._held: list[bytes] | None = None
        self.bytes_written = 0

    def hold(self) -> None:
        """Keep what is written until `flush`."""
        self._held = []

    def write(self, data: bytes) -> None:
        """Send, or keep."""
        if self._held is None:
            self._socket.sendall(data)
        else:
            self._held.append(data)

    def flush(self) -> None:
        """Send what was kept, if anything was."""
        held, self._held = self._held, None
        if held:
            self._socket.sendall(b"".join(held))


class Chunks(RawIOBase):
    """A body in chunks. ValueError: they are not as HTTP asks."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._left = 0
        self.ended = False

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; 0 at the end."""
        if not self._left and not self.ended:
            self._next()
        if self.ended:
            return 0
        part = self._reader.read(min(len(buffer), self._left))
        if not part:
            raise ConnectionResetError("the sender ended within a chunk")
        buffer[: len(part)] = part
        self._left -= len(part)
        if not self._left and self._reader.readline() != LINE_END:
            raise ValueError("a chunk is not as long as it says")
        return len(part)

    def _next(self) -> None:
        size = self._reader.readline().partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(size):
            raise ValueError("the size of a chunk is not a number")
        self._left = int(size, 16)
        self.ended = not self._left
        while self.ended and self._reader.readline() not in (LINE_END, b""):
            pass  # what follows the last chunk is left out


class Fields:
    """Reads the fields of a head; cheroot answers 400 to a ValueError."""

    def __call__(self, lines: Any, fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
        head = lines.rfile.head()
        if not head:
            raise ValueError("The head of the request does not end.")
        for name, value in _parsed(head):
            known = fields.get(name)
            if known is not None:
                if name in _ONCE:
                    raise ValueError(f"{name.decode()} comes twice.")
                value = known + (b"; " if name == b"Cookie" else b", ") + value
            fields[name] = value
        length = fields.get(b"Content-Length")
        if length is not None and (b"Transfer-Encoding" in fields or not length.isdigit()):
            raise ValueError("Content-Length is not a number, or stands beside Transfer-Encoding.")
        return fields


def _parsed(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = 0, len(head) - len(LINE_END)
    while at < end:
        found = _FIELD.match(head, at)
        if found is None:
            raise ValueError("A line of the head is not a field.")
        if b"_" not in found[1]:
            yield found[1].title(), found[2].strip(b" \t")
        at = found.end()
