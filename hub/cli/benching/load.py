"""The load, as a process of its own: signed webhooks over kept-alive connections, at once or at a steady rate.

Reads one JSON object on stdin (`Load`), prints one on stdout (`Poured`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import selectors
import socket
import sys
import time
from collections import Counter, deque

import msgspec

from hub.cli.benching import samples

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE = 30.0


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What to send, and where to."""

    port: int
    connection: str
    secret: str
    first: int
    count: int
    seed: int = samples.SEED
    lanes: int = 32
    """Connections that are open at once; each waits for its answer before it sends again."""
    rate: float = 0.0
    """Orders per second; 0 sends as fast as answers come."""


class Poured(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent: the moment of each order (when it was due, where there is a rate), and how many of each status."""

    sent: list[float]
    statuses: dict[str, int]
    ended: float


def requests(load: Load) -> list[bytes]:
    """Return every request, signed, made before the clock starts."""
    made = []
    for number in range(load.first, load.first + load.count):
        body = samples.webhook(number, load.seed)
        signature = hmac.new(load.secret.encode(), body, hashlib.sha256).hexdigest()
        head = (
            f"POST /in/{load.connection} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\nX-Signature: {signature}\r\n"
            f"X-Event-Id: {samples.reference(number)}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


class Pouring:
    """Sends requests over a fixed number of connections, in one thread."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.requests = requests(load)
        self.sent: list[float] = []
        self.statuses: Counter[str] = Counter()
        self._selector = selectors.DefaultSelector()
        self._idle: deque[socket.socket] = deque()
        for _ in range(min(load.lanes, load.count)):
            lane = socket.create_connection(("127.0.0.1", load.port), timeout=PATIENCE)
            lane.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(lane, selectors.EVENT_READ, bytearray())
            self._idle.append(lane)

    def pour(self) -> Poured:
        """Send everything, wait for every answer."""
        begun = time.time()
        while sum(self.statuses.values()) < self.load.count:
            wait = self._send(begun)
            ready = self._selector.select(PATIENCE if wait is None else wait)
            if not ready and wait is None:
                raise TimeoutError(
                    f"no answer for {PATIENCE:.0f} s; {sum(self.statuses.values())} orders were answered"
                )
            for key, _ in ready:
                self._receive(key)
        return Poured(sent=self.sent, statuses=dict(self.statuses), ended=time.time())

    def _send(self, begun: float) -> float | None:
        """Send what is due on idle connections; return the seconds until the next is due, None where answers decide."""
        while self._idle and len(self.sent) < self.load.count:
            now = time.time()
            due = begun + len(self.sent) / self.load.rate if self.load.rate else now
            if due > now:
                return due - now
            self._idle.popleft().sendall(self.requests[len(self.sent)])
            self.sent.append(due)
        return None

    def _receive(self, key: selectors.SelectorKey) -> None:
        lane, buffer = key.fileobj, key.data
        assert isinstance(lane, socket.socket)
        received = lane.recv(65_536)
        if not received:
            raise ConnectionError("the hub closed a connection; look at its log")
        buffer.extend(received)
        end = buffer.find(b"\r\n\r\n")
        length = _LENGTH.search(buffer, 0, end) if end >= 0 else None
        if length is None or len(buffer) < end + 4 + int(length[1]):
            return
        self.statuses[buffer[9:12].decode()] += 1
        buffer.clear()
        self._idle.append(lane)


def main() -> None:
    """Do what stdin says."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(Pouring(load).pour()))


if __name__ == "__main__":
    main()
