"""The functions of the language as expressions, and the types of fields: what is common, and for values in order.

A kind says what an expression gives: text, which may be empty; maybe, a text that is not empty, or None; decimal;
number, a decimal or None; whole; date; instant, in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.translate import fields
from hub.translate.dates import iso_date, parse_date, to_date, to_instant, writer
from hub.translate.fields import Coerce
from hub.translate.functions import searched
from hub.translate.numbers import exact, to_decimal
from hub.translate.plain_values import free, text_value, tree_value
from hub.translate.steps import Link
from hub.translate.straight import support
from hub.translate.straight.listing import Program

Made = tuple[str, str] | None
"""(expression, its kind); None where there is no expression for it."""
Write = Callable[[Program, Link, str], Made]
Bounds = tuple[int, int | None] | None


def call(program: Program, link: Link, text: str, kind: str) -> Made:
    """Return a function's call for a value of this kind."""
    write = _FUNCTIONS.get((link.name, kind))
    return write(program, link, text) if write else None


def coerced(program: Program, coerce: Coerce, text: str, kind: str) -> str | None:
    """Return the expression that makes a value one of the field's type; None where there is none."""
    wanted = _COERCIONS.get(coerce, {}).get(kind)
    return wanted if wanted is None else wanted(program, text)


def _same(_program: Program, text: str) -> str:
    return text


def _calling(function: Callable[..., Any]) -> Callable[[Program, str], str]:
    return lambda program, text: f"{program.bind(function, function.__name__)}({text})"


def _shaped(pattern: str) -> Callable[[Program, str], str]:
    return lambda _program, text: pattern.format(text)


_AS_TEXT = {
    "text": _same, "maybe": _same, "decimal": _shaped("{}.__format__('f')"), "whole": _shaped("str({})"),
    "date": _shaped("{}.isoformat()"), "instant": _shaped("{}.isoformat()"),
}  # fmt: skip
_AS_IT_IS = dict.fromkeys(("text", "maybe", "decimal", "number", "whole"), _same)
_COERCIONS: Mapping[Coerce, Mapping[str, Callable[[Program, str], str]]] = {
    fields.text: _AS_TEXT,
    text_value: _AS_TEXT,
    free: _AS_IT_IS | {"date": _same, "instant": _same},
    tree_value: _AS_IT_IS | {"date": _shaped("{}.isoformat()"), "instant": _calling(support.instant_text)},
    to_decimal: {"text": _calling(exact), "decimal": _same, "number": _same},
    to_date: {"text": _calling(iso_date), "date": _same},
    to_instant: {"text": _calling(support.instant), "instant": _same},
}


def _linked(kind: str) -> Write:
    """Call the function itself."""
    return lambda program, link, text: (f"{program.bind(link.call, 'f')}({text})", kind)


def _method(name: str) -> Write:
    return lambda _program, _link, text: (f"{text}.{name}()", "text")


def _sliced(bounds: Callable[[str], Bounds]) -> Write:
    def made(_program: Program, link: Link, text: str) -> Made:
        found = bounds(link.argument)
        if found is None:
            return None
        begin, end = found
        return f"{text}[{begin or ''}:{'' if end is None else end}]", "text"

    return made


def _cut(argument: str) -> Bounds:
    return (0, int(argument)) if argument.isdecimal() else None


def _substr(argument: str) -> Bounds:
    start, _, length = argument.partition(",")
    if not (start or "0").isdecimal() or not (length or "0").isdecimal():
        return None
    begin = int(start or 0)
    return begin, begin + int(length) if length else None


def _chunk(argument: str) -> Bounds:
    length, _, place = argument.partition(",")
    if not length.isdecimal() or not (place or "0").isdecimal():
        return None
    begin = int(length) * int(place or 0)
    return begin, begin + int(length)


def _pad(_program: Program, link: Link, text: str) -> Made:
    length, _, fill = link.argument.partition(",")
    return (f"{text}.rjust({int(length)}, {fill or '0'!r})", "text") if length.isdecimal() and len(fill) < 2 else None


def _date(program: Program, link: Link, text: str) -> Made:
    return f"{program.bind(parse_date, 'date')}({text}, {program.bind(link.argument or '%Y-%m-%d')})", "date"


def _dated(program: Program, link: Link, text: str) -> Made:
    return f"{program.bind(writer(link.argument), 'written')}({text})", "text"


def _instant(program: Program, link: Link, text: str) -> Made:
    return f"{program.bind(link.call if link.argument else support.instant, 'instant')}({text})", "instant"


def _decimal(program: Program, link: Link, text: str) -> Made:
    return (f"{program.bind(exact, 'exact')}({text})", "decimal") if link.argument != "," else None


def _then(program: Program, link: Link, text: str) -> Made:
    return f"({program.bind(link.argument)} if {text} else None)", "maybe"


def _default(program: Program, link: Link, text: str) -> Made:
    return f"({text} or {program.bind(link.argument)})", "text"


def _regex(program: Program, link: Link, text: str) -> Made:
    return f"{program.bind(searched, 'searched')}({link.argument!r}, {text})", "maybe"


_TO_TEXT = ("country", "country3", "digits", "fold", "gs1_check", "gtin", "gtin12", "gtin14", "replace", "sscc18")
_TO_DECIMAL = ("abs", "divide", "implied", "minus", "negate", "plus", "round", "times")
_SPELLED = ("fixed", "plain", "to_implied")
_FUNCTIONS: Mapping[tuple[str, str], Write] = {
    ("text", "text"): lambda _program, _link, text: (text, "text"),
    ("text", "decimal"): _linked("text"),
    ("trim", "text"): _method("strip"),
    ("upper", "text"): _method("upper"),
    ("lower", "text"): _method("lower"),
    ("cut", "text"): _sliced(_cut),
    ("substr", "text"): _sliced(_substr),
    ("chunk", "text"): _sliced(_chunk),
    ("pad", "text"): _pad,
    ("then", "text"): _then,
    ("then", "maybe"): _then,
    ("default", "text"): _default,
    ("default", "maybe"): _default,
    ("regex", "text"): _regex,
    ("date", "text"): _date,
    ("date", "date"): _dated,
    ("date", "instant"): _dated,
    ("datetime", "text"): _instant,
    ("decimal", "text"): _decimal,
    ("nonzero", "decimal"): _linked("number"),
    **{(name, "text"): _linked("text") for name in (*_TO_TEXT, *_SPELLED)},
    **{(name, "decimal"): _linked("text") for name in _SPELLED},
    **{(name, kind): _linked("decimal") for name in _TO_DECIMAL for kind in ("text", "decimal")},
}
