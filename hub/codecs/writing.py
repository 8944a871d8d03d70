"""What the EDI writers share: values as text, folding to a character set, and refusing what cannot be written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hub.domain.errors import Position, Problem, Rejected

Segment = Sequence[str | Sequence[str]]
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def value_text(value: Any) -> str:
    """Return a value as EDI writes it; numbers without exponent, None as empty."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def fold_text(text: str, charset: str, banned: str = "") -> str:
    """Replace control characters and separators by a space, and letters the set lacks by their plain form or `?`."""
    text = _CONTROL.sub(" ", text)
    for char in banned:
        text = text.replace(char, " ")
    if text.isascii():
        return text
    return "".join(char if _fits(char, charset) else _plain(char, charset) for char in text)


def _fits(char: str, charset: str) -> bool:
    try:
        char.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


_PLAIN = {"ß": "ss", "Æ": "AE", "æ": "ae", "Ø": "O", "ø": "o", "Œ": "OE", "œ": "oe", "–": "-", "—": "-", "’": "'"}


def _plain(char: str, charset: str) -> str:
    plain = _PLAIN.get(char) or "".join(
        piece for piece in unicodedata.normalize("NFKD", char) if not unicodedata.combining(piece)
    )
    return "".join(piece if _fits(piece, charset) else "?" for piece in plain) or "?"


class Refusals:
    """Collects every value that cannot be written, and raises them together."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, text: str, value: str, *, document: int, segment: int, tag: str, element: int) -> None:
        """Note one value; document counts from 0, segment from ST or UNH = 1."""
        path = f"documents[{document}].{tag}.{element:02}"
        place = Position(set=str(document), segment=segment, tag=tag, element=element)
        words = f"{text} ({value[:40]!r})"
        self.problems.append(Problem(code="unwritable", path=path, text=words, value=value[:99], at=place))

    def raise_all(self) -> None:
        """Raise Rejected where anything was noted."""
        if self.problems:
            raise Rejected(self.problems)


def control_text(value: Any, width: int = 0) -> str:
    """Return a control number as text, padded with zeros; a text is taken as it is."""
    return value if isinstance(value, str) and value else f"{int(value or 0):0{width}d}"


def set_controls(envelope: Mapping[str, Any], count: int) -> list[Any]:
    """Return the control numbers of the sets; 1, 2, 3 … where the envelope names none."""
    found = list(dict(envelope.get("control", {})).get("sets", ()))
    if found and len(found) != count:
        raise Rejected(f"envelope.control.sets: {len(found)} numbers for {count} documents; give one for each")
    return found or list(range(1, count + 1))


def has_control(text: str) -> bool:
    """Say whether the text holds a control character."""
    return _CONTROL.search(text) is not None
