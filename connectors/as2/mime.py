"""MIME as AS2 needs it: entities of header fields and bytes that stay exactly as they came (RFC 2045, 1847).

The standard library's e-mail package writes what it read anew, and a signature covers bytes.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from connectors.as2.failures import Unusable

HEAD_CAP = 65_536
MOST_PARTS = 20
LONGEST_BOUNDARY = 200
CRLF = b"\r\n"
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:[ \t]*(.*)", re.DOTALL)
_FOLD = re.compile(r"\r?\n[ \t]+")
_PARAMETER = re.compile(r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
_UNSAFE_NAME = re.compile(r"[^A-Za-z0-9._ ()+,=@-]+")
LONGEST_NAME = 120


@dataclass(frozen=True)
class Value:
    """A structured field: its value in lower case, and its parameters by their names in lower case."""

    value: str
    parameters: Mapping[str, str]


def structured(text: str) -> Value:
    """Return a field such as Content-Type in its parts; an encoded parameter (RFC 2231) is decoded."""
    value, semicolon, rest = text.partition(";")
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(semicolon + rest):
        name, raw = match.group(1).lower(), match.group(2).strip()
        if raw.startswith('"'):
            raw = re.sub(r"\\(.)", r"\1", raw[1:-1], flags=re.DOTALL)
        if name.endswith("*"):
            name, raw = name[:-1], _extended(raw)
        found.setdefault(name, raw)
    return Value(value.strip().lower(), found)


def _extended(raw: str) -> str:
    charset, _, rest = raw.partition("'")
    encoded = rest.partition("'")[2]
    try:
        octets = re.sub(rb"%([0-9A-Fa-f]{2})", lambda each: bytes.fromhex(each[1].decode()), encoded.encode("latin-1"))
        return octets.decode(charset or "utf-8")
    except (LookupError, UnicodeError):
        return ""


class Entity:
    """Header fields and the bytes below them; `raw` is both, as they came."""

    def __init__(self, fields: Iterable[tuple[str, str]], body: bytes, raw: bytes = b"") -> None:
        self.fields = tuple(fields)
        self.body = body
        self._raw = raw

    def field(self, name: str) -> str:
        """Return the first field of a name, empty where there is none."""
        wanted = name.lower()
        return next((value for each, value in self.fields if each.lower() == wanted), "")

    @cached_property
    def media(self) -> Value:
        """Return the Content-Type."""
        return structured(self.field("content-type"))

    @property
    def encoding(self) -> str:
        """Return the Content-Transfer-Encoding in lower case; empty where it is not said."""
        return self.field("content-transfer-encoding").strip().lower()

    @property
    def raw(self) -> bytes:
        """Return header fields and body in one piece."""
        return self._raw or written(self.fields, self.body)

    @cached_property
    def content(self) -> bytes:
        """Return the body without its transfer encoding."""
        return decoded(self.body, self.encoding)


def written(fields: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """Return an entity's bytes."""
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return b"".join((head.encode("latin-1", "replace"), CRLF, body))


def read(raw: bytes) -> Entity:
    """Return the entity that these bytes are; Unusable where they do not begin with header fields."""
    head, body = _split(raw)
    fields: list[tuple[str, str]] = []
    for line in _FOLD.sub(" ", head.decode("latin-1")).splitlines():
        match = _FIELD.fullmatch(line)
        if match is None:
            raise Unusable("unexpected-processing-error", f"this is no MIME header field: {line[:60]!r}")
        fields.append((match.group(1), match.group(2).strip()))
    return Entity(fields, body, raw)


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """Return header and body; an entity without header fields begins with an empty line."""
    for blank in (b"\r\n", b"\n"):
        if raw.startswith(blank):
            return b"", raw[len(blank) :]
    windows, unix = raw.find(b"\r\n\r\n", 0, HEAD_CAP), raw.find(b"\n\n", 0, HEAD_CAP)
    if windows < 0 and unix < 0:
        raise Unusable("unexpected-processing-error", "what was inside does not begin with MIME header fields")
    if unix < 0 or 0 <= windows < unix:
        return raw[:windows], raw[windows + 4 :]
    return raw[:unix], raw[unix + 2 :]


def decoded(body: bytes, encoding: str) -> bytes:
    """Return bytes without their transfer encoding."""
    if encoding == "base64":
        try:
            return base64.b64decode(body.translate(None, b" \t\r\n"), validate=True)
        except binascii.Error as error:
            raise Unusable("unexpected-processing-error", f"its base64 is damaged ({error})") from error
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    if encoding in ("", "binary", "7bit", "8bit"):
        return body
    raise Unusable("unsupported format", f"its Content-Transfer-Encoding {encoding[:40]!r} is not known")


def canonical(entity: Entity) -> bytes:
    """Return an entity with CRLF at the end of every line; a binary body stays as it is."""
    if entity.encoding == "binary":
        raw = entity.raw
        return with_crlf(raw[: len(raw) - len(entity.body)]) + entity.body
    return with_crlf(entity.raw)


def with_crlf(raw: bytes) -> bytes:
    """Return text whose lines end with CRLF, whatever they ended with."""
    if raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r"):
        return raw
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def parts(entity: Entity) -> tuple[tuple[bytes, ...], bytes]:
    """Return the parts of a multipart entity as they came, and what stands after the last one.

    The line end before a boundary belongs to the boundary.
    """
    boundary = entity.media.parameters.get("boundary", "")
    if not boundary or len(boundary) > LONGEST_BOUNDARY:
        raise Unusable("unexpected-processing-error", "a multipart entity names no boundary")
    body, found, begins = entity.body, list[bytes](), -1
    for at, after, is_last in islice(_marks(body, b"--" + boundary.encode("latin-1", "replace")), MOST_PARTS + 1):
        if begins >= 0:
            found.append(body[begins : _before(body, at, begins)])
        begins = after
        if is_last:
            return tuple(found), body[after:]
    raise Unusable("integrity-check-failed", "a multipart entity breaks off before its last boundary")


def _marks(body: bytes, mark: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield (where a boundary line begins, where the next line does, whether it is the last)."""
    at = 0 if body.startswith(mark) else body.find(b"\n" + mark) + 1 or -1
    while at >= 0:
        end = body.find(b"\n", at + len(mark), at + len(mark) + 200)
        after = len(body) if end < 0 else end + 1
        said = body[at + len(mark) : after].strip() if after - at < len(mark) + 202 else b"?"
        if said in (b"", b"--"):
            yield at, after, said == b"--"
        at = body.find(b"\n" + mark, at + len(mark)) + 1 or -1


def _before(body: bytes, at: int, begins: int) -> int:
    """Return where a part ends whose boundary begins at `at`: before the line end that belongs to the boundary."""
    end = at - 2 if body[at - 2 : at] == CRLF else at - 1
    return max(end, begins)


def file_name(entity: Entity) -> str:
    """Return the name that the sender gave the file, made harmless: for people, never a path. Empty: none."""
    given = structured(entity.field("content-disposition")).parameters.get("filename", "")
    given = given or entity.media.parameters.get("name", "")
    return safe_name(given)


def safe_name(given: str) -> str:
    """Return a file name without folders, controls and signs that mean something elsewhere."""
    last = re.split(r"[\\/]", given)[-1]
    return _UNSAFE_NAME.sub("_", last).strip(" .")[:LONGEST_NAME]


def base64_lines(raw: bytes) -> bytes:
    """Return base64 in lines of 76 that end with CRLF."""
    text = binascii.b2a_base64(raw, newline=False)
    return CRLF.join([text[at : at + 76] for at in range(0, len(text), 76)]) + CRLF
