"""`POST /as2`: AS2-From and AS2-To name the connection; the receipt is the answer, or goes out by itself (RFC 4130)."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from time import monotonic

import msgspec
from flask import Blueprint, Response, current_app, request

from hub.domain.config import Config
from hub.domain.connection import ConnectionConfig
from hub.domain.errors import HubError, Paused, Rejected, RetryLater, TooLarge
from hub.domain.message import Request
from hub.pipeline.exchange import exchange, stranger, unusable
from hub.pipeline.services import Services
from hub.web.permissions import needs

as2 = Blueprint("as2", __name__)
PROTOCOL = "as2"
OPEN_STATES = ("active", "testing", "degraded")
OURS = "hub-"
"""Fields that begin so are notes in what is stored; they never travel."""
UNTOLD_SECONDS = 60.0
_Pairs = Mapping[tuple[str, str], str]


@as2.post("/as2")
@needs("machine")
def take() -> Response:
    """Take one message or receipt in from a partner."""
    services: Services = current_app.extensions["services"]
    theirs, ours = _name("AS2-From"), _name("AS2-To")
    pairs = _door().pairs(services.config())
    name = pairs.get((theirs, ours))
    if name is None:
        if _door().is_new(ours):
            stranger(services, theirs, ours, pairs)
        return _said(403, "these AS2 ids have no agreement here")
    services.crash("received")
    try:
        return _take(services, services.config().connections[name])
    except HubError as error:
        return _refused(error)


def _take(services: Services, configured: ConnectionConfig) -> Response:
    if configured.state not in OPEN_STATES:
        raise RetryLater(f"connection {configured.name} is {configured.state}; try again later", after=60)
    opened = services.opened(configured.name)
    if PROTOCOL not in opened.connector.exchanges:
        return _said(403, "these AS2 ids have no agreement here")
    headers = {name.lower(): value for name, value in request.headers.items()}
    call = Request(body=_body(configured.max_bytes), headers=headers)
    try:
        receipt = exchange(services, configured, opened, call).receipt
    except Paused as error:
        unusable(services, configured, error)
        raise
    services.crash("answered")
    return _receipt(receipt) if receipt else Response(b"", 200, content_type="text/plain")


def _receipt(stored: bytes) -> Response:
    """Return a stored receipt as an answer: its own header fields, and its body byte for byte."""
    head, _, body = stored.partition(b"\r\n\r\n")
    response = Response(body, 200)
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if not name.lower().startswith(OURS):
            response.headers[name] = value.strip()
    return response


class Door:
    """What one process remembers at this address: who has an agreement, and which strangers it told of lately."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: tuple[Config | None, _Pairs] = (None, {})
        self._told: dict[str, float] = {}

    def pairs(self, config: Config) -> _Pairs:
        """Return connections by (their id, our id)."""
        known, pairs = self._known
        if known is not config:
            pairs = {}
            for each in config.connections.values():
                ids = each.settings.get("their_id"), each.settings.get("our_id")
                if all(isinstance(one, str) and one for one in ids) and each.state not in ("draft", "retired"):
                    pairs.setdefault((str(ids[0]), str(ids[1])), each.name)
            self._known = (config, pairs)
        return pairs

    def is_new(self, ours: str) -> bool:
        """Say whether a stranger's call should be noted: at most once a minute for an id, whoever knocks."""
        now = monotonic()
        with self._guard:
            self._told = {each: at for each, at in self._told.items() if now - at < UNTOLD_SECONDS}
            if ours in self._told or len(self._told) > 100:
                return False
            self._told[ours] = now
            return True


def _door() -> Door:
    door: Door = current_app.extensions.setdefault(PROTOCOL, Door())
    return door


def _name(field: str) -> str:
    """Return an AS2 name; quotes and backslashes are how it is written, not part of it (RFC 4130 6.2)."""
    text = request.headers.get(field, "").strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _body(cap: int) -> bytes:
    declared = request.content_length
    if declared is not None and declared > cap:
        raise TooLarge(f"{declared} bytes; this connection takes {cap} at most")
    body = request.stream.read(cap + 1) if declared is None else request.get_data(cache=False)
    if len(body) > cap:
        raise TooLarge(f"more than {cap} bytes; this connection takes {cap} at most")
    if declared is not None and len(body) != declared:
        raise Rejected(f"the body ended after {len(body)} of {declared} bytes")
    return body


def _refused(error: HubError) -> Response:
    if isinstance(error, TooLarge):
        return _said(413, str(error))
    if isinstance(error, Rejected):
        return _said(400, str(error))
    response = _said(503, "the hub cannot take this message now; send it again later")
    after = 30 if isinstance(error, Paused) else getattr(error, "after", None) or 5
    response.headers["Retry-After"] = str(int(after))
    return response


def _said(status: int, text: str) -> Response:
    return Response(msgspec.json.encode({"error": text}), status, content_type="application/json")
