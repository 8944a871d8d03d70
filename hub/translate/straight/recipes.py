"""How a raw value becomes the finished one, as an expression, for the functions and types that are common.

What is not here goes through the rule's own `convert`, and so does every value that an expression here refuses:
then the document is mapped rule by rule, which tells what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.translate import fields
from hub.translate.countries import country
from hub.translate.dates import iso_date, parse_date, to_date, to_instant
from hub.translate.fields import Coerce
from hub.translate.numbers import exact, to_decimal
from hub.translate.plain_values import free, text_value, tree_value
from hub.translate.steps import BAD_VALUE, Link, Step
from hub.translate.straight import support
from hub.translate.straight.listing import Program
from hub.translate.straight.places import Kind

_TEXTS: tuple[Coerce, ...] = (fields.text, text_value, tree_value, free)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """An expression for a value that is there. `plain`: it is a text, and an empty one is no value."""

    text: str
    plain: bool = False


def recipe(program: Program, step: Step, kind: Kind, raw: str, args: Sequence[str]) -> Recipe | None:
    """Return how a rule makes its value of a raw one of this kind; None where `convert` has to do it."""
    if kind == "text":
        return _of_text(program, step, raw, args)
    if kind == "texts":
        return _of_texts(program, step, raw)
    return _of_value(program, step, kind, raw) if not args else None


def _of_text(program: Program, step: Step, raw: str, args: Sequence[str]) -> Recipe | None:
    if args:
        dated = [link.name for link in step.links] == ["dtm"] and len(args) == 1 and step.coerce is to_date
        return Recipe(text=f"{program.bind(support.dtm_date, 'dtm')}({raw}, {args[0]})") if dated else None
    if step.coerce is to_instant and [(link.name, link.argument) for link in step.links] in ([], [("datetime", "")]):
        return Recipe(text=f"{program.bind(support.instant, 'instant')}({raw})")
    *links, last = step.links or (None,)
    made: Made = (raw, "text")
    for link in [*links, *([last] if last and last.codes is None else [])]:
        fits = link.codes is None and made and made[1] == "text" and (link.name != "then" or made[0] == raw)
        made = _FUNCTIONS.get(link.name, _unknown)(program, link, made[0]) if made and fits else None
    if made is None:
        return None
    if last and last.codes is not None:
        return _of_table(program, step, last.codes, raw, made[0]) if made[1] == "text" else None
    return _coerced(program, step.coerce, *made)


def _coerced(program: Program, coerce: Coerce, text: str, kind: str) -> Recipe | None:
    if kind == "text" and coerce in _TEXTS:
        return Recipe(text=text, plain=True)
    if kind == "text" and coerce is to_decimal:
        return Recipe(text=f"{program.bind(exact, 'exact')}({text})")
    if kind == "text" and coerce is to_date:
        return Recipe(text=f"{program.bind(iso_date, 'date')}({text})")
    fits = (kind == "decimal" and coerce in (to_decimal, tree_value, free)) or (kind == "date" and coerce is to_date)
    return Recipe(text=text) if fits else None


def _of_table(program: Program, step: Step, codes: Mapping[str, Any], raw: str, text: str) -> Recipe:
    """Look up a finished value; what is not in the table goes the long way, to be kept or refused."""
    made = {}
    for theirs, ours in codes.items():
        try:
            value = step.coerce(ours)
        except BAD_VALUE:
            continue
        if value is not None:
            made[theirs] = value
    found, look_up = program.fresh("x"), program.bind(made.get, "table")
    convert = program.bind(step.convert, "convert")
    return Recipe(text=f"({found} if ({found} := {look_up}({text})) is not None else {convert}({raw}))")


def _of_texts(program: Program, step: Step, raw: str) -> Recipe | None:
    if not step.links and step.coerce is fields.texts:
        return Recipe(text=f"tuple({raw})")
    if len(step.links) == 1 and step.links[0].name == "join" and step.coerce in _TEXTS and not step.rule.args:
        return Recipe(text=f"{program.bind(step.links[0].argument.join, 'join')}({raw})", plain=True)
    return None


def _of_value(program: Program, step: Step, kind: Kind, raw: str) -> Recipe | None:
    if step.links:
        [link, *others] = step.links
        if others or kind not in ("date", "instant") or (link.name, link.argument) != ("date", "%Y%m%d"):
            return None
        return Recipe(text=f"{program.bind(support.day_text, 'day')}({raw})") if step.coerce in _TEXTS else None
    if step.coerce is text_value:
        return Recipe(text=_SPELLED[kind].format(raw)) if kind in _SPELLED else None
    if step.coerce is not tree_value:
        return None
    if kind == "instant":
        return Recipe(text=f"{program.bind(support.instant_text, 'instant')}({raw})")
    if kind == "date":
        return Recipe(text=f"{raw}.isoformat()")
    return Recipe(text=raw) if kind in ("decimal", "whole") else None


_SPELLED = {"decimal": "{}.__format__('f')", "whole": "str({})", "date": "{}.isoformat()", "instant": "{}.isoformat()"}

Made = tuple[str, str] | None
"""(expression, kind of what it gives)."""
Write = Callable[[Program, Link, str], Made]


def _unknown(_program: Program, _link: Link, _text: str) -> Made:
    return None


def _cut(argument: str) -> tuple[int, int | None] | None:
    return (0, int(argument)) if argument.isdigit() else None


def _substr(argument: str) -> tuple[int, int | None] | None:
    start, _, length = argument.partition(",")
    if not (start or "0").isdigit() or not (length or "0").isdigit():
        return None
    begin = int(start or 0)
    return begin, begin + int(length) if length else None


def _chunk(argument: str) -> tuple[int, int | None] | None:
    length, _, place = argument.partition(",")
    if not length.isdigit() or not (place or "0").isdigit():
        return None
    begin = int(length) * int(place or 0)
    return begin, begin + int(length)


def _sliced(bounds: Callable[[str], tuple[int, int | None] | None]) -> Write:
    def made(_program: Program, link: Link, text: str) -> Made:
        found = bounds(link.argument)
        if found is None:
            return None
        begin, end = found
        return f"{text}[{begin or ''}:{'' if end is None else end}]", "text"

    return made


def _method(name: str) -> Write:
    return lambda _program, _link, text: (f"{text}.{name}()", "text")


def _pad(_program: Program, link: Link, text: str) -> Made:
    length, _, fill = link.argument.partition(",")
    return (f"{text}.rjust({int(length)}, {fill or '0'!r})", "text") if length.isdigit() and len(fill) < 2 else None


def _date(program: Program, link: Link, text: str) -> Made:
    pattern = program.bind(link.argument or "%Y-%m-%d")
    return f"{program.bind(parse_date, 'date')}({text}, {pattern})", "date"


def _decimal(program: Program, link: Link, text: str) -> Made:
    return (f"{program.bind(exact, 'exact')}({text})", "decimal") if link.argument != "," else None


def _called(call: Callable[..., Any]) -> Write:
    return lambda program, _link, text: (f"{program.bind(call)}({text})", "text")


_FUNCTIONS: Mapping[str, Write] = {
    "text": lambda _program, _link, text: (text, "text"),
    "trim": _method("strip"),
    "upper": _method("upper"),
    "lower": _method("lower"),
    "cut": _sliced(_cut),
    "substr": _sliced(_substr),
    "chunk": _sliced(_chunk),
    "pad": _pad,
    "then": lambda program, link, _text: (program.bind(link.argument), "text"),
    "date": _date,
    "decimal": _decimal,
    "country": _called(country),
}
