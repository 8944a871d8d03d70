"""Writing X12: segments in, one padded interchange with one group out. Counts are computed last.

There is no escape in X12: a separator inside data is refused with its place, or folded to a space where the envelope
says `fold`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from hub.codecs.lines import plain_line
from hub.codecs.writing import Refusals, Segment, control_text, fold_text, has_control, set_controls, value_text
from hub.codecs.x12.envelope import REPETITION_SINCE
from hub.domain.errors import Rejected

FUNCTIONAL_IDS = {
    "180": "AN", "810": "IN", "820": "RA", "824": "AG", "830": "PS", "832": "SC", "846": "IB", "850": "PO",
    "852": "PD", "855": "PR", "856": "SH", "860": "PC", "861": "RC", "864": "TX", "865": "CA", "875": "OG",
    "940": "OW", "943": "AR", "944": "RE", "945": "SW", "997": "FA", "999": "FA",
}  # fmt: skip


class Style(NamedTuple):
    """The characters of one interchange, and what to do with data that they do not allow."""

    element: str
    terminator: str
    component: str
    repetition: str
    charset: str
    fold: bool
    line_end: str
    plain: Callable[[Segment], str]

    @property
    def banned(self) -> str:
        """The characters that data must not hold."""
        return self.element + self.terminator + self.component + self.repetition


def encode(documents: Sequence[Sequence[Segment]], envelope: Mapping[str, Any]) -> bytes:
    """Write one interchange; README.md beside the codecs lists the keys. Rejected names every bad value."""
    style = _style(envelope)
    refused = Refusals()
    interchange = control_text(_control(envelope, "interchange"), 9)
    lines = [_isa(envelope, style, interchange)]
    lines += [_line(segment, style, refused, 0, 0) for segment in envelope.get("interchange_segments", ())]
    if documents:
        group = control_text(_control(envelope, "group"))
        lines.append(_line(_gs(envelope, group), style, refused, 0, 0))
        for index, control in enumerate(set_controls(envelope, len(documents))):
            lines += _set(documents[index], envelope, style, refused, index, control_text(control, 4))
        lines.append(_join(["GE", str(len(documents)), group], style))
    lines.append(_join(["IEA", "1" if documents else "0", interchange], style))
    refused.raise_all()
    text = (style.terminator + style.line_end).join([*lines, ""])
    try:
        return text.encode(style.charset)
    except UnicodeEncodeError as error:
        raise Rejected(
            f"{text[error.start]!r} is not in the character set {style.charset}; agree another or fold"
        ) from error


def _style(envelope: Mapping[str, Any]) -> Style:
    given = [str(mark) for mark in envelope.get("separators") or ("*", "~", ">")]
    if len(given) < 3:
        raise Rejected("envelope.separators: give element, terminator and component, as * ~ >")
    element, terminator, component = given[:3]
    late = _version(envelope) >= REPETITION_SINCE
    repetition = (given[3] if given[3:] else "^") if late else ""
    marks = [element, terminator, component, *([repetition] if repetition else [])]
    if len(set(marks)) < len(marks) or any(len(mark) != 1 or mark.isalnum() for mark in marks):
        raise Rejected("envelope.separators: give different single characters that are no letters or digits")
    line_end = "\n" if envelope.get("newline") and terminator not in "\r\n" else ""
    charset = envelope.get("charset") or "utf-8"
    plain = plain_line(element, component, terminator + repetition, charset)
    return Style(element, terminator, component, repetition, charset, bool(envelope.get("fold")), line_end, plain)


def _version(envelope: Mapping[str, Any]) -> str:
    return str(envelope.get("version") or "00401")


def _control(envelope: Mapping[str, Any], level: str) -> Any:
    return dict(envelope.get("control", {})).get(level, 1)


def _isa(envelope: Mapping[str, Any], style: Style, control: str) -> str:
    sender, receiver = _party(envelope, "sender"), _party(envelope, "receiver")
    late = _version(envelope) >= REPETITION_SINCE
    date, time = _moment(envelope)
    values = [
        "ISA", *_credentials(envelope), *sender, *receiver, date[-6:], time[:4],
        style.repetition if late else "U", _version(envelope), control,
        "1" if envelope.get("acknowledge") else "0", "T" if envelope.get("test") else "P", style.component,
    ]  # fmt: skip
    return style.element.join(values)


def _credentials(envelope: Mapping[str, Any]) -> list[str]:
    authorization, security = envelope.get("authorization", ""), envelope.get("security", "")
    return [
        "03" if authorization else "00", f"{authorization:<10.10}", "01" if security else "00", f"{security:<10.10}"
    ]  # fmt: skip


def _moment(envelope: Mapping[str, Any]) -> tuple[str, str]:
    date, time = str(envelope.get("date", "")), str(envelope.get("time", ""))
    if not (len(date) == 8 and date.isdecimal() and len(time) in (4, 6, 8) and time.isdecimal()):
        raise Rejected("envelope.date and envelope.time: give them as 20261122 and 1015")
    return date, time


def _party(envelope: Mapping[str, Any], who: str) -> tuple[str, str]:
    """Return the qualifier and the padded identity of `sender` or `receiver`, given as "ZZ:NAME"."""
    text = str(envelope.get(who, ""))
    qualifier, mark, identity = text.partition(":")
    qualifier, identity = (qualifier, identity) if mark else ("ZZ", text)
    if not identity or len(identity) > 15 or len(qualifier) != 2:
        raise Rejected(f"envelope.{who}: {text!r} is not a qualifier of 2 and an id of at most 15, as ZZ:NAME")
    return qualifier, f"{identity:<15}"


def _gs(envelope: Mapping[str, Any], control: str) -> list[str]:
    name = str(envelope.get("set", ""))
    functional = envelope.get("functional_id") or FUNCTIONAL_IDS.get(name)
    if not functional:
        raise Rejected(f"envelope.functional_id: there is none known for set {name!r}; name it")
    date, time = _moment(envelope)
    version = _version(envelope)
    return [
        "GS", functional,
        str(envelope.get("group_sender") or _party(envelope, "sender")[1].strip()),
        str(envelope.get("group_receiver") or _party(envelope, "receiver")[1].strip()),
        date if version >= "00305" else date[-6:], time, control, str(envelope.get("agency") or "X"),
        str(envelope.get("group") or f"{version}0"),
    ]  # fmt: skip


def _set(
    document: Sequence[Segment], envelope: Mapping[str, Any], style: Style, refused: Refusals, index: int, control: str
) -> list[str]:
    head = ["ST", str(envelope.get("set", "")), control, str(envelope.get("implementation") or "")]
    lines = [_line(head, style, refused, index, 1)]
    lines += [_line(segment, style, refused, index, number) for number, segment in enumerate(document, 2)]
    return [*lines, _join(["SE", str(len(lines) + 1), control], style)]


def _line(segment: Segment, style: Style, refused: Refusals, document: int, number: int) -> str:
    if plain := style.plain(segment):
        return plain
    tag = str(segment[0])
    values = [tag]
    for position, value in enumerate(segment[1:], 1):
        parts = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
        written = [_value(part, style, refused, document, number, tag, position) for part in parts]
        values.append(style.component.join(written).rstrip(style.component))
    return _join(values, style)


def _value(value: Any, style: Style, refused: Refusals, document: int, number: int, tag: str, position: int) -> str:
    text = value_text(value)
    if style.fold:
        return fold_text(text, style.charset, style.banned)
    bad = next((mark for mark in style.banned if mark in text), "")
    if bad or has_control(text):
        words = f"holds the separator {bad!r}" if bad else "holds a control character"
        refused.add(
            f"segment {number} {tag}.{position:02} {words}, which X12 cannot escape; change the value or fold",
            text, document=document, segment=number, tag=tag, element=position,
        )  # fmt: skip
    return text


def _join(values: Sequence[str], style: Style) -> str:
    return style.element.join(values).rstrip(style.element)
