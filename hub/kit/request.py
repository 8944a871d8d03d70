"""Requests as they go out: addresses below one base, header fields that cannot smuggle, credentials revealed late."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from hub.domain.errors import HubError, Rejected
from hub.domain.secret import Secret
from hub.kit import redact
from hub.ports import Reply

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REPEATABLE = SAFE | {"PUT", "DELETE"}
MOST_STARTS = 64
"""So many beginnings of requests (method, address, content type) are kept written."""

_encode = msgspec.json.Encoder(decimal_format="number").encode
_UNSAFE_PATH = re.compile(r"[^!#-;=?-Z\[\]_a-z~]|/\.\.?(?:/|\?|$)|#")
_UNSAFE_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_SHARED = frozenset({"host", "user-agent", "accept", "accept-encoding", "authorization"})
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_TYPE, _KEY = "Content-Type", "Idempotency-Key"


@dataclass(slots=True, kw_only=True)
class Prepared:
    """One request, written; and what came of it."""

    method: str
    target: str
    data: bytes
    deadline: float
    """Seconds in all, from `began`."""
    is_repeatable: bool
    also: frozenset[int] = frozenset()
    """Statuses outside 2xx whose answers are wanted as they are."""
    began: float = 0.0
    is_paid: bool = False
    """Its call was taken from the rate budget."""
    needs_new_line: bool = False
    """The kept line that it went out on was dead: it goes out once more, on a new one."""
    result: Reply | HubError | None = None

    def begin(self) -> float:
        """Let its time run, if it does not yet; return when it ends, as a `time.monotonic()` instant."""
        if not self.began:
            self.began = monotonic()
        return self.began + self.deadline


class Writer:
    """Writes the requests of one client."""

    def __init__(
        self,
        base_url: str,
        *,
        connection: str,
        bearer: Secret | None,
        basic: tuple[str, Secret] | None,
        headers: Mapping[str, str | Secret] | None,
        deadline: float,
    ) -> None:
        parts = urlsplit(base_url)
        self._base = base_url.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.rstrip("/")
        self._name = connection
        self._bearer, self._basic, self._given = bearer, basic, dict(headers or {})
        self._shared_names = _SHARED | {name.lower() for name in self._given}
        self._usual = frozenset(name for name in (_TYPE, _KEY) if name.lower() not in self._shared_names)
        self._deadline = deadline
        self._head: str = ""
        self._starts: dict[tuple[str, str, str], tuple[str, bytes]] = {}
        self._secrets: tuple[str, ...] = ()

    def prepare(
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
    ) -> Prepared:
        """Write one request; raises Rejected where its address or a header field cannot be meant."""
        fields = headers or {}
        if json is not None and body is None:
            body = _encode(json)
            fields = {_TYPE: "application/json", **fields}
        target, start = self._start(method, path, query, fields)
        return Prepared(
            method=method,
            target=target,
            data=start + self._rest(method, body, fields),
            deadline=self._deadline if deadline is None else deadline,
            is_repeatable=method in REPEATABLE or _KEY in fields,
            also=also,
        )

    def forget(self) -> None:
        """Reveal the credentials anew for the next request."""
        self._head = ""
        self._starts = {}

    def redacted(self, text: str) -> str:
        """Return a text without our credentials."""
        return redact.text(text, self._secrets)

    def _start(
        self, method: str, path: str, query: Mapping[str, Any] | None, fields: Mapping[str, str]
    ) -> tuple[str, bytes]:
        """Return the address, and the request up to the fields that are its own; the same beginning is kept."""
        if query or not fields.keys() <= self._usual:
            return self._built(method, path, query, fields)
        kept = (method, path, fields.get(_TYPE, ""))
        starts = self._starts
        found = starts.get(kept)
        if found is None:
            found = self._built(method, path, None, fields)
            if len(starts) >= MOST_STARTS:
                starts.clear()
            starts[kept] = found
        return found

    def _built(
        self, method: str, path: str, query: Mapping[str, Any] | None, fields: Mapping[str, str]
    ) -> tuple[str, bytes]:
        target = self._target(path, query)
        shared = self._head or self._build_head()
        for name in fields:
            if name.lower() in self._shared_names:
                shared = _without(shared, name)
        own = _field(_TYPE, fields[_TYPE]) if _TYPE in fields else ""
        return target, f"{method} {target} HTTP/1.1\r\n{shared}{own}".encode("latin-1")

    def _rest(self, method: str, body: bytes | None, fields: Mapping[str, str]) -> bytes:
        own = "".join([_field(name, value) for name, value in fields.items() if name != _TYPE])
        if body is None:
            return (own + ("\r\n" if method in SAFE else "Content-Length: 0\r\n\r\n")).encode("latin-1")
        return f"{own}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body

    def _target(self, path: str, query: Mapping[str, Any] | None) -> str:
        """Return path and query as they stand in the request line; an address of another origin is refused."""
        if path.startswith(("http://", "https://", "//")):
            if not path.startswith(f"{self.origin}/"):
                raise Rejected(f"{self._name}: {path[:200]!r} is not below {self._base}; nothing was sent")
            target = path[len(self.origin) :]
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

    def _build_head(self) -> str:
        """Reveal the credentials and write the header fields that all requests share."""
        fields: dict[str, str] = {
            "Host": urlsplit(self.origin).netloc,
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
