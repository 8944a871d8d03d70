"""A shop that calls `/in/shop`, the connector that hears it, and a record that keeps what it brings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.domain.config import Config
from hub.domain.connection import ConnectionConfig
from hub.domain.message import Incoming, Reception, Request
from hub.pipeline.services import Opened, Services
from hub.ports import Connector
from hub.web.app import create_app

CONNECTOR = Connector(name="shop", title="Shop", settings=object, open=lambda *_: None, receives=("order",))
NOTHING = Reception()
SHOP = ConnectionConfig(name="shop", connector="shop", priority_lane="realtime")


@dataclass
class Arrived:
    """What the record says of a message."""

    message_id: str
    repeated: bool


class Record:
    """Keeps messages as the store does: a repeat is known by its event id."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.rung: list[str] = []

    def take_in(self, connection: str, partner: str, lane: str, messages: Any, cursor: Any) -> Sequence[Arrived]:
        """Keep what is new."""
        assert (connection, partner, lane, cursor) == ("shop", "", "realtime", None)
        arrived = []
        for each in messages:
            known = each.event_id in self.kept
            arrived.append(Arrived(self.kept.setdefault(each.event_id, f"m{len(self.kept) + 1}"), known))
        return arrived

    def ring(self, lane: str) -> None:
        """Note that a worker was woken."""
        self.rung.append(lane)


class Account:
    """A sender whose connector says what the test wants, and remembers what it was shown."""

    def __init__(self, answer: Reception | Exception) -> None:
        self.answer = answer
        self.seen: list[Request] = []

    def receive(self, request: Request) -> Reception:
        """Answer as told."""
        self.seen.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def message(event: str = "", body: bytes = b"{}") -> Incoming:
    return Incoming(body=body, event_id=event, order_key="W-1")


def taken(*events: str) -> Reception:
    return Reception(messages=tuple(message(event) for event in events))


def client(
    record: Record,
    answer: Reception | Exception | Account = NOTHING,
    *,
    connector: Connector = CONNECTOR,
    services: Mapping[str, Any] = {},
    **fields: Any,
) -> FlaskClient:
    """Return a client of an application whose shop answers so and is configured so."""
    account = answer if isinstance(answer, Account) else Account(answer)
    config = Config(connections={"shop": msgspec.structs.replace(SHOP, **fields)})
    wired: dict[str, Any] = {
        "store": record, "doorbell": record, "config": lambda: config, "clock": None, "codecs": {}, "translation": None,
        "opened": lambda name: Opened(name=name, connector=connector, instance=account),
    }  # fmt: skip
    store: Any = None
    return create_app(Services(**{**wired, **services}), store).test_client()


def said(answer: TestResponse) -> str:
    """Return the reason that a refusal gives."""
    assert answer.content_type == "application/json"
    return str(json.loads(answer.get_data())["error"])


def refusing(error: Exception) -> Callable[..., Any]:
    """Return what raises this whatever it is asked."""

    def refuse(*_: Any) -> Any:
        raise error

    return refuse
