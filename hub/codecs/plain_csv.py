"""CSV with a header row: {"rows": [{column: text}]}.

On writing, a cell that a spreadsheet would take for a formula gets a `'` in front, unless the envelope says `raw`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hub.codecs.plain import decode_text, one_frame, refused, too_large
from hub.domain.errors import Rejected
from hub.domain.tree import Decoded
from hub.ports import Frame, Profile

_FORMULA = ("=", "+", "-", "@", "\t", "\x00", "\r")
_DELIMITERS = ",;\t|"


class Csv:
    """The codec `csv`: one document of rows for each body. Options: `delimiter`, `columns`, `raw`."""

    name = "csv"
    content_type = "text/csv"

    def sniff(self, head: bytes) -> bool:
        """Say whether the first line looks like column names: plain text with a delimiter, and no other syntax."""
        line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].strip()
        known = line[:1] in (b"{", b"[", b"<") or line[:3] in (b"ISA", b"UNA", b"UNB", b"UNH")
        return not known and b"\x00" not in line and any(mark.encode() in line for mark in _DELIMITERS)

    def frames(self, body: bytes, profile: Profile) -> Sequence[Frame]:
        """Return one frame."""
        return one_frame(body)

    def decode(self, body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
        """Yield the rows; a row with more cells than columns is a problem of that line."""
        yield too_large(body, profile) or _decode(body, profile)

    def encode(self, trees: Sequence[Any], envelope: Mapping[str, Any]) -> bytes:
        """Write a header row and the rows of all trees."""
        rows = [row for tree in trees for row in tree["rows"]]
        columns = list(envelope.get("columns") or dict.fromkeys(name for row in rows for name in row))
        out = io.StringIO()
        writer = csv.writer(out, delimiter=_delimiter(envelope.get("delimiter")), lineterminator="\r\n")
        raw = bool(envelope.get("raw"))
        writer.writerow([_cell(name, raw) for name in columns])
        writer.writerows([_cell(row.get(name), raw) for name in columns] for row in rows)
        try:
            return out.getvalue().encode(envelope.get("charset") or "utf-8")
        except (UnicodeEncodeError, LookupError) as error:
            raise Rejected(f"the rows do not fit the character set: {error}") from error


def _delimiter(given: Any) -> str:
    if given and len(str(given)) != 1:
        raise Rejected(f"option delimiter: {given!r} is not one character")
    return str(given or ",")


def _cell(value: Any, raw: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, (Decimal, int)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    text = str(value)
    return "'" + text if not raw and text.startswith(_FORMULA) else text


def _decode(body: bytes, profile: Profile) -> Decoded:
    try:
        text = decode_text(body, profile.charset)
    except (UnicodeDecodeError, LookupError) as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        return refused("text_undecodable", f"the bytes are not in the agreed character set: {error}", offset=start)
    header = text.split("\n", 1)[0]
    delimiter = profile.options.get("delimiter") or max(_DELIMITERS, key=header.count)
    try:
        return _rows(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), profile)
    except (csv.Error, TypeError) as error:
        return refused("csv_damaged", f"the CSV cannot be read: {error}")


def _rows(lines: Any, profile: Profile) -> Decoded:
    columns = [name.strip() for name in next(lines, [])]
    if not columns or len(set(columns)) < len(columns):
        return refused("csv_header", "the first line does not name every column once", value=",".join(columns))
    rows: list[dict[str, str]] = []
    found: list[Any] = []
    for cells in lines:
        if not any(cells):
            continue
        if len(rows) >= profile.max_segments:
            return refused("message_too_large", f"more than {profile.max_segments} rows")
        if len(cells) > len(columns) and len(found) < 100:
            text = f"line {lines.line_num} has {len(cells)} cells for {len(columns)} columns"
            found += refused("csv_row", text, value=cells[len(columns)]).problems
        rows.append(dict(zip(columns, cells, strict=False)))
    return Decoded(tree={"rows": rows}, problems=tuple(found))


CODEC = Csv()
