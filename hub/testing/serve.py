"""A web server for tests and simulators: any WSGI app, or a few routes, on 127.0.0.1 and a free port."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec
from cheroot import wsgi

_encode = msgspec.json.Encoder(decimal_format="number").encode
_REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_PART = re.compile(r"<(\w+)>")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request as a simulator sees it; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """Return the body as JSON."""
        return msgspec.json.decode(self.body)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a simulator says."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_json(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer with JSON; Decimal is written as a number."""
    return Answer(status=status, body=_encode(data), headers=headers or {})


Handler = Callable[[Call], Answer]


class Routes:
    """A WSGI app made of a few functions: `routes.add("GET", "/orders/<id>", show)` calls `show(call, id=...)`."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Answer]]] = []

    def add(self, method: str, path: str, answer: Callable[..., Answer]) -> None:
        """Answer a method and path; `<name>` stands for one path segment, in which %2F is a slash."""
        pattern = "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(_PART.split(path))
        )
        self._routes.append((method, re.compile(pattern), answer))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return handler(self.answer)(environ, start_response)

    def answer(self, call: Call) -> Answer:
        """Return what the route of a call says, or 404."""
        for method, pattern, function in self._routes:
            if method == call.method and (found := pattern.fullmatch(call.path)):
                return function(call, **{name: value.replace("%2F", "/") for name, value in found.groupdict().items()})
        return answer_json({"error": f"no {call.method} {call.path} here"}, 404)


def handler(function: Handler) -> WSGIApplication:
    """Make a WSGI app of one function."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = function(call_of(environ))
        fields = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        start_response(_REASONS.get(answer.status, f"{answer.status} Status"), [*fields, *answer.headers.items()])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    return app


def call_of(environ: WSGIEnvironment) -> Call:
    """Return the request of a WSGI environment, its body read."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    chunked = "chunked" in headers.get("transfer-encoding", "")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return Call(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace") or "/",
        query=dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        headers=headers,
        body=environ["wsgi.input"].read() if chunked else environ["wsgi.input"].read(length),
    )


@contextmanager
def serve(app: WSGIApplication, *, port: int = 0, threads: int = 8) -> Iterator[str]:
    """Serve a WSGI app (a Flask app, `Routes`, `handler(function)`) on a thread; yield its base URL."""
    server = wsgi.Server(
        ("127.0.0.1", port), app, numthreads=threads, server_name="hub.testing", accepted_queue_size=-1
    )
    server.shutdown_timeout = 1
    server.expiration_interval = 0.05
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True, name="hub-testing-serve")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:
        server.stop()
        thread.join(5)
