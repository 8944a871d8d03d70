"""Bytes that cross the wire, and what is kept about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from hub.domain.errors import Problem

Direction = Literal["in", "out"]


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a connector hands it over, before anything is stored."""

    body: bytes
    kind: str = "order"
    """The document kind the connector believes it is; the codec and agreement decide."""
    event_id: str = ""
    """Their id of this delivery. A second message with the same one is a repeat. Empty: no such id exists."""
    order_key: str = ""
    """Messages with one key are handled in the order they arrived (their order id, where it is cheaply known)."""
    content_type: str = ""
    name: str = ""
    """File name or topic, for people; never used as a path."""
    control_key: str = ""
    """Sender, receiver and control number, where the syntax has them: set by the hub, not by connectors."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message. `body` may be empty where only the envelope was loaded."""

    id: str
    connection: str
    direction: Direction
    kind: str
    received_at: datetime
    partner: str = ""
    event_id: str = ""
    order_key: str = ""
    content_type: str = ""
    name: str = ""
    size: int = 0
    sha256: str = ""
    body: bytes = b""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery as a connector is given it. `key` is the idempotency key, the same over all attempts."""

    key: str
    kind: str
    body: bytes
    content_type: str = "application/octet-stream"
    order_key: str = ""
    name: str = ""
    """A file name that is safe and unique, for transports that need one."""
    meta: Mapping[str, Any] = {}


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the other side answered: their id for it, and their bytes."""

    reference: str = ""
    body: bytes = b""
    kind: str = ""
    """Set where `body` is a document to take in as if received (a label, a created order)."""
    content_type: str = ""
    proof: bytes = b""
    """Their verified word that they have it (a signed MDN), whole: it is kept, and the delivery is acknowledged."""
    owed: Mapping[str, str] = {}
    """What they still owe us for it, each with its clock as an ISO 8601 duration: `{"mdn": "PT4H"}`."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request as a receiving connector sees it: raw bytes first, header names in lower case."""

    body: bytes
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    method: str = "POST"


class Reception(msgspec.Struct, frozen=True, kw_only=True):
    """What a request brought: messages to store, and an answer where the sender wants a special one."""

    messages: tuple[Incoming, ...] = ()
    answer: bytes = b""
    answer_type: str = "application/json"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What a call at a protocol's own address came to: what to keep, what to take in, what to answer."""

    kept: Incoming | None = None
    """The call as it came: header fields, an empty line, the body; None where a message has all of it."""
    messages: tuple[Incoming, ...] = ()
    """What was in it, to be taken in. Empty where it was refused."""
    answer: bytes = b""
    """The receipt: header fields, an empty line, the body. Empty: none was asked for."""
    is_delivered: bool = False
    """The receipt goes out as a delivery of document `mdn`, not as the answer to this call."""
    problem: Problem | None = None
    """Why it was refused: nothing of it is taken in, and the same call may come again."""
    action: str = ""
    """What our people should do about the problem."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that a pull found, and the cursor that is stored with them in one commit."""

    messages: tuple[Incoming, ...]
    cursor: str = ""
