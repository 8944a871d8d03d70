"""One rule of a mapping file, as data: what its TOML says, checked, with its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEYS = frozenset({"from", "args", "value", "default", "as", "table", "required", "when"})
COUNTERS = ("@seq", "@hl", "@parent", "@count")


class RuleError(ValueError):
    """A rule that cannot be read; the text says why."""


@dataclass(frozen=True, kw_only=True)
class When:
    """A condition on one path: `is` a value, `in` a list, present or absent."""

    path: str
    values: tuple[str, ...] = ()
    present: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Where one value comes from and what is done to it. `target` is the field or element it fills."""

    target: str
    where: str = ""
    """`file:line`, for people."""
    sources: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    value: Any = None
    default: Any = None
    chain: tuple[str, ...] = ()
    table: str = ""
    required: bool = False
    when: When | None = None

    @property
    def constant(self) -> bool:
        """Say whether the rule reads nothing: a fixed value, or a counter."""
        return not self.sources or self.sources[0].startswith("@")


def is_rule(value: Any) -> bool:
    """Say whether a TOML value is a rule: a path, a list of paths, a table with from or value."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, str) for one in value)
    return isinstance(value, str) or (isinstance(value, dict) and ("from" in value or "value" in value))


def parse_rule(target: str, value: Any, where: str = "") -> Rule:
    """Read one rule; RuleError names what is wrong with it."""
    if not isinstance(value, Mapping):
        return Rule(target=target, where=where, sources=_texts(target, "from", value))
    unknown = sorted(set(value) - KEYS)
    if unknown:
        raise RuleError(
            f"{target}: a rule knows no {', '.join(unknown)}; it has {', '.join(sorted(KEYS))}."
            ' For a target field named from or value, write "=from" or "=value"'
        )
    if ("from" in value) == ("value" in value):
        raise RuleError(f"{target}: a rule has either from or value")
    return Rule(
        target=target,
        where=where,
        sources=_texts(target, "from", value.get("from", [])),
        args=_texts(target, "args", value.get("args", [])),
        value=value.get("value"),
        default=value.get("default"),
        chain=_texts(target, "as", value.get("as", [])),
        table=str(value.get("table", "")),
        required=bool(value.get("required", False)),
        when=parse_when(target, value["when"]) if "when" in value else None,
    )


def parse_when(target: str, value: Any) -> When:
    """Read a condition."""
    if not isinstance(value, Mapping) or "path" not in value or len(value) != 2:
        raise RuleError(f"{target}: when needs path and one of is, in, present, absent")
    [(kind, wanted)] = [(key, given) for key, given in value.items() if key != "path"]
    path = str(value["path"])
    if kind == "is":
        return When(path=path, values=(_spelled(wanted),))
    if kind == "in" and isinstance(wanted, list):
        return When(path=path, values=tuple(_spelled(one) for one in wanted))
    if kind in ("present", "absent") and isinstance(wanted, bool):
        return When(path=path, present=wanted is (kind == "present"))
    raise RuleError(f"{target}: when knows is = value, in = [values], present = true, absent = true")


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _texts(target: str, key: str, value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise RuleError(f"{target}: {key} is a text or a list of texts")
    return tuple(found)
