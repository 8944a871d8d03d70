"""`POST /in/<connection>`: verify, store, answer. 202 only after the commit; a repeat gets 200 and its first id.

A callable of its own in front of the application: nothing here needs its sessions, its pages or its routes, and they
cost more than all the rest of a call (measured: 165 µs of processor time with them, 30 µs without).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import NamedTuple
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec

from hub.domain.connection import ConnectionConfig
from hub.domain.errors import HubError, Paused, Rejected, RetryLater, TooLarge, Unverified
from hub.domain.message import Reception, Request
from hub.pipeline.receive import receive
from hub.pipeline.services import Services
from hub.ports.records import Arrival
from hub.web.headers import machine_headers
from hub.web.later import LATER, Headers, Send

log = logging.getLogger(__name__)
PLACE = "/in/"
OPEN_STATES = ("active", "testing", "degraded")
LONGEST_NUMBER = 18
_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_json = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """What the sender is told."""

    status: int
    body: bytes
    content_type: str = "application/json"
    more: tuple[tuple[str, str], ...] = ()


class Brought(NamedTuple):
    """What a call brought that is to be kept before it is answered."""

    configured: ConnectionConfig
    reception: Reception


class _Waiting(NamedTuple):
    brought: Brought
    tell: Callable[[Answer], None]


class _Gone(OSError):
    """The sender went away, or fell silent, in the middle of its body: nobody hears an answer."""


class Intake:
    """Answers every call to `/in/<connection>`, and passes on what is meant for the application.

    Where the server lets a call be answered later (`LATER` in its environment), no thread waits for a commit: one of
    those that brought something commits for all who did so meanwhile, and answers them.
    """

    def __init__(self, services: Services, application: WSGIApplication) -> None:
        self._services = services
        self._application = application
        self._waiting: deque[_Waiting] = deque()
        self._commits = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        name = _text(path[len(PLACE) :]) if path.startswith(PLACE) else ""
        if not name or "/" in name:
            return self._application(environ, start_response)
        headers = machine_headers(is_secure=environ["wsgi.url_scheme"] == "https")
        found = self._found(name, environ)
        if isinstance(found, Brought) and LATER in environ:
            environ[LATER](partial(self._later, found, headers))
            return []
        answer = self._kept([found])[0] if isinstance(found, Brought) else found
        start_response(_STATUS[answer.status], [*_fields(answer), *headers])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _found(self, name: str, environ: WSGIEnvironment) -> Answer | Brought:
        """Verify what came; whatever goes wrong is an answer too."""
        if environ["REQUEST_METHOD"] != "POST":
            return _said(405, "messages come by POST", ("Allow", "POST"))
        try:
            return _verified(self._services, name, environ)
        except _Gone:
            raise  # the server closes the line
        except Exception as error:
            return _failed(error, name)

    def _later(self, brought: Brought, headers: Headers, send: Send) -> None:
        """Keep what was brought with whatever else waits, unless somebody is about it already."""

        def tell(answer: Answer) -> None:
            send(_STATUS[answer.status], [*_fields(answer), *headers], answer.body)

        self._waiting.append(_Waiting(brought, tell))
        while self._waiting and self._commits.acquire(blocking=False):
            try:
                self._commit()
            finally:
                self._commits.release()

    def _commit(self) -> None:
        groups: dict[int, list[_Waiting]] = {}
        for _ in range(len(self._waiting)):
            each = self._waiting.popleft()
            groups.setdefault(id(each.brought.configured), []).append(each)
        for group in groups.values():
            answers = self._kept([each.brought for each in group])
            for each, answer in zip(group, answers, strict=True):
                each.tell(answer)

    def _kept(self, brought: Sequence[Brought]) -> list[Answer]:
        """Keep what calls of one connection brought, in one commit; what only some of them are refused, each alone."""
        configured = brought[0].configured
        messages = [message for each in brought for message in each.reception.messages]
        try:
            arrived = iter(receive(self._services, configured, messages))
        except Exception as error:
            if len(brought) == 1 or isinstance(error, RetryLater):
                return [_failed(error, configured.name)] * len(brought)
            return [self._kept([each])[0] for each in brought]
        self._services.crash("answered")
        return [_told(each.reception, list(islice(arrived, len(each.reception.messages)))) for each in brought]


def _verified(services: Services, name: str, environ: WSGIEnvironment) -> Answer | Brought:
    configured = services.config().connections.get(name)
    if configured is None or configured.state in ("draft", "retired"):
        return _said(404, f"there is no connection {name}")
    services.crash("received")
    if configured.state not in OPEN_STATES:
        raise RetryLater(f"connection {configured.name} is {configured.state}; try again later", after=60)
    opened = services.opened(configured.name)
    if not opened.connector.receives:
        return _said(404, f"connection {configured.name} does not take messages by HTTP")
    body = _body(environ, configured.max_bytes)
    reception = opened.instance.receive(Request(body=body, headers=_headers(environ), query=_query(environ)))
    if not reception.messages:
        return Answer(200, reception.answer or b"{}", reception.answer_type)
    return Brought(configured, reception)


def _told(reception: Reception, arrived: Sequence[Arrival]) -> Answer:
    ids = [each.message_id for each in arrived]
    status = 200 if all(each.repeated for each in arrived) else 202
    answer = reception.answer or _json({"message": ids[0]} if len(ids) == 1 else {"messages": ids})
    return Answer(status, answer, reception.answer_type)


def _body(environ: WSGIEnvironment, cap: int) -> bytes:
    """Read the raw bytes, none of them where too many are announced; a body that is not whole is refused."""
    length = _announced(environ)
    if length is None:
        body = _read(environ, cap + 1) if environ.get("wsgi.input_terminated") else b""
        if len(body) > cap:
            raise TooLarge(f"more than {cap} bytes; this connection takes {cap} at most")
        return body
    if length > cap:
        raise TooLarge(f"{length} bytes; this connection takes {cap} at most")
    body = _read(environ, length)
    if len(body) != length:
        raise Rejected(f"the body ended after {len(body)} of {length} bytes")
    return body


def _announced(environ: WSGIEnvironment) -> int | None:
    """Return the announced length; None where the body comes in chunks or nothing is said."""
    length: str = environ.get("CONTENT_LENGTH") or ""
    if environ.get("HTTP_TRANSFER_ENCODING") or not length:
        return None
    if not length.isdecimal() or len(length) > LONGEST_NUMBER:
        raise Rejected("Content-Length is not a number")
    return int(length)


def _read(environ: WSGIEnvironment, size: int) -> bytes:
    try:
        body: bytes = environ["wsgi.input"].read(size)
    except OSError as error:
        raise _Gone(*error.args) from error
    except ValueError as error:
        raise Rejected("the body's chunks are not as HTTP asks") from error
    return body


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name, key in (("content-type", "CONTENT_TYPE"), ("content-length", "CONTENT_LENGTH")):
        if value := environ.get(key):
            headers[name] = value
    return headers


def _query(environ: WSGIEnvironment) -> dict[str, str]:
    """Return the query's fields; of a name that comes more than once, the first."""
    asked: str = environ.get("QUERY_STRING", "")
    if not asked:
        return {}
    return dict(reversed(parse_qsl(_text(asked), keep_blank_values=True)))


def _text(given: str) -> str:
    """Return what a server handed over as bytes in the guise of Latin-1."""
    return given if given.isascii() else given.encode("latin-1", "replace").decode("utf-8", "replace")


def _fields(answer: Answer) -> Headers:
    return (("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body))), *answer.more)


def _failed(error: Exception, name: str) -> Answer:
    """Say what went wrong, as far as it concerns the sender."""
    if isinstance(error, Unverified):
        return _said(401, str(error))
    if isinstance(error, TooLarge):
        return _said(413, str(error))
    if isinstance(error, Rejected):
        return _said(400, str(error))
    if not isinstance(error, HubError):
        log.error("POST %s%s failed", PLACE, name, exc_info=error)
        return _said(500, "the hub failed; the log has the reason, and nothing was accepted")
    after = 30 if isinstance(error, Paused) else getattr(error, "after", None) or 5
    return _said(503, str(error), ("Retry-After", str(int(after))))


def _said(status: int, text: str, *more: tuple[str, str]) -> Answer:
    return Answer(status, _json({"error": text}), more=more)
