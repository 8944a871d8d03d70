"""Which agreements a document or an interchange comes under, and what they say about its syntax."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from hub.codecs.frames import Context
from hub.codecs.reading import party
from hub.domain.config import Config
from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.errors import Problem
from hub.domain.message import Message
from hub.domain.tree import Decoded
from hub.ports import Codec, Frame, Profile

Facts = Mapping[str, str]
ENVELOPE = ("sender", "receiver", "group_sender", "group_receiver", "test")
"""What an interchange can be matched by before its sets are known."""


def facts_of(message: Message, decoded: Decoded) -> Facts:
    """Return what a document may be matched by."""
    return {
        **decoded.facts,
        "kind": message.kind,
        "set": decoded.set,
        "version": decoded.version,
        "sender": decoded.sender,
        "receiver": decoded.receiver,
        "test": "true" if decoded.test else "false",
    }


def parties_of(envelope: Facts) -> Facts:
    """Return what an interchange may be matched by, from the facts of its envelope."""
    test = envelope.get("usage", "") in ("T", "1")
    both = {"sender": party(envelope, "sender"), "receiver": party(envelope, "receiver")}
    return {**envelope, **both, "test": "true" if test else "false"}


def agrees(agreement: Agreement, facts: Facts, *, test: bool, keys: Sequence[str] = ()) -> bool:
    """Say whether facts fit an agreement, by all of its `match` or by some keys of it.

    Test documents come under agreements that name them, or on connections that are for tests; never by accident.
    """
    if facts.get("test") == "true" and not test and "test" not in agreement.match:
        return False
    return all(
        _same(name, wanted, facts.get(name, "")) for name, wanted in agreement.match.items() if not keys or name in keys
    )


def _same(name: str, wanted: str, found: str) -> bool:
    """Compare: versions by their beginning (004010 takes 004010VICS), parties unpadded, with or without qualifier."""
    if name == "version":
        return found.startswith(wanted)
    if name in ("sender", "receiver"):
        found = found if ":" in wanted else found.rpartition(":")[2]
        return wanted.strip() == found.strip()
    return wanted == found


def choose(config: Config, message: Message, codec: str, facts: Facts) -> Agreement | None:
    """Return the inbound agreement of a document; those that match by more are asked first."""
    test = config.connections[message.connection].test
    for agreement in config.inbound.get(message.connection, ()):
        if agreement.codec == codec and agrees(agreement, facts, test=test):
            return agreement
    return None


def serving(config: Config, connection: str, codec: str, envelope: Facts) -> list[Agreement]:
    """Return the inbound agreements that take interchanges of these parties, whatever the set."""
    facts, test = parties_of(envelope), config.connections[connection].test
    return [
        agreement
        for agreement in config.inbound.get(connection, ())
        if agreement.codec == codec and agrees(agreement, facts, test=test, keys=ENVELOPE)
    ]


def envelopes(codec: Codec, frames: Iterable[Frame]) -> Iterator[Facts]:
    """Yield the facts of every group of an EDI message; other syntaxes have none."""
    if not getattr(codec, "control_levels", ()):
        return
    for frame in frames:
        for envelope in msgspec.msgpack.decode(frame.context, type=Context).envelopes:
            yield envelope.facts


def profile(config: Config, connection: ConnectionConfig, codec: str, envelope: Facts | None) -> Profile:
    """Return what the agreements say about syntax: their guides by set, and the options of each, first ones first."""
    agreements = [each for each in config.inbound.get(connection.name, ()) if each.codec == codec]
    if envelope is not None:
        agreements = serving(config, connection.name, codec, envelope) or agreements
    options: dict[str, object] = {}
    guides: dict[str, str] = {}
    for each in agreements:
        if each.guide:
            guides.setdefault(each.match.get("set") or set_of(each.guide), each.guide)
        for name, value in each.options.items():
            options.setdefault(name, value)
    guides |= {str(name): str(value) for name, value in dict(options.get("guides", {})).items()}  # type: ignore[call-overload]
    return Profile(
        options={**options, "guides": guides},
        charset=str(options.get("charset", "")),
        max_bytes=max(connection.max_bytes, 1),
    )


def set_of(guide: str) -> str:
    """Return the set that a guide's name speaks of: x12/850-004010 is for 850."""
    return guide.rpartition("/")[2].rpartition("-")[0]


def unknown_party(connection: str, envelope: Facts) -> Problem:
    """Say that nobody agreed anything with these parties, and what to do."""
    facts = parties_of(envelope)
    test = ", which is a test," if facts["test"] == "true" else ""
    return Problem(
        code="unknown_party",
        value=f"{facts['sender']}>{facts['receiver']}",
        text=f"an interchange from {facts['sender'] or 'nobody'} to {facts['receiver'] or 'nobody'}{test} came to "
        f"connection {connection}, which has no inbound agreement for them; set them up, then replay the message",
    )
