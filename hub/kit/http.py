"""The guarded HTTP client: one origin, kept-alive lines, total deadline, byte cap, rate budget, our errors."""

from __future__ import annotations

import base64
import re
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from hub.domain.errors import HubError, InDoubt, Rejected, RetryLater, TooLarge
from hub.domain.secret import Secret
from hub.kit import redact
from hub.kit.budget import Budget
from hub.kit.clock import SystemClock
from hub.kit.guard import Guard, Resolver
from hub.kit.status import error_for
from hub.kit.wire import Answer, Closed, Garbled, Line, OverCap
from hub.ports import Clock, Reply

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REPEATABLE = SAFE | {"PUT", "DELETE"}
IDLE_SECONDS = 25.0
"""A line that was idle for longer is not used: most servers close after 30 to 75 seconds."""
MOST_IDLE = 32
SAID = 2000
"""So many characters of a refusal's body are kept."""

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_UNSAFE_PATH = re.compile(r"[^!#-;=?-Z\[\]_a-z~]|/\.\.?(?:/|\?|$)|#")
_UNSAFE_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_SHARED = frozenset({"host", "user-agent", "accept", "accept-encoding", "authorization"})
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One call as it is recorded: no header values, no bodies, the address redacted."""

    connection: str
    method: str
    url: str
    status: int
    """0 where no answer came."""
    seconds: float
    sent: int
    received: int
    error: str = ""


Recorder = Callable[[Exchange], None]


BETWEEN = frozenset({502, 504})
"""Answers of a proxy that lost sight of what it passed on."""


class HttpReply:
    """A 2xx answer; header names in lower case."""

    __slots__ = ("_safe", "_where", "body", "headers", "status")

    def __init__(self, answer: Answer, where: str, *, safe: bool = True) -> None:
        self._safe = safe
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self.body: bytes = answer.body
        self._where = where

    def json(self) -> Any:
        """Return the body as JSON, None where it is empty."""
        if not self.body:
            return None
        try:
            return _decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            text = f"{self._where} answered {self.status} with what is not JSON ({error})"
            raise RetryLater(text) if self._safe else InDoubt(f"{text}; look there before it is sent again") from error


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long one call may take in all, in seconds, and how many bytes its answer may have."""

    deadline: float = 20.0
    cap: int = 20_000_000


