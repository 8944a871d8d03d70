"""One rule made into one closure: read, functions, table, the field's type."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
class Link:
    """One function or code table of a rule: `call` for one value that is there, `over` for whatever comes."""

    name: str
    argument: str = ""
    call: Callable[..., Any]
    over: Callable[..., Any]
    codes: abc.Mapping[str, Any] | None = None
    """What a code table gives; one that keeps other codes gives no None."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A compiled rule. `read` gives the finished value or None; `fill` stands in where it gave none."""

    rule: Rule
    read: Read | None
    fill: Read | None
    sources: tuple[tuple[str, Read, Callable[[], Read | None]], ...] = ()
    """Each source: its path, what reads it, what makes a function that finds the segment it stands in."""
    links: tuple[Link, ...] = ()
    coerce: Coerce = free
    """What makes the value one of the field's type."""
    convert: Callable[..., Any] = free
    """(raw value that is not None, values of args) -> the finished value: all links, then `coerce`."""
    constant: Any = None
    """The finished fixed value or default."""

    def origin(self, node: Any, scope: Scope) -> tuple[str, Any, Node | None]:
        """Return the source that is present: its path, its raw value, its segment; else the nearest segment."""
        for text, read, locate in self.sources:
            value = read(node, scope)
            if value is not None and value != "":
                return text, value, node_of(node, scope, locate())
        return "", None, node_of(node, scope)


def compile_step(rule: Rule, source: Source, language: Language, coerce: Coerce) -> Step:
    """Compile a rule; RuleError and PathError say what is wrong with it."""
    holds = _condition(rule.when, source) if rule.when else None
    reads = tuple((text, source.read(text), partial(source.locate, text)) for text in rule.sources)
    if not reads:
        fixed = _constant(rule, coerce)
        return Step(rule=rule, read=None, fill=_when(holds, always(fixed)), constant=fixed)
    default = None if rule.default is None else coerce(_native(rule.default))
    links = tuple(_links(rule, source, language))
    convert = _converter(rule, links, coerce)
    args = [source.read(text) for text in rule.args]
    read = _reading(first_present([read for _, read, _ in reads]), args if convert is not coerce else [], convert)
    return Step(
        rule=rule, read=_when(holds, read), fill=None if rule.default is None else _when(holds, always(default)),
        sources=reads, links=links, coerce=coerce, convert=convert, constant=default,
    )  # fmt: skip


def table_link(name: str, language: Language, many: bool) -> Link:
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

    return Link(name="table", call=look_up, over=_each_of(_careful(look_up), many), codes=codes)


def _converter(rule: Rule, links: Sequence[Link], coerce: Coerce) -> Callable[..., Any]:
    if not links or (rule.chain == ("decimal",) and coerce is to_decimal and not rule.table):
        return coerce
    first, *rest = [link.over for link in links]

    def convert(value: Any, *others: Any) -> Any:
        if value == "":
            return None
        value = first(value, *others)
        for call in rest:
            value = call(value)
        return None if value is None else coerce(value)

    return convert


def _reading(raw: Read, args: Sequence[Read], convert: Callable[..., Any]) -> Read:
    if not args:
        return lambda node, scope: None if (value := raw(node, scope)) is None else convert(value)

    def read(node: Any, scope: Scope) -> Any:
        value = raw(node, scope)
        return None if value is None else convert(value, *(arg(node, scope) for arg in args))

    return read


def _links(rule: Rule, source: Source, language: Language) -> Iterator[Link]:
    many = any(not text.startswith("@") and source.path(text).many for text in rule.sources)
    for text in rule.chain:
        name, _, argument = text.partition(":")
        if name == "map":
            yield table_link(argument, language, many)
            continue
        function = language.functions.get(name)
        if function is None:
            raise RuleError(f"there is no function {name!r}; known are {', '.join(sorted(language.functions))}, map")
        call = _made(function, argument)
        careful = call if name == "default" else _careful(call)
        over = careful if function.takes_lists else _each_of(careful, many)
        yield Link(name=name, argument=argument, call=call, over=over)
        many = (many and not function.takes_lists) or name == "split"
    if rule.table:
        yield table_link(rule.table, language, many)
    if rule.args and not rule.chain and not rule.table:
        raise RuleError("args without a function; name one in as")


def _made(function: Built, argument: str) -> Callable[..., Any]:
    try:
        return function.make(argument)
    except Exception as error:
        raise RuleError(f"{function.name}:{argument} cannot be used: {error}") from error


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
        return lambda node, scope: is_there(read(node, scope)) is wanted
    values = frozenset(when.values)
    return lambda node, scope: is_one_of(read(node, scope), values)


def is_one_of(found: Any, values: frozenset[str]) -> bool:
    """Say whether a value, or one of a list, is spelled as one of these texts."""
    if found is None:
        return False
    if found.__class__ is str:
        return found in values
    many: Sequence[Any] = found if found.__class__ in (list, tuple) else (found,)
    return any(one is not None and as_text(one) in values for one in many)


def condition(when: When | None, source: Source) -> Callable[[Any, Scope], bool] | None:
    """Compile the condition of a block; None where it has none."""
    return _condition(when, source) if when else None


def is_there(value: Any) -> bool:
    """Say whether a value counts as present: not nothing, and not empty."""
    return value not in (None, "", [], (), {})
