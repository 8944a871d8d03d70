"""`POST /in/<connection>`: verify, store, answer. 202 only after the commit; a repeat gets 200 and its first id."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, current_app, request

from hub.domain.connection import ConnectionConfig
from hub.domain.errors import HubError, Paused, Rejected, RetryLater, TooLarge, Unverified
from hub.domain.message import Request
from hub.pipeline.receive import receive
from hub.pipeline.services import Services

intake = Blueprint("intake", __name__)
OPEN_STATES = ("active", "testing", "degraded")


@intake.post("/in/<connection>")
def take(connection: str) -> Response:
    """Take messages in from a shop, a partner or anybody else who calls."""
    services: Services = current_app.extensions["services"]
    configured = services.config().connections.get(connection)
    if configured is None or configured.state in ("draft", "retired"):
        return _said(404, f"there is no connection {connection}")
    services.crash("received")
    try:
        return _take(services, configured)
    except HubError as error:
        return _refused(error)


def _take(services: Services, configured: ConnectionConfig) -> Response:
    if configured.state not in OPEN_STATES:
        raise RetryLater(f"connection {configured.name} is {configured.state}; try again later", after=60)
    opened = services.opened(configured.name)
    if not opened.connector.receives:
        return _said(404, f"connection {configured.name} does not take messages by HTTP")
    body = _body(configured.max_bytes)
    headers = {name.lower(): value for name, value in request.headers.items()}
    reception = opened.instance.receive(Request(body=body, headers=headers, query=request.args.to_dict()))
    if not reception.messages:
        return Response(reception.answer or b"{}", 200, content_type=reception.answer_type)
    arrived = receive(services, configured, reception.messages)
    ids = [each.message_id for each in arrived]
    status = 200 if all(each.repeated for each in arrived) else 202
    answer = reception.answer or msgspec.json.encode({"message": ids[0]} if len(ids) == 1 else {"messages": ids})
    services.crash("answered")
    return Response(answer, status, content_type=reception.answer_type)


def _body(cap: int) -> bytes:
    declared = request.content_length
    if declared is not None and declared > cap:
        raise TooLarge(f"{declared} bytes; this connection takes {cap} at most")
    body = request.stream.read(cap + 1) if declared is None else request.get_data(cache=False)
    if len(body) > cap:
        raise TooLarge(f"more than {cap} bytes; this connection takes {cap} at most")
    return body


def _refused(error: HubError) -> Response:
    if isinstance(error, Unverified):
        return _said(401, str(error))
    if isinstance(error, TooLarge):
        return _said(413, str(error))
    if isinstance(error, Rejected):
        return _said(400, str(error))
    after = 30 if isinstance(error, Paused) else getattr(error, "after", None) or 5
    response = _said(503, str(error))
    response.headers["Retry-After"] = str(int(after))
    return response


def _said(status: int, text: str) -> Response:
    return Response(msgspec.json.encode({"error": text}), status, content_type="application/json")
