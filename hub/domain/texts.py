"""Texts that come from outside, as both databases take them: no zero byte, no half letter, names of a bounded length.

The bytes themselves are kept as they came; this is for what is read from them, and for what is said about them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from hub.domain.errors import Problem

LONGEST_NAME = 300
"""Letters of what something is known by: indexes take no more than 2,700 bytes of all that they are made of."""
_NEVER = re.compile("[\0\ud800-\udfff]")
_NAMES = ("number", "external_id", "order_number", "order_external_id")


def is_storable(text: str) -> bool:
    """Say whether a text has neither a zero byte nor half a letter (a lone surrogate)."""
    return text.isprintable() or _NEVER.search(text) is None


def shown(text: str, most: int = LONGEST_NAME) -> str:
    """Return a text for people: cut, and with a mark for each letter that cannot be stored."""
    cut = text[:most]
    return cut if cut.isprintable() else _NEVER.sub("\ufffd", cut)


def named(text: str) -> str:
    """Return what something is known by, as it is or, where it cannot be stored, with its digest: never the same for
    two names.
    """
    if len(text) <= LONGEST_NAME and is_storable(text):
        return text
    return f"{shown(text, 100)}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def encoded(value: Any) -> str:
    """Return a value as JSON that can be stored, with a mark for each letter that cannot."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_marked(msgspec.to_builtins(value))).decode()


def _marked(value: Any) -> Any:
    if isinstance(value, str):
        return _NEVER.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_marked(key): _marked(each) for key, each in value.items()}
    return [_marked(each) for each in value] if isinstance(value, (list, tuple)) else value


def may_hold_unstorable(body: bytes) -> bool:
    """Say whether bytes are worth a look at every text that was read from them; mostly they are not."""
    return b"\0" in body or b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body


def unstorable(value: Any, path: str = "") -> Iterator[Problem]:
    """Yield a problem for each text of a document that cannot be stored."""
    if isinstance(value, str):
        if not is_storable(value):
            text = "it holds a zero byte or half a letter, which no record can keep; ask the sender to leave it out"
            yield Problem(code="unstorable_text", path=path, text=text, value=shown(value, 60))
    elif isinstance(value, (list, tuple)):
        for at, each in enumerate(value):
            yield from unstorable(each, f"{path}[{at}]")
    else:
        for name, each in _fields(value):
            place = shown(name, 60)
            yield from unstorable(name, place)
            yield from unstorable(each, f"{path}.{place}" if path else place)


def _fields(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, msgspec.Struct):
        return [(name, getattr(value, name)) for name in value.__struct_fields__]
    return [(str(name), each) for name, each in value.items()] if isinstance(value, dict) else ()


def overlong(document: Any) -> Iterator[Problem]:
    """Yield a problem for each name in a document, of itself or of its items, that is too long to be one."""
    for field in _NAMES:
        text = getattr(document, field, "")
        if text and len(text) > LONGEST_NAME:
            yield _too_long(field, text)
    for at, line in enumerate(getattr(document, "lines", ())):
        sku = getattr(line, "sku", None) or ""
        for text in (sku,) if isinstance(sku, str) else (sku.seller, sku.buyer, sku.gtin):
            if len(text) > LONGEST_NAME:
                yield _too_long(f"lines[{at}].sku", text)


def _too_long(path: str, text: str) -> Problem:
    said = f"it has {len(text)} letters; what names something has {LONGEST_NAME} at most"
    return Problem(code="too_long", path=path, text=said, value=shown(text, 60))
