"""Bytes to trees: pick the codec, cut large messages into frames, decode what is in hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from hub.domain.config import Config
from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.errors import Problem, Rejected
from hub.domain.inbox import FrameRow
from hub.domain.message import Message
from hub.domain.tree import Decoded
from hub.pipeline import agree
from hub.pipeline.services import Services
from hub.ports import Codec, Frame, Profile


@dataclass(kw_only=True)
class Reading:
    """What `decode` found: either frames to be decoded by others, or documents."""

    codec: str = ""
    frames: tuple[Frame, ...] = ()
    documents: list[Decoded] = field(default_factory=list)


def decode(services: Services, config: Config, message: Message) -> Reading:
    """Return the documents of a message, or its frames where it holds more than one frame's worth."""
    connection = _connection(config, message)
    codec = pick_codec(services, config, message)
    frames = codec.frames(message.body, Profile(max_bytes=max(connection.max_bytes, 1)))
    first = _known(config, connection, codec, frames)
    if len(frames) > 1:
        return Reading(codec=codec.name, frames=tuple(frames))
    if not frames:
        text = f"{message.name or message.id}: no document was found in {len(message.body)} bytes"
        raise Rejected([Problem(code="no_documents", text=text)])
    frame = frames[0]
    part = message.body[frame.offset : frame.offset + frame.length]
    profile = agree.profile(config, connection, codec.name, first)
    return Reading(codec=codec.name, documents=list(codec.decode(part, frame, profile)))


def _known(config: Config, connection: ConnectionConfig, codec: Codec, frames: Sequence[Frame]) -> agree.Facts | None:
    """Return the first envelope; Rejected where nobody agreed anything with any of the parties."""
    found = list(agree.envelopes(codec, frames))
    named = {
        (each.get("sender_id"), each.get("receiver_id"), each.get("usage")): each
        for each in found
        if each.get("sender_id")
    }
    if named and not any(agree.serving(config, connection.name, codec.name, each) for each in named.values()):
        raise Rejected([agree.unknown_party(connection.name, each) for each in named.values()])
    return found[0] if found else None


def decode_frame(services: Services, config: Config, message: Message, row: FrameRow) -> Reading:
    """Return the documents of one frame; `message.body` is the frame's bytes."""
    connection = _connection(config, message)
    facts = msgspec.msgpack.decode(row.context, type=FrameContext)
    codec = services.codecs[facts.codec]
    frame = Frame(offset=row.start, length=row.length, first=row.first, count=row.count, context=facts.context)
    first = next(iter(agree.envelopes(codec, [frame])), None)
    documents = list(codec.decode(message.body, frame, agree.profile(config, connection, codec.name, first)))
    return Reading(codec=codec.name, documents=documents)


class FrameContext(msgspec.Struct, frozen=True):
    """What a frame row keeps beside its place: the codec that cut it, and what that codec needs to know."""

    codec: str
    context: bytes


def pick_codec(services: Services, config: Config, message: Message) -> Codec:
    """Return the codec that the connection's agreements name and whose syntax the first bytes show."""
    agreements = config.inbound.get(message.connection, ())
    named = dict.fromkeys(each.codec for each in agreements if _of_kind(each, message))
    known = [services.codecs[name] for name in named if name in services.codecs]
    if len(known) == 1:
        return known[0]
    head = message.body[:512]
    for codec in known or services.codecs.values():
        if codec.sniff(head):
            return codec
    raise Rejected([Problem(
        code="unknown_syntax",
        value=head[:40].decode("latin-1"),
        text=f"the first bytes look like none of {', '.join(named) or 'the known syntaxes'}; "
        f"check the inbound agreements of connection {message.connection}",
    )])  # fmt: skip


def _of_kind(agreement: Agreement, message: Message) -> bool:
    wanted = agreement.match.get("kind", "")
    return not wanted or wanted == message.kind


def _connection(config: Config, message: Message) -> ConnectionConfig:
    connection = config.connections.get(message.connection)
    if connection is None:
        text = f"connection {message.connection} is not configured any more; restore it or skip the message"
        raise Rejected([Problem(code="unknown_connection", text=text)])
    return connection
