"""A fast scan of X12 bytes: where the interchanges, groups and sets begin and end, and what their envelopes say.

The scan looks at envelope segments only (one compiled pattern per interchange) and never splits the body.
Its result is cut into frames, each of which can be decoded alone.
"""

from __future__ import annotations

import re

from hub.codecs.frames import Envelope, Span, cut
from hub.codecs.x12.envelope import Header, Separators, group_facts, problem_at, read_header
from hub.domain.errors import Problem
from hub.ports import Frame, Profile

_ISA = re.compile(rb"(?<![A-Za-z0-9])I[\r\n]*S[\r\n]*A(?=[^A-Za-z0-9\s])")
_LOOK = 20_000
_TAGS = (b"ISA", b"IEA", b"GS", b"GE", b"ST", b"SE", b"TA1", b"BIN", b"BDS")


class Scan:
    """One pass over a body; `spans` are the sets in order, `envelopes` their groups."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.spans: list[Span] = []
        self.envelopes: list[Envelope] = []
        self._interchange: dict[str, str] | None = None
        self._separators = Separators(b"*", b"~", b">", b"")
        self._pending: list[Problem] = []
        self._group: Envelope | None = None
        self._groups = self._sets = 0
        self._first = 0
        self._open = -1
        self._last = 0
        self._controls: set[bytes] = set()

    def run(self) -> Scan:
        """Scan everything."""
        at = 0
        while (match := _ISA.search(self.body, at)) is not None:
            header = read_header(self.body, match.start())
            if header is None:
                at = self._unreadable(match.start(), match.end())
                continue
            self._begin(match.start(), header)
            at = self._walk(header.end)
        self._end_interchange(len(self.body), "")
        if not self.spans:
            self._lone("interchange_header_missing", 0)
        return self

    def _unreadable(self, start: int, end: int) -> int:
        self._end_interchange(start, "")
        if not self.spans or self.spans[-1].code != "interchange_header_damaged":
            self._lone("interchange_header_damaged", start)
        return end

    def _lone(self, code: str, offset: int) -> None:
        """Add a place for a problem that belongs to no set."""
        facts = dict(self._interchange or {"syntax": "x12"})
        value = self.body[offset : offset + 60].decode("latin-1")
        self.envelopes.append(Envelope(facts, [problem_at(code, facts, offset, value, severity="error")]))
        self.spans.append(Span(offset, min(1, len(self.body) - offset), len(self.envelopes) - 1, code))

    def _begin(self, start: int, header: Header) -> None:
        self._end_interchange(start, "")
        self._interchange = header.facts
        self._separators = header.separators
        self._groups = 0
        self._first = len(self.spans)
        self._last = header.end
        self._pending = []
        if header.code:
            self._pending.append(problem_at(header.code, header.facts, start, tag="ISA"))

    def _walk(self, at: int) -> int:
        """Walk the envelope segments of one interchange; return where it ends."""
        search = _pattern(self._separators, _is_wrapped(self.body, self._separators.terminator, at)).search
        handlers = {
            b"GS": self._on_gs, b"GE": self._on_ge, b"SE": self._on_se, b"TA1": self._on_ta1,
        }  # fmt: skip
        at -= len(self._separators.terminator)
        while (match := search(self.body, at)) is not None:
            tag = match[1] if len(match[1]) < 4 else _unwrap(match[1])
            if tag == b"ST":
                self._on_st(match.start(1))
                at = match.end() - 1
                continue
            if tag == b"ISA":
                return match.start(1)
            end = self._end_of(match.end())
            if tag == b"IEA":
                self._on_iea(match.start(1), end)
                return end
            if tag in handlers:
                handlers[tag](match.start(1), end)
            else:
                end = self._binary_end(match.start(1), match.end(), tag)
            at = max(match.end() - 1, end - len(self._separators.terminator))
        return len(self.body)

    def _end_of(self, at: int) -> int:
        found = self.body.find(self._separators.terminator, at)
        return len(self.body) if found < 0 else found + len(self._separators.terminator)

    def _binary_end(self, start: int, at: int, tag: bytes) -> int:
        """Return the end of a segment whose data may hold terminators: its own length field says how long it is."""
        first = at
        if tag == b"BDS":
            first = self.body.find(self._separators.element, at, at + 20) + 1
        mark = self.body.find(self._separators.element, first, first + 20)
        length = self.body[first:mark] if mark > 0 else b""
        if not length.isdigit():
            return self._end_of(at)
        return min(len(self.body), mark + 1 + int(length) + len(self._separators.terminator))

    def _elements(self, start: int, end: int) -> list[str]:
        raw = self.body[start:end].removesuffix(self._separators.terminator)
        return _unwrap(raw).decode("latin-1").split(self._separators.element.decode("latin-1"))

    def _on_gs(self, start: int, end: int) -> None:
        self._end_group(start, "")
        facts = {**(self._interchange or {}), **group_facts(self._elements(start, end))}
        self._open_group(facts)
        self._last = end

    def _open_group(self, facts: dict[str, str]) -> Envelope:
        group = Envelope(facts, self._pending)
        self._pending = []
        self.envelopes.append(group)
        self._group = group
        self._groups += 1
        self._sets = 0
        self._controls = set()
        return group

    def _on_st(self, start: int) -> None:
        if self._open >= 0:
            self._close_set(start, "set_trailer_missing")
        self._open = start

    def _on_se(self, start: int, end: int) -> None:
        code = ""
        if self._open < 0:
            self._open, code = self._last, "set_header_missing"
        self._close_set(end, code)

    def _close_set(self, end: int, code: str) -> None:
        if self._group is None:
            group = self._open_group(dict(self._interchange or {}))
            group.problems.append(problem_at("group_header_missing", group.facts, self._open))
            self._groups -= 1
        control = self._control(self._open)
        if not code and control in self._controls:
            code = "set_control_repeated"
        if code != "set_header_missing":
            self._controls.add(control)
        self.spans.append(Span(self._open, end - self._open, len(self.envelopes) - 1, code))
        self._sets += 1
        self._open = -1
        self._last = end

    def _control(self, start: int) -> bytes:
        mark = self.body.find(self._separators.element, start + 3, start + 20)
        end = self.body.find(self._separators.terminator, mark, mark + 60) if mark > 0 else -1
        return self.body[mark:end].split(self._separators.element)[1] if end > mark else b""

    def _on_ge(self, start: int, end: int) -> None:
        if self._open >= 0:
            self._close_set(start, "set_trailer_missing")
        if self._group is None:
            return
        elements = [*self._elements(start, end), "", ""]
        facts, found = self._group.facts, self._group.problems
        facts["group_count"] = elements[1].strip()
        if not _counts(elements[1], self._sets):
            found.append(problem_at("group_count_wrong", facts, start, elements[1], tag="GE"))
        if not _same_number(elements[2], facts.get("group_control", "")):
            found.append(problem_at("group_control_mismatch", facts, start, elements[2], tag="GE"))
        self._end_group(start, "closed")
        self._last = end

    def _end_group(self, at: int, how: str) -> None:
        if self._open >= 0:
            self._close_set(at, "set_trailer_missing")
        group, self._group = self._group, None
        if group is None:
            return
        if not how and "group_control" in group.facts:
            group.problems.append(problem_at("group_trailer_missing", group.facts, at, tag="GE"))
        group.facts["group_received"] = str(self._sets)
        group.facts["group_errors"] = _codes(group.problems, "group_")
        if not self._sets:
            group.problems.append(problem_at("group_empty", group.facts, at, tag="GS", severity="error"))
            self.spans.append(Span(at, min(1, len(self.body) - at), len(self.envelopes) - 1, "group_empty"))

    def _on_ta1(self, start: int, end: int) -> None:
        facts = {**(self._interchange or {}), "note": "TA1"}
        self.envelopes.append(Envelope(facts, []))
        self.spans.append(Span(start, end - start, len(self.envelopes) - 1, "TA1"))

    def _on_iea(self, start: int, end: int) -> None:
        self._end_group(start, "")
        facts = self._interchange or {}
        elements = [*self._elements(start, end), "", ""]
        if not _counts(elements[1], self._groups):
            self._note(problem_at("interchange_count_wrong", facts, start, elements[1], tag="IEA"))
        if not _same_number(elements[2], facts.get("interchange_control", "")):
            self._note(problem_at("interchange_control_mismatch", facts, start, elements[2], tag="IEA"))
        self._end_interchange(start, "closed")

    def _note(self, problem: Problem) -> None:
        """Keep a problem of the interchange with its first set."""
        if len(self.spans) > self._first:
            self.envelopes[self.spans[self._first].envelope].problems.append(problem)
        else:
            self._pending.append(problem)

    def _end_interchange(self, at: int, how: str) -> None:
        if self._interchange is None:
            return
        self._end_group(at, "")
        facts = self._interchange
        if not how:
            self._note(problem_at("interchange_trailer_missing", facts, at, tag="IEA"))
        if len(self.spans) == self._first:
            found = [*self._pending, problem_at("interchange_empty", facts, at, tag="ISA", severity="error")]
            self.envelopes.append(Envelope(facts, found))
            self.spans.append(Span(at, min(1, len(self.body) - at), len(self.envelopes) - 1, "interchange_empty"))
        errors = _codes(self.envelopes[self.spans[self._first].envelope].problems, "interchange_")
        for index in range(self.spans[self._first].envelope, len(self.envelopes)):
            self.envelopes[index].facts["interchange_errors"] = errors
        self._interchange = None


def _codes(problems: list[Problem], prefix: str) -> str:
    return ",".join(problem.code for problem in problems if problem.code.startswith(prefix))


def _counts(stated: str, actual: int) -> bool:
    return stated.strip().isdecimal() and int(stated) == actual


def _same_number(stated: str, wanted: str) -> bool:
    stated = stated.strip()
    return stated == wanted or (stated.isdecimal() and wanted.isdecimal() and int(stated) == int(wanted))


def _unwrap(raw: bytes) -> bytes:
    return raw.replace(b"\r", b"").replace(b"\n", b"")


def _is_wrapped(body: bytes, terminator: bytes, at: int) -> bool:
    """Say whether line ends stand inside segments (a body wrapped at 80 columns)."""
    if terminator in (b"\n", b"\r") or body.find(b"\n", at, at + _LOOK) < 0:
        return False
    loose = re.compile(rb"(?<!" + re.escape(terminator[-1:]) + rb")(?<![\s])\r?\n\s*(?![\s\x1a]|$)")
    return loose.search(body, at, at + _LOOK) is not None


def _pattern(separators: Separators, wrapped: bool) -> re.Pattern[bytes]:
    glue = rb"[\r\n]*" if wrapped else b""
    tags = b"|".join(glue.join(re.escape(tag[i : i + 1]) for i in range(len(tag))) for tag in _TAGS)
    mark = re.escape(separators.element)
    return re.compile(re.escape(separators.terminator) + rb"\s*+(?=[IGSTB])(" + tags + rb")" + glue + mark)


def frames(body: bytes, profile: Profile) -> list[Frame]:
    """Cut a body into frames of growing size; every frame carries the envelopes of its sets."""
    if len(body) > profile.max_bytes:
        facts = {"syntax": "x12"}
        found = [problem_at("interchange_too_large", facts, 0, str(len(body)), severity="error")]
        return cut([Span(0, 1, 0, "interchange_too_large")], [Envelope(facts, found)], len(body))
    scan = Scan(body).run()
    return cut(scan.spans, scan.envelopes, len(body))