class GuardedHttp:
    """The kit's `Http` for one base address. Threads share it; nothing is opened or revealed before the first call."""

    def __init__(
        self,
        base_url: str,
        *,
        connection: str = "",
        clock: Clock | None = None,
        bearer: Secret | None = None,
        basic: tuple[str, Secret] | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        limits: Limits | None = None,
        networks: Sequence[str] = (),
        budget: Budget | None = None,
        record: Recorder | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self._guard = Guard(base_url, networks=networks, resolver=resolver)
        parts = urlsplit(base_url)
        self._base = base_url.rstrip("/")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.rstrip("/")
        self._name = connection or self._guard.host
        self._clock = clock or SystemClock()
        self._bearer, self._basic, self._given = bearer, basic, dict(headers or {})
        self._shared_names = _SHARED | {name.lower() for name in self._given}
        self._limits = limits or Limits()
        self._budget, self._record = budget, record
        self._idle: deque[Line] = deque()
        weakref.finalize(self, _close_all, self._idle)
        self._head: str = ""
        self._secrets: tuple[str, ...] = ()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        json: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        also: frozenset[int] = frozenset(),
    ) -> Reply:
        """Send one request below the base address and return its 2xx answer; anything else raises our errors.

        `also` names further statuses whose answers are wanted as they are (a SOAP fault comes with 500).
        """
        target = self._target(path, query)
        if json is not None and body is None:
            body = _encode(json)
            headers = {"Content-Type": "application/json", **(headers or {})}
        data = self._message(method, target, body, headers)
        repeatable = method in REPEATABLE or bool(headers and "Idempotency-Key" in headers)
        deadline = self._limits.deadline if deadline is None else deadline
        return self._call(method, target, data, repeatable, deadline, also)

    def get(self, path: str, **query: Any) -> Any:
        """GET and return the JSON."""
        return self.request("GET", path, query=query or None).json()

    def post(self, path: str, json: Any = None, *, key: str = "") -> Any:
        """POST JSON and return the JSON; `key` goes out as Idempotency-Key."""
        return self.request("POST", path, json=json, headers={"Idempotency-Key": key} if key else None).json()

    def put(self, path: str, json: Any = None, *, key: str = "") -> Any:
        """PUT JSON and return the JSON."""
        return self.request("PUT", path, json=json, headers={"Idempotency-Key": key} if key else None).json()

    def close(self) -> None:
        """Close the idle lines; the client can still be used."""
        _close_all(self._idle)

    def _call(
        self, method: str, target: str, data: bytes, repeatable: bool, deadline: float, also: frozenset[int]
    ) -> Reply:
        began = monotonic()
        answer: Answer | None = None
        failure = ""
        try:
            if self._budget is not None:
                self._budget.take(1, deadline)
            answer = self._exchange(method, target, data, repeatable, began + deadline)
            if answer.broken is None and (200 <= answer.status < 300 or answer.status in also):
                where = self._where(method, target) if self._record else f"{self._name} {method}"
                return HttpReply(answer, where, safe=method in SAFE)
            raise self._error(method, target, answer)
        except HubError as error:
            failure = str(error)
            raise
        finally:
            if self._record is not None:
                self._note(method, target, answer, began, len(data), failure)

    def _exchange(self, method: str, target: str, data: bytes, repeatable: bool, ends: float) -> Answer:
        """Send and receive; an idle line that turns out closed is replaced once where a repeat is harmless."""
        line = self._waiting_line()
        if line is None:
            return self._converse(self._new_line(method, target, ends), method, target, data, ends)
        try:
            return self._converse(line, method, target, data, ends, repeatable=repeatable)
        except Closed:
            return self._converse(self._new_line(method, target, ends), method, target, data, ends)

    def _converse(
        self, line: Line, method: str, target: str, data: bytes, ends: float, *, repeatable: bool = False
    ) -> Answer:
        try:
            answer = _send_and_receive(line, method, data, self._limits.cap, ends)
        except (Closed, ConnectionError) as error:
            line.close()
            if repeatable:
                raise Closed(str(error)) from error
            raise self._unanswered(method, target, error) from error
        except (OSError, Garbled) as error:
            line.close()
            raise self._unanswered(method, target, error) from error
        if line.reusable and len(self._idle) < MOST_IDLE:
            self._idle.append(line)
        else:
            line.close()
        return answer

    def _waiting_line(self) -> Line | None:
        """Return an idle line that is still open, the last used first."""
        while (line := self._pop()) is not None:
            if monotonic() - line.idle_since < IDLE_SECONDS and line.is_quiet():
                return line
            line.close()
        return None

    def _pop(self) -> Line | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _new_line(self, method: str, target: str, ends: float) -> Line:
        try:
            return Line(self._guard.connect(ends))
        except TimeoutError as error:
            raise RetryLater(f"{self._where(method, target)}: no connection in time; nothing was sent") from error

    def _unanswered(self, method: str, target: str, error: Exception) -> HubError:
        late = isinstance(error, TimeoutError)
        where, why = self._where(method, target), "the deadline has passed" if late else str(error)
        if method in SAFE:
            return RetryLater(f"{where} was not answered ({why})")
        return InDoubt(f"{where} was sent but not answered ({why}); look there before it is sent again")

    def _error(self, method: str, target: str, answer: Answer) -> HubError:
        where = self._where(method, target)
        if 200 <= answer.status < 300:
            why = str(answer.broken) or type(answer.broken).__name__
            if method not in SAFE:
                return InDoubt(f"{where} answered {answer.status} but the answer is unusable: {why}")
            if isinstance(answer.broken, OverCap):
                return TooLarge(f"{where}: {why}; narrow the request or raise the cap")
            return RetryLater(f"{where} answered {answer.status} but the answer is unusable: {why}")
        said = redact.text(answer.body[: 4 * SAID].decode("utf-8", "replace"), self._secrets)[:SAID].strip()
        error = error_for(where, answer.status, answer.headers, said, self._clock)
        if answer.status in BETWEEN and method not in SAFE:
            return InDoubt(f"{error}; whoever stands between may have passed it on: look there before it is sent again")
        if answer.status == 401:
            self._head = ""
        if isinstance(error, RetryLater) and error.after and self._budget is not None:
            self._budget.pause(error.after)
        return error

    def _where(self, method: str, target: str) -> str:
        return redact.text(f"{self._name}: {method} {self._origin}{target}"[:500], self._secrets)

    def _note(self, method: str, target: str, answer: Answer | None, began: float, sent: int, failure: str) -> None:
        assert self._record is not None
        self._record(
            Exchange(
                connection=self._name,
                method=method,
                url=redact.text(f"{self._origin}{target}", self._secrets),
                status=answer.status if answer else 0,
                seconds=monotonic() - began,
                sent=sent,
                received=len(answer.body) if answer else 0,
                error=failure,
            )
        )

    def _target(self, path: str, query: Mapping[str, Any] | None) -> str:
        """Return path and query as they stand in the request line; an address of another origin is refused."""
        if path.startswith(("http://", "https://", "//")):
            if not path.startswith(f"{self._origin}/"):
                raise Rejected(f"{self._name}: {path[:200]!r} is not below {self._base}; nothing was sent")
            target = path[len(self._origin) :]
        elif not path:
            target = self._path or "/"
        else:
            target = f"{self._path}{path}" if path[0] in "/?" else f"{self._path}/{path}"
        if _UNSAFE_PATH.search(target):
            target = self._quoted(target)
        if query:
            target += ("&" if "?" in target else "?") + _query(query)
        return target

    def _quoted(self, target: str) -> str:
        quoted = quote(target, safe="/?&=%:@!$'()*+,;~-._[]")
        if _UNSAFE_PATH.search(quoted):
            raise Rejected(f"{self._name}: the path {target[:200]!r} steps upwards; nothing was sent")
        return quoted

    def _message(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str] | None) -> bytes:
        shared = self._head or self._build_head()
        own = ""
        for name, value in (headers or {}).items():
            if name.lower() in self._shared_names:
                shared = _without(shared, name)
            own += _field(name, value)
        head = f"{method} {target} HTTP/1.1\r\n{shared}{own}"
        if body is None:
            return (head + ("\r\n" if method in SAFE else "Content-Length: 0\r\n\r\n")).encode("latin-1")
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body

    def _build_head(self) -> str:
        """Reveal the credentials and write the header fields that all requests share."""
        fields: dict[str, str] = {
            "Host": urlsplit(self._origin).netloc,
            "User-Agent": "order-integration-hub",
            "Accept": "application/json, */*;q=0.5",
            "Accept-Encoding": "identity",
        }
        secrets: list[str] = []
        for name, value in self._given.items():
            fields[name] = value.reveal() if isinstance(value, Secret) else value
            if isinstance(value, Secret):
                secrets.append(fields[name])
        if self._bearer is not None:
            secrets.append(self._bearer.reveal())
            fields["Authorization"] = f"Bearer {secrets[-1]}"
        if self._basic is not None:
            user, password = self._basic[0], self._basic[1].reveal()
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
            secrets += [password, token]
            fields["Authorization"] = f"Basic {token}"
        self._secrets = tuple(secrets)
        self._head = "".join(_field(name, value) for name, value in fields.items())
        return self._head


