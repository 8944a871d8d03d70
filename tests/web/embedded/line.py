"""A connection to the embedded server, spoken to in bytes, and an application that answers what it was sent."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

HOST = b"Host: 127.0.0.1\r\n"
App = Callable[[Any, Any], Iterable[bytes]]


class Line:
    """A connection to the server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._file = self.socket.makefile("rb")

    def say(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def answer(self, *, head_only: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Return status, fields and body of the next answer; status 0 where the line ended."""
        status = self._file.readline()
        if not status:
            return 0, {}, b""
        fields = {}
        while (line := self._file.readline().rstrip()) != b"":
            name, _, value = line.decode().partition(": ")
            fields[name.lower()] = value
        code = int(status.split()[1])
        if head_only or code < 200:
            return code, fields, b""
        if fields.get("transfer-encoding") == "chunked":
            return code, fields, b"".join(self.chunks())
        return code, fields, self._file.read(int(fields["content-length"]))

    def read_exactly(self, size: int) -> bytes:
        """Return so many bytes; ValueError where the line ends before."""
        read = self._file.read(size)
        if len(read) != size:
            raise ValueError(f"{len(read)} of {size}")
        return read

    def chunks(self) -> Iterator[bytes]:
        """Yield the chunks of a body."""
        while size := int(self._file.readline(), 16):
            yield self._file.read(size)
            self._file.readline()
        self._file.readline()

    def ended(self) -> bool:
        """Say whether the server closed the line, and said no more."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self.socket.close()


def echo(environ: Any, start_response: Any) -> list[bytes]:
    """Answer with method, path, query and body."""
    length = environ.get("CONTENT_LENGTH")
    body = environ["wsgi.input"].read(int(length)) if length else b""
    if environ["wsgi.input_terminated"]:
        body = environ["wsgi.input"].read()
    text = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']} ".encode("latin-1") + body
    start_response("200 OK", [("Content-Length", str(len(text))), ("Content-Type", "text/plain")])
    return [text]


def post(body: bytes, path: bytes = b"/in/shop", more: bytes = b"") -> bytes:
    return b"POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s" % (path, HOST, more, len(body), body)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    sent = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"POST /c HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + sent + end
