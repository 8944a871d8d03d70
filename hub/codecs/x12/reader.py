"""Decoding one frame of X12: each set becomes a tree; what is wrong with it travels with it."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hub.codecs.cutting import Cut, evenly_cut, offsets_of, trimmed
from hub.codecs.elements import Element, Fault
from hub.codecs.frames import Context, Span
from hub.codecs.machine import machine
from hub.codecs.placing import Placing, problem
from hub.codecs.reading import REFUSED, Parties, choose_guide, envelope_problems, length_problems, parties
from hub.codecs.segments import Segments
from hub.domain.errors import Position, Problem
from hub.domain.tree import Decoded, Node
from hub.ports import Frame, Profile

_BINARY = ("BIN", "BDS")


class Reader:
    """Reads the sets of one frame; guides and separators are looked up once for each envelope."""

    def __init__(self, context: Context, profile: Profile) -> None:
        self.context = context
        self.profile = profile
        self._heads = set(context.heads)
        self._parties = [parties(envelope.facts, "T") for envelope in context.envelopes]
        self._known: dict[tuple[str, ...], tuple[Segments, bool]] = {}

    def sets(self, body: bytes) -> Iterator[Decoded]:
        """Yield every set of the frame, in order."""
        for ordinal, span in enumerate(self.context.spans, self.context.first):
            decoded = self._one(body[span.start : span.start + span.length], span)
            decoded.ordinal = ordinal
            yield decoded

    def _one(self, raw: bytes, span: Span) -> Decoded:
        facts, known = self.context.envelopes[span.envelope].facts, self._parties[span.envelope]
        found = envelope_problems(self.context, self._heads, span.envelope, self.profile)
        if span.code in REFUSED:
            return _decoded(Node("", [""]), ("", ""), known, facts, found)
        start = self.context.offset + span.start
        cut = cut_set(raw, facts["terminator"], facts["element"], self.profile.charset, start)
        if cut is None:
            found.append(problem("set_undecodable", known.place("", start)))
            return _decoded(Node("", [""]), ("", ""), known, facts, found)
        pieces, offsets = cut
        if len(pieces) > self.profile.max_segments:
            found.append(problem("set_too_large", known.place("", offsets[0])))
            pieces, offsets = pieces[:1], offsets[:1]
        return self._set(pieces, offsets, found, span)

    def _set(self, pieces: list[str], offsets: list[int], found: list[Problem], span: Span) -> Decoded:
        facts, known = self.context.envelopes[span.envelope].facts, self._parties[span.envelope]
        mark = facts["element"]
        first: list[Any] = pieces[0].split(mark) if pieces else [""]
        last: list[Any] = pieces[-1].split(mark) if len(pieces) > 1 else [""]
        if span.code == "TA1":
            root = Node("", [""], {"TA1": [Node("TA1", first, {}, 1, offsets[0])]})
            return _decoded(root, ("TA1", ""), known, facts, found)
        headed, closed = first[0] == "ST", last[0] == "SE"
        name = first[1].strip() if headed and len(first) > 1 else ""
        control = first[2].strip() if headed and len(first) > 2 else ""
        at = known.place(control, offsets[0] if offsets else 0)
        if span.code:
            found.append(problem(span.code, at, Node(first[0][:3], first, {}, 1, at.offset)))
        begin = 1 if headed else 0
        inner = pieces[begin : -1 if closed else None]
        segments, firm = self._segments(name, facts)
        composite = facts["component"] in "".join(inner)
        if composite:
            found += _component_problems(pieces, offsets, segments, at)
            last = segments.whole(pieces[-1])
        placing = Placing(segments, at, firm=firm, first=begin + 1)
        root = placing.place(inner, offsets[begin:])
        if closed and headed and (not control or last[1:] != [str(len(pieces)), control]):
            found += _trailer_problems(last, len(pieces), control, at, offsets[len(pieces) - 1])
        if span.length > self.profile.max_element:
            split = segments.whole if composite else operator.methodcaller("split", mark)
            found += length_problems(map(split, pieces), offsets, self.profile.max_element, at)
        found += placing.problems
        return _decoded(root, (name, control), known, facts, found)

    def _segments(self, name: str, facts: dict[str, str]) -> tuple[Segments, bool]:
        version, mark, component = facts.get("group_version", ""), facts["element"], facts["component"]
        key = (name, version, mark, component)
        if key not in self._known:
            guide, firm = choose_guide("x12", name, version, self.profile)
            whole = functools.partial(_whole, guide.elements, mark, component)
            self._known[key] = (Segments(machine(guide, mark, component), whole), firm)
        return self._known[key]


def cut_set(raw: bytes, terminator: str, mark: str, charset: str, start: int) -> Cut | None:
    """Cut a set into its segments; None where the bytes are not in the agreed character set.

    White space between segments belongs to none; the first byte is at `start`.
    """
    text = _text(raw, charset)
    if text is None:
        return None
    even = evenly_cut(text, raw, terminator, start, _BINARY)
    if even is not None:
        return even
    if _holds_binary(raw, terminator.encode("latin-1"), mark.encode("latin-1")):
        return _pieces_with_binary(raw, terminator.encode("latin-1"), mark.encode("latin-1"), start)
    return _unevenly_cut(raw, text, terminator, charset, start)


def _unevenly_cut(raw: bytes, text: str, terminator: str, charset: str, start: int) -> Cut:
    if len(text) == len(raw) and terminator.isascii():
        pieces = text.split(terminator)
        offsets = offsets_of(pieces, len(terminator), start)
    else:
        parts = raw.split(terminator.encode("latin-1"))
        pieces = [_text(part, charset) or "" for part in parts]
        offsets = offsets_of(parts, len(terminator), start)
    if "\n" in text or "\r" in text or terminator + " " in text or text[0] == " ":
        return trimmed(pieces, offsets)
    if not pieces[-1]:
        pieces.pop()
    return pieces, offsets


def _text(raw: bytes, charset: str) -> str | None:
    """Return the characters: ASCII, else the agreed set, else UTF-8, else Latin-1; None where the agreed one fails."""
    if raw.isascii():
        return raw.decode("ascii")
    try:
        return raw.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return None if charset else raw.decode("latin-1")


def _holds_binary(raw: bytes, terminator: bytes, mark: bytes) -> bool:
    """Say whether a segment is BIN or BDS, whose data may hold terminators; a word such as CABINET is none."""
    marks = re.escape(terminator), re.escape(mark)
    return re.search(rb"(?:^|%b)\s*(?:BIN|BDS)%b" % marks, raw) is not None


def _pieces_with_binary(raw: bytes, terminator: bytes, mark: bytes, start: int) -> Cut:
    """Cut a set that holds BIN or BDS by their length fields; data becomes one character for each byte."""
    pieces, offsets, at = [], [], 0
    while at < len(raw):
        at += len(raw[at:]) - len(raw[at:].lstrip()) if raw[at : at + 1].isspace() else 0
        head = re.compile(rb"BIN%b(\d{1,15})%b|BDS%b[^%b]*%b(\d{1,15})%b" % ((re.escape(mark),) * 6)).match(raw, at)
        end = head.end() + int(head[1] or head[2]) if head else raw.find(terminator, at)
        end = len(raw) if end < 0 else min(end, len(raw))
        if end > at:
            pieces.append(raw[at:end].decode("latin-1"))
            offsets.append(start + at)
        at = end + len(terminator)
    return pieces, offsets


def _whole(rules: Mapping[str, Sequence[Element]], mark: str, component: str, piece: str) -> list[Any]:
    """Split a segment into elements and components; what the dictionary knows to be plain text stays whole."""
    elements: list[Any] = piece.split(mark)
    own = rules.get(elements[0], ())
    for index in range(1, len(elements)):
        if component in elements[index] and (index > len(own) or own[index - 1].kind == "C"):
            elements[index] = elements[index].split(component)
    return elements


def _component_problems(
    pieces: Sequence[str], offsets: Sequence[int], segments: Segments, at: Position
) -> Iterator[Problem]:
    """Warn of text that holds the component separator and stays whole."""
    component = segments.machine.component
    for number, (piece, offset) in enumerate(zip(pieces, offsets, strict=False), 1):
        if component not in piece:
            continue
        elements = segments.whole(piece)
        for index, value in enumerate(elements[1:], 1):
            if isinstance(value, str) and component in value:
                node = Node(elements[0], elements, {}, number, offset)
                fault = Fault("component_unexpected", index, 0, value)
                yield problem("component_unexpected", at, node, fault, severity="warning")


def _trailer_problems(trailer: list[Any], count: int, control: str, at: Position, offset: int) -> Iterator[Problem]:
    stated, closing = [str(value).strip() for value in (*trailer[1:3], "", "")][:2]
    node = Node("SE", trailer, {}, count, offset)
    if not (stated.isdecimal() and int(stated) == count):
        yield problem("set_count_wrong", at, node, Fault("set_count_wrong", 1, 0, stated))
    if closing != control:
        yield problem("set_control_mismatch", at, node, Fault("set_control_mismatch", 2, 0, closing))
    if not control:
        yield problem("set_control_missing", at, Node("ST", ["ST"], {}, 1, at.offset))


def _decoded(
    root: Node, named: tuple[str, str], known: Parties, facts: dict[str, str], found: Sequence[Problem]
) -> Decoded:
    return Decoded(
        tree=root, set=named[0], version=facts.get("group_version", ""), sender=known.sender, receiver=known.receiver,
        test=known.test, controls=(known.interchange, known.group, named[1]), problems=tuple(found), facts=facts,
    )  # fmt: skip


def decode(body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
    """Yield each set of a frame; `body` is the frame's bytes."""
    context = msgspec.msgpack.decode(frame.context, type=Context)
    return Reader(context, profile).sets(body)
