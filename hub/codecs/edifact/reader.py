"""Decoding one frame of EDIFACT: each message becomes a tree; what is wrong with it travels with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hub.codecs.edifact.envelope import CHARSETS, Service, part, service_of
from hub.codecs.elements import Fault
from hub.codecs.frames import Context, Span
from hub.codecs.machine import Machine, machine
from hub.codecs.placing import Placing, offsets_of, problem
from hub.codecs.reading import (
    REFUSED,
    choose_guide,
    envelope_problems,
    length_problems,
    party,
    position_of,
    trimmed,
)  # fmt: skip
from hub.domain.errors import Position, Problem
from hub.domain.tree import Decoded, Node
from hub.ports import Frame, Profile


class Reader:
    """Reads the messages of one frame."""

    def __init__(self, context: Context, profile: Profile) -> None:
        self.context = context
        self.profile = profile
        self.heads = set(context.heads)
        self._machines: dict[tuple[int, str], tuple[Machine, bool]] = {}

    def sets(self, body: bytes) -> Iterator[Decoded]:
        """Yield every message of the frame, in order."""
        for index, span in enumerate(self.context.spans):
            decoded = self._one(body[span.start : span.start + span.length], span)
            decoded.ordinal = self.context.first + index
            yield decoded

    def _one(self, raw: bytes, span: Span) -> Decoded:
        facts = self.context.envelopes[span.envelope].facts
        found = envelope_problems(self.context, self.heads, span.envelope, self.profile)
        if span.code in REFUSED:
            return _decoded(Node("", [""]), [], facts, found)
        start = self.context.offset + span.start
        text, charset = _text(raw, self.profile.charset, facts.get("syntax_id", ""))
        if text is None:
            found.append(problem("set_undecodable", position_of(facts, "", start)))
            return _decoded(Node("", [""]), [], facts, found)
        service = service_of(facts)
        pieces = service.split(text)
        lengths = [len(piece) + 1 for piece in pieces]
        if not raw.isascii():
            lengths = [len(piece) + 1 for piece in _raw_pieces(raw, service)] if charset == "utf-8" else lengths
        kept, offsets = trimmed(pieces, offsets_of(lengths, start))
        if len(kept) > self.profile.max_segments:
            found.append(problem("set_too_large", position_of(facts, "", start)))
            kept, offsets = kept[:1], offsets[:1]
        return self._message(kept, offsets, facts, found, span, service)

    def _message(
        self, pieces: list[str], offsets: list[int], facts: dict[str, str], found: list[Problem], span: Span,
        service: Service,
    ) -> Decoded:  # fmt: skip
        segments: list[list[Any]] = [service.elements(piece) for piece in pieces]
        for elements in segments:
            if isinstance(elements[0], list):
                elements[0] = elements[0][0]
        first = segments[0] if segments else [""]
        headed = first[0] == "UNH"
        name, control = (part(first, 2), part(first, 1)) if headed else ("", "")
        at = position_of(facts, control, offsets[0] if offsets else 0)
        if span.code:
            found.append(problem(span.code, at, Node(first[0][:3], first, {}, 1, at.offset)))
        closed = len(segments) > 1 and segments[-1][0] == "UNT"
        inner = slice(1 if headed else 0, -1 if closed else None)
        compiled, firm = self._machine(span.envelope, name, _version(first), service)
        placing = Placing(compiled, at, firm=firm, first=2 if headed else 1)
        root = placing.place(pieces[inner], segments[inner], offsets[inner])
        if closed and headed:
            found += _trailer_problems(segments[-1], len(segments), control, at, offsets[len(segments) - 1])
        found += length_problems(segments, offsets, self.profile.max_element, at)
        found += placing.problems
        return _decoded(root, first if headed else [], facts, found)

    def _machine(self, envelope: int, name: str, version: str, service: Service) -> tuple[Machine, bool]:
        key = (envelope, f"{name} {version}")
        if key not in self._machines:
            guide, firm = choose_guide("edifact", name, ".".join(version.split(":")[:2]), self.profile)
            self._machines[key] = (machine(guide, service.element, service.component), firm)
        return self._machines[key]


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


def _decoded(root: Node, header: Sequence[Any], facts: dict[str, str], found: Sequence[Problem]) -> Decoded:
    association = part(header, 2, 5)
    return Decoded(
        tree=root, set=part(header, 2), version=_version(header),
        sender=party(facts, "sender"), receiver=party(facts, "receiver"), test=facts.get("usage", "") == "1",
        controls=(facts.get("interchange_control", ""), facts.get("group_control", ""), part(header, 1)),
        problems=tuple(found), facts={**facts, "association": association} if association else facts,
    )  # fmt: skip


def decode(body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
    """Yield each message of a frame; `body` is the frame's bytes."""
    context = msgspec.msgpack.decode(frame.context, type=Context)
    return Reader(context, profile).sets(body)
