"""How values are written into trees: exact, without types that a codec does not know."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from hub.translate.plain_paths import as_text


def tree_value(value: Any) -> Any:
    """Keep what JSON knows, Decimals included; dates and instants become ISO 8601 text."""
    if value.__class__ in (str, int, bool, Decimal):
        return None if value == "" else value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [found for found in map(tree_value, value) if found is not None] or None
    if isinstance(value, msgspec.Struct):
        raise ValueError("an object where one value is expected; name a field of it")
    return value


def text_value(value: Any) -> str | None:
    """Spell a value for a segment or a column; lists and objects are refused."""
    if value.__class__ is str:
        return value or None
    if isinstance(value, (list, tuple, dict, msgspec.Struct)):
        raise ValueError("several values where one is expected; pick one with [0] or join them")
    return as_text(value)


def free(value: Any) -> Any:
    """Keep a value of an extension as it is; an empty text is no value."""
    return None if value == "" else value
