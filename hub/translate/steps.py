"""One rule made into one closure: read, functions, table, the field's type."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.domain.tree import Node
from hub.translate import fields
from hub.translate.fields import Coerce
from hub.translate.functions import Built
from hub.translate.numbers import to_decimal
from hub.translate.paths import Read, Scope
from hub.translate.plain_paths import as_text
from hub.translate.plain_values import free, tree_value
from hub.translate.rules import Rule, RuleError, When
from hub.translate.sources import Source, first_present, node_of

BAD_VALUE = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
"""What a function may raise on a value it cannot take; anything else is a fault of the program."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """What rules may name: functions and code tables, and which way the tables are read."""

    functions: abc.Mapping[str, Built]
    tables: abc.Mapping[str, abc.Mapping[str, Any]]
    outward: bool = False


@dataclass(frozen=True, kw_only=True)
class Step:
    """A compiled rule. `read` gives the finished value or None; `fill` stands in where it gave none."""

    rule: Rule
    read: Read | None
    fill: Read | None
    sources: tuple[tuple[str, Read, Read | None], ...] = ()
    """Each source: its path, what reads it, what finds the segment it stands in."""

    def origin(self, node: Any, scope: Scope) -> tuple[str, Any, Node | None]:
        """Return the source that is present: its path, its raw value, its segment; else the nearest segment."""
        for text, read, locate in self.sources:
            value = read(node, scope)
            if value is not None and value != "":
                return text, value, node_of(node, scope, locate)
        return "", None, node_of(node, scope)


def compile_step(rule: Rule, source: Source, language: Language, coerce: Coerce) -> Step:
    """Compile a rule; RuleError and PathError say what is wrong with it."""
    holds = _condition(rule.when, source) if rule.when else None
    reads = tuple((text, source.read(text), source.locate(text)) for text in rule.sources)
    if not reads:
        return Step(rule=rule, read=None, fill=_when(holds, always(_constant(rule, coerce))))
    default = rule.default
    fill = None if default is None else _when(holds, always(coerce(_native(default))))
    read = _chained(rule, source, language, coerce, first_present([read for _, read, _ in reads]))
    return Step(rule=rule, read=_when(holds, read), fill=fill, sources=reads)


def table_call(name: str, language: Language) -> Callable[[Any], Any]:
    """Compile a code table: theirs to ours inward, ours to theirs outward."""
    table = language.tables.get(name)
    if table is None:
        raise RuleError(f"there is no table {name}")
    codes = {str(theirs): ours for theirs, ours in table.get("codes", {}).items()}
    if language.outward:
        codes = {str(ours): theirs for theirs, ours in reversed(codes.items())}
    keep = table.get("other") == "keep"

    def look_up(value: Any) -> Any:
        found = codes.get(value if value.__class__ is str else as_text(value))
        if found is None:
            if keep:
                return value
            raise ValueError(f"{value!r} is not in the code table {name}")
        return found

    return look_up


def _chained(rule: Rule, source: Source, language: Language, coerce: Coerce, raw: Read) -> Read:
    args = [source.read(text) for text in rule.args]
    calls = _calls(rule, source, language)
    if not calls or (rule.chain == ("decimal",) and coerce is to_decimal and not rule.table):
        return _plain(raw, coerce)
    if args:
        calls[0] = _bound(calls[0])
    rest = calls[1:] if args else calls

    def read(node: Any, scope: Scope) -> Any:
        value = raw(node, scope)
        if value is None or value == "":
            return None
        if args:
            value = calls[0]((value, *(arg(node, scope) for arg in args)))
        for call in rest:
            value = call(value)
        return None if value is None else coerce(value)

    return read


def _plain(raw: Read, coerce: Coerce) -> Read:
    def read(node: Any, scope: Scope) -> Any:
        value = raw(node, scope)
        return None if value is None else coerce(value)

    return read


def _bound(call: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda values: call(*values)


def _calls(rule: Rule, source: Source, language: Language) -> list[Callable[..., Any]]:
    calls = []
    many = any(not text.startswith("@") and source.path(text).many for text in rule.sources)
    for text in rule.chain:
        name, _, argument = text.partition(":")
        if name == "map":
            calls.append(_each_of(_careful(table_call(argument, language)), many))
            continue
        function = language.functions.get(name)
        if function is None:
            raise RuleError(f"there is no function {name!r}; known are {', '.join(sorted(language.functions))}, map")
        call = _made(function, argument)
        calls.append(call if function.takes_lists else _each_of(call, many))
        many = (many and not function.takes_lists) or name == "split"
    if rule.table:
        calls.append(_each_of(_careful(table_call(rule.table, language)), many))
    if rule.args and not calls:
        raise RuleError("args without a function; name one in as")
    return calls


def _made(function: Built, argument: str) -> Callable[..., Any]:
    try:
        call = function.make(argument)
    except Exception as error:
        raise RuleError(f"{function.name}:{argument} cannot be used: {error}") from error
    return call if function.name == "default" else _careful(call)


def _careful(call: Callable[..., Any]) -> Callable[..., Any]:
    """Nothing stays nothing: only `default` is called without a value."""
    return lambda value, *others: None if value is None else call(value, *others)


def _each_of(call: Callable[..., Any], many: bool) -> Callable[..., Any]:
    if not many:
        return call

    def over(values: Any, *others: Any) -> Any:
        if values.__class__ not in (list, tuple):
            return call(values, *others)
        return [found for found in (call(value, *others) for value in values) if found is not None]

    return over


def _constant(rule: Rule, coerce: Coerce) -> Any:
    # An empty text is a value where a text is expected, and nothing anywhere else.
    if rule.value == "" and coerce in (fields.text, free, tree_value):
        return ""
    return coerce(_native(rule.value))


def _native(value: Any) -> Any:
    """TOML floats are refused: a number with decimals is written as text."""
    if isinstance(value, float):
        raise RuleError(f"{value}: write numbers with decimals in quotes, so that they stay exact")
    return value


def always(value: Any) -> Read:
    """Read the same value everywhere."""
    return lambda _node, _scope: value


def _when(holds: Callable[[Any, Scope], bool] | None, read: Read) -> Read:
    if holds is None:
        return read
    return lambda node, scope: read(node, scope) if holds(node, scope) else None


def _condition(when: When, source: Source) -> Callable[[Any, Scope], bool]:
    read = source.read(when.path)
    if when.present is not None:
        wanted = when.present
        return lambda node, scope: _is_there(read(node, scope)) is wanted
    values = frozenset(when.values)

    def one_of(node: Any, scope: Scope) -> bool:
        found = read(node, scope)
        if found is None:
            return False
        if found.__class__ is str:
            return found in values
        many: Sequence[Any] = found if found.__class__ in (list, tuple) else (found,)
        return any(one is not None and as_text(one) in values for one in many)

    return one_of


def condition(when: When | None, source: Source) -> Callable[[Any, Scope], bool] | None:
    """Compile the condition of a block; None where it has none."""
    return _condition(when, source) if when else None


def _is_there(value: Any) -> bool:
    return value not in (None, "", [], (), {})
