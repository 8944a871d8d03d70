"""Decoding one frame of X12: each set becomes a tree; what is wrong with it travels with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hub.codecs.elements import Fault
from hub.codecs.frames import Context, Span
from hub.codecs.guide import EMPTY, Guide, guides_of, load_guide
from hub.codecs.machine import Machine, machine
from hub.codecs.placing import Placing, offsets_of, problem
from hub.codecs.x12.envelope import Envelope
from hub.domain.errors import Position, Problem, Severity
from hub.domain.tree import Decoded, Node
from hub.ports import Frame, Profile

_BINARY = re.compile(rb"(?:BIN|BDS)")
_REFUSED = frozenset({
    "interchange_header_missing", "interchange_header_damaged", "interchange_empty", "interchange_too_large",
    "group_empty",
})  # fmt: skip


class Reader:
    """Reads the sets of one frame; guides and separators are looked up once for each envelope."""

    def __init__(self, context: Context, profile: Profile) -> None:
        self.context = context
        self.profile = profile
        self.envelopes = [msgspec.convert(each, Envelope) for each in context.envelopes]
        self._heads = set(context.heads)
        self._machines: dict[tuple[int, str], tuple[Machine, bool]] = {}
        strict = profile.options.get("envelope_errors", "accept") == "reject"
        self._severity: Severity = "error" if strict else "warning"

    def sets(self, body: bytes) -> Iterator[Decoded]:
        """Yield every set of the frame, in order."""
        for index, span in enumerate(self.context.spans):
            ordinal = self.context.first + index
            decoded = self._one(body[span.start : span.start + span.length], span)
            decoded.ordinal = ordinal
            yield decoded

    def _one(self, raw: bytes, span: Span) -> Decoded:
        facts = self.envelopes[span.envelope].facts
        found = self._envelope_problems(span.envelope)
        if span.code in _REFUSED:
            return _decoded(Node("", [""]), "", ("", ""), facts, found)
        text = _text(raw, self.profile.charset)
        if text is None:
            at = self._position(facts, "", self.context.offset + span.start)
            found.append(problem("set_undecodable", at))
            return _decoded(Node("", [""]), "", ("", ""), facts, found)
        pieces, offsets = self._pieces(raw, text, facts, self.context.offset + span.start)
        if len(pieces) > self.profile.max_segments:
            found.append(problem("set_too_large", self._position(facts, "", offsets[0])))
            pieces, offsets = pieces[:1], offsets[:1]
        return self._set(pieces, offsets, facts, found, span)

    def _envelope_problems(self, index: int) -> list[Problem]:
        if index not in self._heads:
            return []
        self._heads.discard(index)
        found = self.envelopes[index].problems
        if self._severity == "warning":
            return list(found)
        return [msgspec.structs.replace(each, severity="error") for each in found]

    def _position(self, facts: dict[str, str], control: str, offset: int) -> Position:
        return Position(
            interchange=facts.get("interchange_control", ""), group=facts.get("group_control", ""), set=control,
            offset=offset,
        )  # fmt: skip

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
            return _trimmed(pieces, offsets)
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
        at = self._position(facts, control, offsets[0] if offsets else 0)
        if span.code:
            found.append(problem(span.code, at, Node(first[0][:3], first, {}, 1, at.offset)))
        closed = len(segments) > 1 and segments[-1][0] == "SE"
        inner = slice(1 if headed else 0, -1 if closed else None)
        compiled, firm = self._machine(span.envelope, name, facts)
        if any(component in piece for piece in pieces[inner]):
            _split_components(segments, compiled.guide, component)
        placing = Placing(compiled, at, firm=firm, first=2 if headed else 1)
        root = placing.place(pieces[inner], segments[inner], offsets[inner])
        if closed:
            found += _trailer_problems(segments[-1], len(segments), control, headed, at, offsets[len(segments) - 1])
        found += _length_problems(segments, offsets, self.profile.max_element, at)
        found += placing.problems
        return _decoded(root, name, (name, control), facts, found)

    def _machine(self, envelope: int, name: str, facts: dict[str, str]) -> tuple[Machine, bool]:
        key = (envelope, name)
        if key not in self._machines:
            guide, firm = choose_guide("x12", name, facts.get("group_version", ""), self.profile)
            self._machines[key] = (machine(guide, facts["element"], facts["component"]), firm)
        return self._machines[key]


def choose_guide(syntax: str, name: str, version: str, profile: Profile) -> tuple[Guide, bool]:
    """Return the guide for a set, and whether its findings refuse (it was agreed) or only warn (our own dictionary)."""
    options = profile.options
    overlay = msgspec.json.encode(options["overlay"], order="sorted") if options.get("overlay") else b""
    wanted = dict(options.get("guides", {})).get(name, profile.guide)
    if wanted:
        guide = load_guide(wanted, overlay)
        if guide.set == name:
            return guide, True
    known = guides_of(syntax, name)
    if not known:
        return EMPTY, False
    exact = [each for versions, each in known if version[:6] in versions]
    older = [each for versions, each in known if versions[0] <= version[:6]]
    return load_guide((exact or older or [known[0][1]])[-1]), False


def _text(raw: bytes, charset: str) -> str | None:
    """Return the characters: ASCII, else the agreed set, else UTF-8, else Latin-1; None where the agreed one fails."""
    if raw.isascii():
        return raw.decode("ascii")
    try:
        return raw.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return None if charset else raw.decode("latin-1")


def _trimmed(pieces: Sequence[str], offsets: Sequence[int]) -> tuple[list[str], list[int]]:
    """Drop white space before segments, line ends inside them, and what is empty."""
    kept, places = [], []
    for piece, offset in zip(pieces, offsets, strict=False):
        bare = piece.lstrip()
        if not bare or bare == "\x1a":
            continue
        places.append(offset + len(piece) - len(bare))
        kept.append(bare.replace("\r", "").replace("\n", "") if "\n" in bare or "\r" in bare else bare)
    return kept, places


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


def _split_components(segments: list[list[Any]], guide: Guide, component: str) -> None:
    """Split composites in place, but leave whole what the dictionary knows to be plain text."""
    for elements in segments:
        rules = guide.elements.get(elements[0], ())
        for index in range(1, len(elements)):
            if component in elements[index] and (index > len(rules) or rules[index - 1].kind == "C"):
                elements[index] = elements[index].split(component)


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


def _length_problems(
    segments: Sequence[list[Any]], offsets: Sequence[int], most: int, at: Position
) -> Iterator[Problem]:
    """Yield elements longer than the cap of the profile; the offsets say at once whether any can be."""
    if not offsets or offsets[-1] - offsets[0] + len(str(segments[-1])) <= most:
        return
    for number, (elements, offset) in enumerate(zip(segments, offsets, strict=False), 1):
        for position, value in enumerate(elements):
            if len(value) > most:
                fault = Fault("element_too_long", position, 0, str(value)[:20])
                yield problem("element_too_long", at, Node(elements[0][:3], elements, {}, number, offset), fault)


def _decoded(
    root: Node, name: str, control: tuple[str, str], facts: dict[str, str], found: Sequence[Problem]
) -> Decoded:
    return Decoded(
        tree=root, set=name, version=facts.get("group_version", ""),
        sender=party(facts, "sender"), receiver=party(facts, "receiver"), test=facts.get("usage", "") == "T",
        controls=(facts.get("interchange_control", ""), facts.get("group_control", ""), control[1]),
        problems=tuple(found), facts=facts,
    )  # fmt: skip


def party(facts: dict[str, str], who: str) -> str:
    """Return `qualifier:id`, or the id alone where there is no qualifier."""
    qualifier, identity = facts.get(f"{who}_qualifier", ""), facts.get(f"{who}_id", "")
    return f"{qualifier}:{identity}" if qualifier else identity


def decode(body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
    """Yield each set of a frame; `body` is the frame's bytes."""
    context = msgspec.msgpack.decode(frame.context, type=Context)
    return Reader(context, profile).sets(body)
