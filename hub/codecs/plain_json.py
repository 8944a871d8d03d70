"""JSON with exact numbers: a number with a point becomes a Decimal, and a Decimal is written digit for digit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from hub.codecs.plain import decode_text, is_too_deep, one_frame, refused, too_large
from hub.domain.errors import Problem, Rejected
from hub.domain.tree import Decoded
from hub.ports import Frame, Profile


class Json:
    """The codec `json`: one document for each body."""

    name = "json"
    content_type = "application/json"

    def sniff(self, head: bytes) -> bool:
        """Say whether the bytes begin as an object or a list does."""
        return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")

    def frames(self, body: bytes, profile: Profile) -> Sequence[Frame]:
        """Return one frame."""
        return one_frame(body)

    def decode(self, body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
        """Yield the document; what is no JSON, or nests too deep, is refused with its place."""
        yield too_large(body, profile) or _decode(body, profile.charset)

    def encode(self, trees: Sequence[Any], envelope: Mapping[str, Any]) -> bytes:
        """Write one document, or a list of several."""
        pieces = [_written(tree) for tree in trees]
        return pieces[0] if len(pieces) == 1 else b"[" + b",".join(pieces) + b"]"


_fast_write = msgspec.json.Encoder(decimal_format="number").encode
_ODD = (b"NaN", b"Infinity", b"E+", b"E-")


def _written(tree: Any) -> bytes:
    """Write a tree in one pass of C where every value is plain; what is not gets the careful writer and its errors."""
    if _is_plain(tree):
        body = _fast_write(tree)
        if not any(odd in body for odd in _ODD):
            return body
    return _write(tree, 0).encode()


def _is_plain(tree: Any) -> bool:
    """Say whether a tree is dicts with text keys, lists, text, whole numbers and Decimals only, and not deep."""
    level, depth = [tree], 0
    while level and depth <= 90:
        below: list[Any] = []
        for value in level:
            if type(value) is dict:
                below += value.values()
            elif type(value) in (list, tuple):
                below += value
            elif type(value) not in _PLAIN:
                return False
        level, depth = below, depth + 1
    return not level


_PLAIN = frozenset({str, int, Decimal, bool, type(None)})


def _decode(body: bytes, charset: str) -> Decoded:
    if body.count(b"{") + body.count(b"[") < 100 and not charset:
        try:
            return Decoded(tree=_fast_read(body))
        except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
            pass  # the careful reader below finds the same fault and names its place
    try:
        text = decode_text(body, charset)
        tree = json.loads(text, parse_float=_exact, parse_int=_whole, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return refused("json_damaged", f"line {error.lineno} column {error.colno}: {error.msg}", offset=error.pos)
    except UnicodeDecodeError as error:
        return refused("text_undecodable", f"byte {error.start} is not {error.encoding}", offset=error.start)
    except (ValueError, ArithmeticError, RecursionError, LookupError) as error:
        return refused("json_damaged", f"the JSON cannot be read: {error}")
    if is_too_deep(tree):
        return refused("json_too_deep", "the JSON nests deeper than 100 levels")
    return Decoded(tree=tree)


def _whole(text: str) -> int:
    if len(text) > 400:
        raise ValueError("a number has more than 400 digits")
    return int(text)


def _exact(text: str) -> Decimal:
    value = Decimal(text)
    if not -400 < value.adjusted() < 400 or len(text) > 400:
        raise ValueError("a number is too long or its exponent too large")
    return value


_fast_read = msgspec.json.Decoder(float_hook=_exact).decode


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON")


def _write(value: Any, depth: int) -> str:
    """Return the JSON of a value; a float is refused, because it is not exact."""
    if depth > 100:
        raise Rejected("the tree nests deeper than 100 levels")
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_text(str(key))}:{_write(item, depth + 1)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_write(item, depth + 1) for item in value) + "]"
    if value is None or isinstance(value, (bool, int, str)):
        return _text(value)
    raise Rejected([Problem(code="unwritable", text=f"a {type(value).__name__} cannot be written as JSON")])


def _number(value: Decimal) -> str:
    if not value.is_finite() or not -400 < value.adjusted() < 400:
        raise Rejected([Problem(code="unwritable", text=f"{value} cannot be written as JSON")])
    return format(value, "f")


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode() if not isinstance(value, int) else json.dumps(value)


CODEC = Json()
