"""A fast scan of EDIFACT bytes: where interchanges, groups and messages begin and end."""

from __future__ import annotations

import re

from hub.codecs.edifact.envelope import Service, group_facts, interchange_facts, part, problem_at
from hub.codecs.frames import Envelope, Span, cut
from hub.domain.errors import Problem
from hub.ports import Frame, Profile

_START = re.compile(rb"UNA[^A-Za-z0-9]{6}|UNB(?=[^A-Za-z0-9\s])|UNH(?=[^A-Za-z0-9\s])")
_TAGS = rb"UNB|UNH|UNT|UNG|UNE|UNZ"


class Scan:
    """One pass over a body; `spans` are the messages in order, `envelopes` their groups or interchanges."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.spans: list[Span] = []
        self.envelopes: list[Envelope] = []
        self._service = Service()
        self._interchange: dict[str, str] | None = None
        self._pending: list[Problem] = []
        self._envelope: Envelope | None = None
        self._first = self._groups = self._sets = self._all = 0
        self._open = -1
        self._last = 0
        self._controls: set[str] = set()

    def run(self) -> Scan:
        """Scan everything."""
        at = 0
        while (match := _START.search(self.body, at)) is not None:
            start = match.start()
            if match[0].startswith(b"UNA"):
                self._end_interchange(start, closed=False)
                self._service = _service(self.body[start + 3 : start + 9])
                at = start + 9
            at = self._walk(at if match[0].startswith(b"UNA") else start)
        self._end_interchange(len(self.body), closed=False)
        if not self.spans:
            self._lone()
        return self

    def _lone(self) -> None:
        value = self.body[:60].decode("latin-1")
        found = [problem_at("interchange_header_missing", {}, 0, value, severity="error")]
        self.envelopes.append(Envelope({"syntax": "edifact", **Service().facts()}, found))
        self.spans.append(Span(0, min(1, len(self.body)), 0, "interchange_header_missing"))

    def _walk(self, at: int) -> int:
        """Walk service segments until the interchange ends; return where to look on."""
        end_mark = self._service.terminator.encode("latin-1")
        mark = re.escape(self._service.element.encode("latin-1"))
        follow = re.compile(re.escape(end_mark) + rb"\s*(" + _TAGS + rb"|UNA)(?=" + mark + rb"|[^A-Za-z0-9\s]{6})")
        first = re.compile(rb"\s*(" + _TAGS + rb")(?=" + mark + rb")").match(self.body, at)
        match = first or follow.search(self.body, at)
        handlers = {
            b"UNB": self._on_unb, b"UNG": self._on_ung, b"UNE": self._on_une,
            b"UNH": self._on_unh, b"UNT": self._on_unt,
        }  # fmt: skip
        while match is not None:
            start, tag = match.start(1), match[1]
            if match is not first and self._is_released(match.start()):
                match = follow.search(self.body, match.start() + 1)
                continue
            if tag == b"UNA":
                return start
            end = self._end_of(start)
            if tag == b"UNZ":
                self._on_unz(start, end)
                return end
            handlers[tag](start, end)
            match = follow.search(self.body, max(start, end - 1))
        return len(self.body)

    def _is_released(self, at: int) -> bool:
        release = self._service.release.encode("latin-1")
        count = 0
        while release != b" " and at - count > 0 and self.body[at - count - 1 : at - count] == release:
            count += 1
        return count % 2 == 1

    def _end_of(self, at: int) -> int:
        mark = self._service.terminator.encode("latin-1")
        while (found := self.body.find(mark, at)) >= 0:
            if not self._is_released(found):
                return found + 1
            at = found + 1
        return len(self.body)

    def _elements(self, start: int, end: int) -> list[str | list[str]]:
        text = self.body[start:end].decode("latin-1").replace("\r", "").replace("\n", "")
        return self._service.elements(self._service.split(text)[0])

    def _on_unb(self, start: int, end: int) -> None:
        self._end_interchange(start, closed=False)
        facts = interchange_facts(self._elements(start, end), self._service)
        self._begin(facts, end)
        if not facts["syntax_id"] or not facts["interchange_control"]:
            self._pending.append(problem_at("interchange_header_damaged", facts, start, tag="UNB"))

    def _begin(self, facts: dict[str, str], end: int) -> None:
        self._interchange = facts
        self._first, self._last = len(self.spans), end
        self._groups = self._all = 0
        self._pending = []

    def _open_envelope(self, facts: dict[str, str]) -> Envelope:
        envelope = Envelope({**facts}, self._pending)
        self._pending = []
        self.envelopes.append(envelope)
        self._envelope = envelope
        self._sets = 0
        self._controls = set()
        return envelope

    def _on_ung(self, start: int, end: int) -> None:
        self._end_group(start, closed=False)
        if self._interchange is None:
            self._no_header(start)
        self._open_envelope({**(self._interchange or {}), **group_facts(self._elements(start, end))})
        self._groups += 1
        self._last = end

    def _no_header(self, start: int) -> None:
        """Messages without an interchange are read with the usual characters; that there is no header is noted."""
        facts = interchange_facts([], self._service)
        self._begin(facts, start)
        facts["headless"] = "1"
        self._pending.append(problem_at("interchange_header_missing", facts, start, tag="UNB"))

    def _on_unh(self, start: int, end: int) -> None:
        if self._open >= 0:
            self._close(start, "set_trailer_missing")
        self._open = start

    def _on_unt(self, start: int, end: int) -> None:
        code = ""
        if self._open < 0:
            self._open, code = self._last, "set_header_missing"
        self._close(end, code)

    def _close(self, end: int, code: str) -> None:
        if self._interchange is None:
            self._no_header(self._open)
        if self._envelope is None:
            self._open_envelope(self._interchange or {})
        control = part(self._elements(self._open, min(end, self._open + 200)), 1)
        if not code and control in self._controls:
            code = "set_control_repeated"
        if code != "set_header_missing":
            self._controls.add(control)
        self.spans.append(Span(self._open, end - self._open, len(self.envelopes) - 1, code))
        self._sets += 1
        self._all += 1
        self._open = -1
        self._last = end

    def _on_une(self, start: int, end: int) -> None:
        if self._open >= 0:
            self._close(start, "set_trailer_missing")
        if self._envelope is not None:
            self._check(self._envelope.problems, self._envelope.facts, start, end, "group", self._sets)
        self._end_group(start, closed=True)
        self._last = end

    def _check(
        self, found: list[Problem], facts: dict[str, str], start: int, end: int, level: str, actual: int
    ) -> None:
        """Compare a trailer's count and reference with what was received."""
        elements = self._elements(start, end)
        tag, stated, closing = part(elements, 0), part(elements, 1), part(elements, 2)
        facts[f"{level}_count"] = stated
        if not (stated.isdecimal() and int(stated) == actual):
            found.append(problem_at(f"{level}_count_wrong", facts, start, stated, tag=tag))
        if closing != facts.get(f"{level}_control", ""):
            found.append(problem_at(f"{level}_control_mismatch", facts, start, closing, tag=tag))

    def _end_group(self, at: int, *, closed: bool) -> None:
        if self._open >= 0:
            self._close(at, "set_trailer_missing")
        envelope, self._envelope = self._envelope, None
        if envelope is None:
            return
        if not closed and envelope.facts.get("group_control"):
            envelope.problems.append(problem_at("group_trailer_missing", envelope.facts, at, tag="UNE"))
        envelope.facts["group_received"] = str(self._sets)
        envelope.facts["group_errors"] = _codes(envelope.problems, "group_")
        if not self._sets:
            envelope.problems.append(problem_at("group_empty", envelope.facts, at, tag="UNG", severity="error"))
            self.spans.append(Span(at, min(1, len(self.body) - at), len(self.envelopes) - 1, "group_empty"))

    def _on_unz(self, start: int, end: int) -> None:
        self._end_group(start, closed=False)
        found: list[Problem] = []
        if self._interchange is not None:
            self._check(found, self._interchange, start, end, "interchange", self._groups or self._all)
        self._note(found)
        self._end_interchange(start, closed=True)

    def _note(self, found: list[Problem]) -> None:
        """Keep problems of the interchange with its first message."""
        if len(self.spans) > self._first:
            self.envelopes[self.spans[self._first].envelope].problems.extend(found)
        else:
            self._pending += found

    def _end_interchange(self, at: int, *, closed: bool) -> None:
        if self._open >= 0:
            self._close(at, "set_trailer_missing")
        facts = self._interchange
        if facts is None:
            return
        self._end_group(at, closed=False)
        if not closed and "headless" not in facts:
            self._note([problem_at("interchange_trailer_missing", facts, at, tag="UNZ")])
        if len(self.spans) == self._first:
            found = [*self._pending, problem_at("interchange_empty", facts, at, tag="UNB", severity="error")]
            self.envelopes.append(Envelope(facts, found))
            self.spans.append(Span(at, min(1, len(self.body) - at), len(self.envelopes) - 1, "interchange_empty"))
        first = self.spans[self._first].envelope
        errors = _codes(self.envelopes[first].problems, "interchange_")
        for envelope in self.envelopes[first:]:
            envelope.facts["interchange_errors"] = errors
        self._interchange = None


def _service(raw: bytes) -> Service:
    return Service(*raw.decode("latin-1"))


def _codes(problems: list[Problem], prefix: str) -> str:
    return ",".join(problem.code for problem in problems if problem.code.startswith(prefix))


def frames(body: bytes, profile: Profile) -> list[Frame]:
    """Cut a body into frames of growing size; every frame carries the envelopes of its messages."""
    if len(body) > profile.max_bytes:
        found = [problem_at("interchange_too_large", {}, 0, str(len(body)), severity="error")]
        facts = {"syntax": "edifact", **Service().facts()}
        return cut([Span(0, 1, 0, "interchange_too_large")], [Envelope(facts, found)], len(body))
    scan = Scan(body).run()
    return cut(scan.spans, scan.envelopes, len(body))
