"""A partner with a thread for each line, and a guarded client that talks to it over several."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hub.domain.errors import HubError
from hub.kit.http import GuardedHttp, Limits
from hub.ports import Call, Reply
from hub.testing.fakes import LOOPBACK

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Partner:
    """A thread for each line. `says(line, path, body)` returns the bytes to send, b"" to hang up, None to hang."""

    def __init__(self, *, lines: int = 99, context: ssl.SSLContext | None = None) -> None:
        self.says: Callable[[int, str, bytes], bytes | None] = lambda *_: GOOD
        self.heard: list[tuple[int, str]] = []
        self.lines = 0
        self.most = 0
        """So many requests were answered at one time."""
        self.ended = threading.Event()
        self._under_way = 0
        self._served = threading.Semaphore(lines)
        self._context = context
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        self.ended.set()
        for sock in (self._listener, *self._open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            self._served.acquire()
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            self.lines += 1
            self._threads.append(threading.Thread(target=self._talk, args=(sock, self.lines), daemon=True))
            self._threads[-1].start()

    def _talk(self, sock: socket.socket, line: int) -> None:
        try:
            with self._context.wrap_socket(sock, server_side=True) if self._context else sock as talking:
                data = b""
                while (data := self._serve(talking, line, data)) is not None:  # type: ignore[assignment]
                    pass
        except OSError:
            return
        finally:
            self._served.release()

    def _serve(self, sock: socket.socket, line: int, data: bytes) -> bytes | None:
        """Take one request and answer it; return what came after it, None at the end."""
        while (request := _cut(data)) is None:
            if not (more := sock.recv(65536)):
                return None
            data += more
        path, body, data = request
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            self.heard.append((line, path))
        answer = self.says(line, path, body)
        with self._lock:
            self._under_way -= 1
        if answer is None:
            self.ended.wait(20)
        if not answer:
            return None
        sock.sendall(answer)
        return data


def _cut(data: bytes) -> tuple[str, bytes, bytes] | None:
    head, mark, rest = data.partition(b"\r\n\r\n")
    found = LENGTH.search(head)
    size = int(found[1]) if found else 0
    if not mark or len(rest) < size:
        return None
    return head.split(b" ")[1].decode(), rest[:size], rest[size:]


@contextmanager
def playing(**settings: Any) -> Iterator[Partner]:
    partner = Partner(**settings)
    try:
        yield partner
    finally:
        partner.stop()


def client(partner: Partner, **settings: Any) -> GuardedHttp:
    settings.setdefault("limits", Limits(deadline=5.0, cap=100_000))
    return GuardedHttp(partner.url, connection="erp", networks=LOOPBACK, **settings)


def post(path: str, *, key: str = "", body: bytes = b"{}", **more: Any) -> Call:
    call: Call = {"method": "POST", "path": path, "body": body, "headers": {"Idempotency-Key": key} if key else {}}
    return {**call, **more}  # type: ignore[typeddict-item]


def posts(count: int) -> list[Call]:
    return [post(f"/{at}", key=f"k{at}") for at in range(count)]


def kinds(results: list[Reply | HubError]) -> list[Any]:
    return [type(each) if isinstance(each, HubError) else each.status for each in results]


def named(_: int, path: str, __: bytes) -> bytes:
    body = b'{"path":"%s"}' % path.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
