"""Tables of fields into frozen records, with every wrong key and value named; and records into one canonical text."""

from __future__ import annotations

import hashlib
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from hub.domain.errors import Problem

T = TypeVar("T")
_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")


def canonical(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, defaults left out."""
    return _encoder.encode(value).decode()


def sha(text: str) -> str:
    """Return the fingerprint of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def converted(kind: type[T], table: Any, where: str, problems: list[Problem]) -> T | None:
    """Make a record of a table; adds a problem per unknown key, or the first wrong value, with `where` as its path."""
    before = len(problems)
    _unknown(kind, table, where, problems)
    if len(problems) > before:
        return None
    try:
        return msgspec.convert(table, kind, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        text, _, path = str(error).partition(" - at `$")
        place = f"{where}{path.removesuffix('`')}" if path else where
        problems.append(Problem(code="invalid", path=place, text=_plain(text, kind)))
        return None


def _plain(text: str, kind: type) -> str:
    if "missing required field" in text:
        needed = [field.name for field in msgspec.structs.fields(kind) if field.required]
        return f"{text}; needed are {', '.join(needed)}"
    return text


def _unknown(kind: Any, value: Any, where: str, problems: list[Problem]) -> None:
    inner = _struct_in(kind)
    if inner is None:
        return
    if isinstance(value, list | tuple):
        for place, each in enumerate(value):
            _unknown(inner, each, f"{where}[{place}]", problems)
    if not isinstance(value, Mapping):
        return
    fields = {field.name: field.type for field in msgspec.structs.fields(inner)}
    for key, below in value.items():
        if key in fields:
            _unknown(fields[key], below, f"{where}.{key}", problems)
        else:
            text = f"is not known here; allowed are {', '.join(sorted(fields))}"
            problems.append(Problem(code="unknown_key", path=f"{where}.{key}", value=key, text=text))


def _struct_in(kind: Any) -> Any:
    """Return the Struct that a type is or holds (`tuple[Identifier, ...]`, `Address | None`), if any."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    found = [_struct_in(part) for part in typing.get_args(kind)]
    return next((each for each in found if each is not None), None)