def _close_all(lines: deque[Line]) -> None:
    while lines:
        with suppress(IndexError):
            lines.pop().close()


def _send_and_receive(line: Line, method: str, data: bytes, cap: int, ends: float) -> Answer:
    """Talk once. Where sending broke, an answer may still lie there: many refuse a body without reading it."""
    try:
        line.send(data, ends)
    except ConnectionError as error:
        try:
            return line.receive(method, cap=cap, ends=ends)
        except (OSError, Closed, Garbled):
            raise error from None
    return line.receive(method, cap=cap, ends=ends)


def _without(head: str, name: str) -> str:
    """Return the shared header fields without one that a request brings itself."""
    fields = head.splitlines(keepends=True)
    return "".join(field for field in fields if not field.lower().startswith(f"{name.lower()}:"))


def _field(name: str, value: str) -> str:
    if not _TOKEN.fullmatch(name) or _UNSAFE_HEADER.search(value):
        raise Rejected(f"the header field {name[:60]!r} has characters that a header cannot carry; nothing was sent")
    return f"{name}: {value}\r\n"


def _query(query: Mapping[str, Any]) -> str:
    """Write a query: None is left out, a list repeats its name, true and false in lower case."""
    plain = {name: _plain(value) for name, value in query.items() if value is not None}
    return urlencode(plain, doseq=True)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
