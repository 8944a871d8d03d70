"""Decoding one frame of EDIFACT: each message becomes a tree; what is wrong with it travels with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hub.codecs.cutting import Cut, evenly_cut, offsets_of, trimmed
from hub.codecs.edifact.envelope import CHARSETS, Service, part, service_of
from hub.codecs.elements import Fault
from hub.codecs.frames import Context, Span
from hub.codecs.machine import machine
from hub.codecs.placing import Placing, problem
from hub.codecs.reading import REFUSED, Parties, choose_guide, envelope_problems, length_problems, parties
from hub.codecs.segments import Segments
from hub.domain.errors import Position, Problem
from hub.domain.tree import Decoded, Node
from hub.ports import Frame, Profile


class Reader:
    """Reads the messages of one frame."""

    def __init__(self, context: Context, profile: Profile) -> None:
        self.context = context
        self.profile = profile
        self._heads = set(context.heads)
        self._parties = [parties(envelope.facts, "1") for envelope in context.envelopes]
        self._services = [service_of(envelope.facts) for envelope in context.envelopes]
        self._known: dict[tuple[str, str, Service], tuple[Segments, bool]] = {}

    def sets(self, body: bytes) -> Iterator[Decoded]:
        """Yield every message of the frame, in order."""
        for ordinal, span in enumerate(self.context.spans, self.context.first):
            decoded = self._one(body[span.start : span.start + span.length], span)
            decoded.ordinal = ordinal
            yield decoded

    def _one(self, raw: bytes, span: Span) -> Decoded:
        facts, known = self.context.envelopes[span.envelope].facts, self._parties[span.envelope]
        found = envelope_problems(self.context, self._heads, span.envelope, self.profile)
        if span.code in REFUSED:
            return _decoded(Node("", [""]), [], known, facts, found)
        start = self.context.offset + span.start
        service = self._services[span.envelope]
        cut = cut_message(raw, service, self.profile.charset, facts.get("syntax_id", ""), start)
        if cut is None:
            found.append(problem("set_undecodable", known.place("", start)))
            return _decoded(Node("", [""]), [], known, facts, found)
        pieces, offsets = cut
        if len(pieces) > self.profile.max_segments:
            found.append(problem("set_too_large", known.place("", start)))
            pieces, offsets = pieces[:1], offsets[:1]
        return self._message(pieces, offsets, found, span)

    def _message(self, pieces: list[str], offsets: list[int], found: list[Problem], span: Span) -> Decoded:
        facts, known = self.context.envelopes[span.envelope].facts, self._parties[span.envelope]
        service = self._services[span.envelope]
        first = service.segment(pieces[0]) if pieces else [""]
        last = service.segment(pieces[-1]) if len(pieces) > 1 else [""]
        headed, closed = first[0] == "UNH", last[0] == "UNT"
        name, control = (part(first, 2), part(first, 1)) if headed else ("", "")
        at = known.place(control, offsets[0] if offsets else 0)
        if span.code:
            found.append(problem(span.code, at, Node(first[0][:3], first, {}, 1, at.offset)))
        begin = 1 if headed else 0
        segments, firm = self._segments(name, _version(first), service)
        placing = Placing(segments, at, firm=firm, first=begin + 1)
        root = placing.place(pieces[begin : -1 if closed else None], offsets[begin:])
        if closed and headed and (not control or last[1:] != [str(len(pieces)), control]):
            found += _trailer_problems(last, len(pieces), control, at, offsets[len(pieces) - 1])
        if span.length > self.profile.max_element:
            found += length_problems(map(service.segment, pieces), offsets, self.profile.max_element, at)
        found += placing.problems
        return _decoded(root, first if headed else [], known, facts, found)

    def _segments(self, name: str, version: str, service: Service) -> tuple[Segments, bool]:
        key = (name, version, service)
        if key not in self._known:
            guide, firm = choose_guide("edifact", name, ".".join(version.split(":")[:2]), self.profile)
            compiled = machine(guide, service.element, service.component)
            self._known[key] = (Segments(compiled, service.segment), firm)
        return self._known[key]


def cut_message(raw: bytes, service: Service, charset: str, syntax_id: str, start: int) -> Cut | None:
    """Cut a message into its segments; None where the bytes are not in the agreed character set.

    White space between segments belongs to none; the first byte is at `start`.
    """
    text, charset = _text(raw, charset, syntax_id)
    if text is None:
        return None
    escaped = service.escape(text)
    even = evenly_cut(escaped, raw, service.terminator, start)
    if even is not None:
        return even
    pieces = escaped.split(service.terminator)
    parts = pieces if charset != "utf-8" else _raw_pieces(raw, service)
    return trimmed(pieces, offsets_of(parts, 1, start))


def _text(raw: bytes, charset: str, syntax_id: str) -> tuple[str | None, str]:
    """Return the characters and the set they were read by: the agreed one, else UTF-8 where it fits, else UNB's."""
    if raw.isascii():
        return raw.decode("ascii"), "ascii"
    wanted = [charset] if charset else ["utf-8", CHARSETS.get(syntax_id, "latin-1").replace("ascii", "latin-1")]
    for name in wanted:
        try:
            return raw.decode(name), name
        except (UnicodeDecodeError, LookupError):
            continue
    return None, ""


def _raw_pieces(raw: bytes, service: Service) -> list[str]:
    return service.split(raw.decode("latin-1"))


def _version(header: Sequence[Any]) -> str:
    """Return version, release and agency of a UNH: D:96A:UN."""
    return ":".join(part(header, 2, component) for component in (2, 3, 4)).rstrip(":")


def _trailer_problems(trailer: list[Any], count: int, control: str, at: Position, offset: int) -> Iterator[Problem]:
    stated, closing = part(trailer, 1), part(trailer, 2)
    node = Node("UNT", trailer, {}, count, offset)
    if not (stated.isdecimal() and int(stated) == count):
        yield problem("set_count_wrong", at, node, Fault("set_count_wrong", 1, 0, stated))
    if closing != control:
        yield problem("set_control_mismatch", at, node, Fault("set_control_mismatch", 2, 0, closing))
    if not control:
        yield problem("set_control_missing", at, Node("UNH", ["UNH"], {}, 1, at.offset))


def _decoded(
    root: Node, header: Sequence[Any], known: Parties, facts: dict[str, str], found: Sequence[Problem]
) -> Decoded:
    association = part(header, 2, 5)
    return Decoded(
        tree=root, set=part(header, 2), version=_version(header), sender=known.sender, receiver=known.receiver,
        test=known.test, controls=(known.interchange, known.group, part(header, 1)), problems=tuple(found),
        facts={**facts, "association": association} if association else facts,
    )  # fmt: skip


def decode(body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
    """Yield each message of a frame; `body` is the frame's bytes."""
    context = msgspec.msgpack.decode(frame.context, type=Context)
    return Reader(context, profile).sets(body)
