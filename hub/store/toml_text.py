"""Tables written as TOML that people read: one line per key, nested tables inline."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hub.domain.errors import Problem, Rejected

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def section(heading: str, table: Mapping[str, Any]) -> str:
    """Return one table below its heading (`[seller]` or `[[route]]`); what is None is left out."""
    lines = [heading]
    lines += [f"{_key(key)} = {_value(value, key)}" for key, value in table.items() if value is not None]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        pairs = [f"{_key(key)} = {_value(each, f'{path}.{key}')}" for key, each in value.items() if each is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(_value(each, f'{path}[{place}]') for place, each in enumerate(value))}]"
    text = f"{value!r} cannot be written as TOML; use text, a number, true, false, a list or a table"
    raise Rejected([Problem(code="not_toml", path=path, text=text)])


def _text(value: str) -> str:
    """Return a basic string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
