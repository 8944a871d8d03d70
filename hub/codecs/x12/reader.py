"""Decoding one frame of X12: each set becomes a tree; what is wrong with it travels with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hub.codecs.elements import Fault
from hub.codecs.frames import Context, Span
from hub.codecs.guide import Guide
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

_BINARY = re.compile(rb"(?:BIN|BDS)")


class Reader:
    """Reads the sets of one frame; guides and separators are looked up once for each envelope."""

    def __init__(self, context: Context, profile: Profile) -> None:
        self.context = context
        self.profile = profile
        self._heads = set(context.heads)
        self._machines: dict[tuple[int, str], tuple[Machine, bool]] = {}

    def sets(self, body: bytes) -> Iterator[Decoded]:
        """Yield every set of the frame, in order."""
        for index, span in enumerate(self.context.spans):
            ordinal = self.context.first + index
            decoded = self._one(body[span.start : span.start + span.length], span)
            decoded.ordinal = ordinal
            yield decoded

    def _one(self, raw: bytes, span: Span) -> Decoded:
        facts = self.context.envelopes[span.envelope].facts
        found = envelope_problems(self.context, self._heads, span.envelope, self.profile)
        if span.code in REFUSED:
            return _decoded(Node("", [""]), "", ("", ""), facts, found)
        text = _text(raw, self.profile.charset)
        if text is None:
            at = position_of(facts, "", self.context.offset + span.start)
            found.append(problem("set_undecodable", at))
            return _decoded(Node("", [""]), "", ("", ""), facts, found)
        pieces, offsets = self._pieces(raw, text, facts, self.context.offset + span.start)
        if len(pieces) > self.profile.max_segments:
            found.append(problem("set_too_large", position_of(facts, "", offsets[0])))
            pieces, offsets = pieces[:1], offsets[:1]
        return self._set(pieces, offsets, facts, found, span)

    def _pieces(self, raw: bytes, text: str, facts: dict[str, str], start: int) -> tuple[list[str], list[int]]:
        """Return the segments as text and where each begins; white space between segments belongs to none."""
        terminator = facts["terminator"]
        if _BINARY.search(raw) is not None:
            return _pieces_with_binary(raw, facts, start)
        if len(text) == len(raw) and terminator.isascii():
            pieces = text.split(terminator)
            offsets = offsets_of([len(piece) + len(terminator) for piece in pieces], start)
        else:
            parts = raw.split(terminator.encode("latin-1"))
            pieces = [_text(part, self.profile.charset) or "" for part in parts]
            offsets = offsets_of([len(part) + len(terminator) for part in parts], start)
        if "\n" in text or "\r" in text or terminator + " " in text or text[0] == " ":
            return trimmed(pieces, offsets)
        if not pieces[-1]:
            pieces.pop()
        return pieces, offsets

    def _set(
        self, pieces: list[str], offsets: list[int], facts: dict[str, str], found: list[Problem], span: Span
    ) -> Decoded:
        mark, component = facts["element"], facts["component"]
        segments: list[list[Any]] = [piece.split(mark) for piece in pieces]
        first = segments[0] if segments else [""]
        if span.code == "TA1":
            root = Node("", [""], {"TA1": [Node("TA1", first, {}, 1, offsets[0])]})
            return _decoded(root, "TA1", ("TA1", ""), facts, found)
        headed = first[0] == "ST"
        name = first[1].strip() if headed and len(first) > 1 else ""
        control = first[2].strip() if headed and len(first) > 2 else ""
        at = position_of(facts, control, offsets[0] if offsets else 0)
        if span.code:
            found.append(problem(span.code, at, Node(first[0][:3], first, {}, 1, at.offset)))
        closed = len(segments) > 1 and segments[-1][0] == "SE"
        inner = slice(1 if headed else 0, -1 if closed else None)
        compiled, firm = self._machine(span.envelope, name, facts)
        if any(component in piece for piece in pieces[inner]):
            found += _split_components(segments, offsets, compiled.guide, component, at)
        placing = Placing(compiled, at, firm=firm, first=2 if headed else 1)
        root = placing.place(pieces[inner], segments[inner], offsets[inner])
        if closed:
            found += _trailer_problems(segments[-1], len(segments), control, headed, at, offsets[len(segments) - 1])
        found += length_problems(segments, offsets, self.profile.max_element, at)
        found += placing.problems
        return _decoded(root, name, (name, control), facts, found)

    def _machine(self, envelope: int, name: str, facts: dict[str, str]) -> tuple[Machine, bool]:
        key = (envelope, name)
        if key not in self._machines:
            guide, firm = choose_guide("x12", name, facts.get("group_version", ""), self.profile)
            self._machines[key] = (machine(guide, facts["element"], facts["component"]), firm)
        return self._machines[key]


def _text(raw: bytes, charset: str) -> str | None:
    """Return the characters: ASCII, else the agreed set, else UTF-8, else Latin-1; None where the agreed one fails."""
    if raw.isascii():
        return raw.decode("ascii")
    try:
        return raw.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return None if charset else raw.decode("latin-1")


def _pieces_with_binary(raw: bytes, facts: dict[str, str], start: int) -> tuple[list[str], list[int]]:
    """Cut a set that holds BIN or BDS by their length fields; data becomes one character for each byte."""
    terminator, mark = facts["terminator"].encode("latin-1"), facts["element"].encode("latin-1")
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


def _split_components(
    segments: list[list[Any]], offsets: Sequence[int], guide: Guide, component: str, at: Position
) -> Iterator[Problem]:
    """Split composites in place; what the dictionary knows to be plain text stays whole, with a warning."""
    for number, (elements, offset) in enumerate(zip(segments, offsets, strict=False), 1):
        rules = guide.elements.get(elements[0], ())
        for index in range(1, len(elements)):
            if component not in elements[index]:
                continue
            if index > len(rules) or rules[index - 1].kind == "C":
                elements[index] = elements[index].split(component)
            else:
                fault = Fault("component_unexpected", index, 0, elements[index])
                node = Node(elements[0], elements, {}, number, offset)
                yield problem("component_unexpected", at, node, fault, severity="warning")


def _trailer_problems(
    trailer: list[Any], count: int, control: str, headed: bool, at: Position, offset: int
) -> Iterator[Problem]:
    stated, closing = [str(value).strip() for value in (*trailer[1:3], "", "")][:2]
    node = Node("SE", trailer, {}, count, offset)
    if not (stated.isdecimal() and int(stated) == count) and headed:
        yield problem("set_count_wrong", at, node, Fault("set_count_wrong", 1, 0, stated))
    if headed and closing != control:
        yield problem("set_control_mismatch", at, node, Fault("set_control_mismatch", 2, 0, closing))
    if headed and not control:
        yield problem("set_control_missing", at, Node("ST", ["ST"], {}, 1, at.offset))


def _decoded(
    root: Node, name: str, control: tuple[str, str], facts: dict[str, str], found: Sequence[Problem]
) -> Decoded:
    return Decoded(
        tree=root, set=name, version=facts.get("group_version", ""),
        sender=party(facts, "sender"), receiver=party(facts, "receiver"), test=facts.get("usage", "") == "T",
        controls=(facts.get("interchange_control", ""), facts.get("group_control", ""), control[1]),
        problems=tuple(found), facts=facts,
    )  # fmt: skip


def decode(body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
    """Yield each set of a frame; `body` is the frame's bytes."""
    context = msgspec.msgpack.decode(frame.context, type=Context)
    return Reader(context, profile).sets(body)
