"""Writing EDIFACT: segments in, one interchange out. Data is escaped with the release character; counts come last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.codecs.edifact.envelope import CHARSETS, Service
from hub.codecs.lines import plain_line
from hub.codecs.writing import Refusals, Segment, control_text, fold_text, has_control, set_controls, value_text
from hub.domain.errors import Rejected

_USUAL = Service()


class _Pen:
    """Writes segments with the characters and the charset of one interchange."""

    def __init__(self, envelope: Mapping[str, Any]) -> None:
        syntax = str(envelope.get("syntax") or "UNOC:3")
        self.syntax = syntax.split(":")
        self.service = _service(envelope.get("separators"))
        self.charset = str(envelope.get("charset") or CHARSETS.get(self.syntax[0], "latin-1"))
        self.fold = bool(envelope.get("fold"))
        self.refused = Refusals()
        marks = {self.service.component, self.service.element, self.service.release, self.service.terminator}
        if len(self.syntax) > 1 and self.syntax[1] >= "4":
            marks.add(self.service.repetition)
        marks.discard(" ")
        special = "".join(sorted(marks - {self.service.component, self.service.element}))
        self._plain = plain_line(self.service.element, self.service.component, special, self.charset)
        self._escapes = str.maketrans({mark: self.service.release + mark for mark in marks})

    def line(self, segment: Segment, document: int = 0, number: int = 0) -> str:
        """Write one segment without its terminator; empty elements and components at the end are left out."""
        if plain := self._plain(segment):
            return plain
        tag = str(segment[0])
        values = [tag]
        for position, value in enumerate(segment[1:], 1):
            parts = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
            written = [self._value(part, document, number, tag, position) for part in parts]
            while written and not written[-1]:
                written.pop()
            values.append(self.service.component.join(written))
        while not values[-1]:
            values.pop()
        return self.service.element.join(values)

    def _value(self, value: Any, document: int, number: int, tag: str, position: int) -> str:
        text = value_text(value)
        if self.fold:
            text = fold_text(text, self.charset)
        elif has_control(text):
            self._refuse("holds a control character", text, document, number, tag, position)
        try:
            text.encode(self.charset)
        except UnicodeEncodeError as error:
            letter = text[error.start]
            words = f"holds {letter!r}, which is not in the character set {self.charset}; agree another or fold"
            self._refuse(words, text, document, number, tag, position)
        return text.translate(self._escapes)

    def _refuse(self, words: str, text: str, document: int, number: int, tag: str, position: int) -> None:
        self.refused.add(
            f"segment {number} {tag}.{position:02} {words}", text,
            document=document, segment=number, tag=tag, element=position,
        )  # fmt: skip


def encode(documents: Sequence[Sequence[Segment]], envelope: Mapping[str, Any]) -> bytes:
    """Write one interchange, with a UNG where the envelope asks; Rejected names every value that cannot stand."""
    pen = _Pen(envelope)
    control = dict(envelope.get("control", {}))
    reference = control_text(control.get("interchange", 1))
    lines = [pen.line(_unb(envelope, pen, reference))]
    group = control_text(control["group"]) if envelope.get("use_groups") else ""
    if group:
        lines.append(pen.line(_ung(envelope, group)))
    for index, number in enumerate(set_controls(envelope, len(documents))):
        lines += _message(documents[index], envelope, pen, index, control_text(number))
    if group:
        lines.append(pen.line(["UNE", str(len(documents)), group]))
    lines.append(pen.line(["UNZ", "1" if group else str(len(documents)), reference]))
    pen.refused.raise_all()
    line_end = "\r\n" if envelope.get("newline") else ""
    text = (pen.service.terminator + line_end).join([*lines, ""])
    return (_advice(envelope, pen, line_end) + text).encode(pen.charset)


def _advice(envelope: Mapping[str, Any], pen: _Pen, line_end: str) -> str:
    """Return the UNA: always with unusual characters, else where the envelope does not say `una = false`."""
    if pen.service == _USUAL and envelope.get("una") is False:
        return ""
    return "UNA" + "".join(pen.service) + line_end


def _service(given: Any) -> Service:
    """Return the characters from ["+", "'", ":", "?"] (element, terminator, component, release)."""
    if not given:
        return _USUAL
    marks = [str(mark) for mark in given]
    marks += ["+", "'", ":", "?"][len(marks) :]
    if len(set(marks[:4])) < 4 or any(len(mark) != 1 or mark.isalnum() for mark in marks[:4]):
        raise Rejected("envelope.separators: give different single characters: element, terminator, component, release")
    return Service(component=marks[2], element=marks[0], release=marks[3], terminator=marks[1])


def _party(envelope: Mapping[str, Any], who: str) -> list[str]:
    """Return id and qualifier of `sender` or `receiver`, given as "14:GLN"."""
    text = str(envelope.get(who, ""))
    qualifier, mark, identity = text.partition(":")
    qualifier, identity = (qualifier, identity) if mark else ("", text)
    if not identity or len(identity) > 35 or len(qualifier) > 4:
        raise Rejected(f"envelope.{who}: {text!r} is not a qualifier and an id of at most 35, as 14:4012345000009")
    return [identity, qualifier]


def _moment(envelope: Mapping[str, Any], pen: _Pen) -> list[str]:
    date, time = str(envelope.get("date", "")), str(envelope.get("time", ""))
    if not (len(date) == 8 and date.isdecimal() and len(time) >= 4 and time.isdecimal()):
        raise Rejected("envelope.date and envelope.time: give them as 20261122 and 1015")
    return [date if len(pen.syntax) > 1 and pen.syntax[1] >= "4" else date[2:], time[:4]]


def _unb(envelope: Mapping[str, Any], pen: _Pen, reference: str) -> list[Any]:
    return [
        "UNB", pen.syntax, _party(envelope, "sender"), _party(envelope, "receiver"), _moment(envelope, pen), reference,
        str(envelope.get("password") or ""), str(envelope.get("application") or ""), "",
        "1" if envelope.get("acknowledge") else "", str(envelope.get("agreement") or ""),
        "1" if envelope.get("test") else "",
    ]  # fmt: skip


def _ung(envelope: Mapping[str, Any], group: str) -> list[Any]:
    sender = [str(envelope.get("group_sender") or _party(envelope, "sender")[0])]
    receiver = [str(envelope.get("group_receiver") or _party(envelope, "receiver")[0])]
    version, release, agency = [*str(envelope.get("message_version") or "D:96A:UN").split(":"), "", ""][:3]
    date, time = str(envelope.get("date", "")), str(envelope.get("time", ""))
    return [
        "UNG", str(envelope.get("set", "")), sender, receiver, [date[2:], time[:4]], group, agency,
        [version, release, str(envelope.get("association") or "")],
    ]  # fmt: skip


def _message(
    document: Sequence[Segment], envelope: Mapping[str, Any], pen: _Pen, index: int, reference: str
) -> list[str]:
    version = str(envelope.get("message_version") or "D:96A:UN").split(":")
    kind = [str(envelope.get("set", "")), *version, str(envelope.get("association") or "")]
    lines = [pen.line(["UNH", reference, kind], index, 1)]
    lines += [pen.line(segment, index, number) for number, segment in enumerate(document, 2)]
    return [*lines, pen.line(["UNT", str(len(lines) + 1), reference])]
