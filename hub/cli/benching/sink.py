"""A destination that takes orders, as a process of its own: one thread, sockets only, so that it costs little.

It keeps what it has by Idempotency-Key, as a good API does, and says when each document arrived and under how many
keys. `GET /count` answers how many documents it has, `GET /arrivals` everything (see `Arrivals`).
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_KEY = re.compile(rb"\r\nidempotency-key: *([^\r\n]*)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@dataclass(kw_only=True)
class Arrivals:
    """What arrived: requests as they came, and the documents that had an effect."""

    requests: list[tuple[float, bytes, list[str], bytes]] = field(default_factory=list)
    """When (seconds since 1970), path, keys, body."""
    effects: dict[str, int] = field(default_factory=dict)
    """By key: the id that we gave it."""
    repeats: int = 0

    def take(self, path: bytes, keys: list[str], body: bytes) -> bytes:
        """Note one request and return the answer; a key that is known gets its first id and has no effect."""
        now = time.time()
        for key in keys:
            if key in self.effects:
                self.repeats += 1
            else:
                self.effects[key] = len(self.effects) + 1
        self.requests.append((now, path, keys, body))
        entries = b",".join(b'{"id":"%d"}' % self.effects[key] for key in keys)
        return entries if len(keys) == 1 else b"[" + entries + b"]"

    def described(self) -> dict[str, Any]:
        """Return `{"arrived": {path: {reference: [first time, number of keys]}}, "repeats": n}`."""
        seen: dict[str, dict[str, tuple[float, set[str]]]] = {}
        for at, path, keys, body in self.requests:
            documents = json.loads(body)
            for key, document in zip(keys, documents if isinstance(documents, list) else [documents], strict=True):
                found = seen.setdefault(path.decode(), {})
                found.setdefault(_order(document), (at, set()))[1].add(key)
        arrived = {
            path: {reference: [at, len(keys)] for reference, (at, keys) in found.items()}
            for path, found in seen.items()
        }
        return {"arrived": arrived, "repeats": self.repeats}


def _order(document: Mapping[str, Any]) -> str:
    """Return the order number, as `mappings/rest` writes it in an order and in what follows from one."""
    return str(document.get("reference") or document.get("order"))


def answers(arrivals: Arrivals, buffer: bytearray) -> Iterator[bytes]:
    """Take every whole request out of a connection's buffer and yield its answer."""
    while (end := buffer.find(b"\r\n\r\n")) >= 0:
        head = bytes(buffer[:end])
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        if len(buffer) < end + 4 + size:
            return
        body = bytes(buffer[end + 4 : end + 4 + size])
        del buffer[: end + 4 + size]
        answer = _answered(arrivals, head, body)
        yield _ANSWER % len(answer) + answer


def _answered(arrivals: Arrivals, head: bytes, body: bytes) -> bytes:
    method, path, _ = head.split(b" ", 2)
    if method == b"POST":
        key = _KEY.search(head)
        return arrivals.take(path, key[1].decode().split(",") if key else [f"none-{len(arrivals.requests)}"], body)
    if path == b"/arrivals":
        return json.dumps(arrivals.described()).encode()
    return b"%d" % len(arrivals.effects)


def serve(listener: socket.socket) -> None:
    """Serve every connection in this thread until the process is ended."""
    arrivals, selector = Arrivals(), selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ, bytearray())
            else:
                _read(arrivals, selector, key)


def _read(arrivals: Arrivals, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    connection: Any = key.fileobj
    try:
        received = connection.recv(262_144)
        key.data.extend(received)
        for answer in answers(arrivals, key.data):
            connection.sendall(answer)
    except ConnectionError:
        received = b""
    if not received:
        selector.unregister(connection)
        connection.close()


def main() -> None:
    """Listen on a free port of this machine and print it."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        print(listener.getsockname()[1], flush=True)
        serve(listener)


if __name__ == "__main__":
    main()
