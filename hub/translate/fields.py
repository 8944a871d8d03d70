"""What the fields of canonical documents hold, and how a raw value becomes one: exactly, or not at all."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal

import msgspec

from hub.translate.dates import to_date, to_instant
from hub.translate.numbers import number, to_decimal, whole
from hub.translate.plain_paths import as_text, hints

Coerce = Callable[[Any], Any]
Kind = Literal["value", "struct", "structs", "dict"]


@dataclass(frozen=True, kw_only=True)
class FieldType:
    """One field: a value with its coercion, a nested struct, a tuple of structs, or a free dict."""

    kind: Kind
    coerce: Coerce = lambda value: value
    struct: type[msgspec.Struct] | None = None


@cache
def fields(struct: type[msgspec.Struct]) -> dict[str, FieldType]:
    """Return every field of a canonical type; what it derives itself cannot be filled."""
    own = struct.__struct_fields__
    return {name: _field_type(hint) for name, hint in hints(struct).items() if name in own}


@cache
def needed(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the names of the fields that have no default."""
    return tuple(name for name, field in known(struct).items() if field.required)


@cache
def known(struct: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """Return what msgspec knows of every field: its default, or what makes one."""
    return {field.name: field for field in msgspec.structs.fields(struct)}


def _field_type(hint: Any) -> FieldType:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _field_type(next(argument for argument in arguments if argument is not type(None)))
    if origin is tuple:
        inner = _field_type(arguments[0])
        if inner.struct is not None:
            return FieldType(kind="structs", struct=inner.struct)
        return FieldType(kind="value", coerce=_tuple_of(inner.coerce))
    if origin is dict or hint is Any:
        return FieldType(kind="dict")
    if origin is Literal:
        return FieldType(kind="value", coerce=_one_of(arguments))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return FieldType(kind="struct", struct=hint)
    return FieldType(kind="value", coerce=_COERCIONS[hint])


def text(value: Any) -> str | None:
    """Make a text of a scalar; an empty one is no value."""
    if value.__class__ is str:
        return value or None
    if value.__class__ is int:
        return str(value)
    if isinstance(value, dict):
        raise ValueError("an object where one value is expected; name a field of it")
    if isinstance(value, (list, tuple)):
        raise ValueError("several values; pick one with [0] or put them together")
    return as_text(value)


def _bool(value: Any) -> bool | None:
    if value.__class__ is bool:
        return bool(value)
    if value == "":
        return None
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError(f'{value!r} is not true or false; use as = ["bool"]')


def _whole(value: Any) -> int | None:
    return None if value == "" else whole(value)


def _coordinate(value: Any) -> float | None:
    return None if value == "" else float(number(value) if not isinstance(value, float) else value)


@cache
def _tuple_of(coerce: Coerce) -> Coerce:
    def call(value: Any) -> tuple[Any, ...] | None:
        parts = value if value.__class__ in (list, tuple) else (value,)
        found = tuple(one for one in map(coerce, parts) if one is not None)
        return found or None

    return call


def _one_of(allowed: tuple[Any, ...]) -> Coerce:
    known = frozenset(allowed)

    def call(value: Any) -> Any:
        if value.__class__ is str and value in known:
            return value or None
        raise ValueError(f"{value!r} is none of {', '.join(map(str, allowed))}")

    return call


texts = _tuple_of(text)
"""Make a tuple of texts."""

_COERCIONS: dict[Any, Coerce] = {
    str: text,
    Decimal: to_decimal,
    int: _whole,
    bool: _bool,
    float: _coordinate,
    date: to_date,
    datetime: to_instant,
}
