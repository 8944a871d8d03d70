"""One rule as straight code: read, functions, the field's type, its condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from hub.translate import fields
from hub.translate.plain_values import text_value
from hub.translate.rules import When
from hub.translate.steps import Step, is_one_of, is_there
from hub.translate.straight.listing import Listing, Program
from hub.translate.straight.places import NOTHING, Place, Value
from hub.translate.straight.recipes import Recipe, recipe


@dataclass(frozen=True, kw_only=True)
class Found:
    """What code gave: a variable or expression, and how to see that there was nothing."""

    text: str
    plain: bool = False
    """Whatever counts as false is nothing; else only None is."""
    sure: bool = False
    """There is always something."""
    spots: frozenset[str] | None = None
    """Variables that are all None where there is nothing; None where that cannot be told so."""
    seen: str = ""
    """What says whether there is something, where that is not the value itself."""

    @property
    def test(self) -> str:
        """Return what says whether there is something."""
        if self.sure:
            return "True"
        return self.seen or (self.text if self.plain else f"{self.text} is not None")

    def otherwise(self, default: str) -> str:
        """Return an expression with what stands in for nothing."""
        if self.sure or (default == "None" and not self.plain):
            return self.text
        return f"{self.text} or {default}" if self.plain else f"{default} if {self.text} is None else {self.text}"


def read_rule(program: Program, step: Step, place: Place, lines: Listing) -> Found:
    """Write what reads a rule with sources, without its default."""
    rule = step.rule
    values = [value for text in rule.sources if (value := place.value(text)) is not NOTHING]
    if not values:
        return Found(text="None", spots=frozenset())
    args = [place.value(text).argument for text in rule.args] if step.convert is not step.coerce else []
    holds = condition(program, rule.when, place) if rule.when else ""
    raw = _first(program, values, lines, several=len(rule.sources) > 1)
    spots = [value.spots for value in values]
    known = None if None in spots else frozenset(name for each in spots for name in each or ())
    return replace(_converted(program, step, raw, args, holds, lines), spots=known)


def condition(program: Program, when: When, place: Place) -> str:
    """Return the expression of a condition, in brackets."""
    value = place.value(when.path)
    if when.present is not None:
        if value.kind in ("text", "texts"):
            return f"({value.text})" if when.present else f"(not {value.text})"
        there = f"{program.bind(is_there, 'there')}({value.text})"
        return there if when.present else f"(not {there})"
    if value.kind != "text":
        return f"{program.bind(is_one_of, 'one_of')}({value.text}, {program.bind(frozenset(when.values))})"
    wanted = [one for one in when.values if one or value.blank]
    if len(wanted) == 1:
        return f"({value.text} == {wanted[0]!r})"
    return f"({value.text} in {program.bind(frozenset(wanted))})"


def _first(program: Program, values: Sequence[Value], lines: Listing, *, several: bool) -> Value:
    """Return the first value that is there, in a variable; of several sources an empty text is none."""
    [value, *others] = values
    if not others and (value.text.isidentifier() or value.sure) and (value.kind != "open" or not several):
        return value
    name = program.fresh("x")
    if all(one.kind == "text" for one in values):
        lines.put(f"{name} = {' or '.join(_alternatives(values))}")
        return Value(text=name, kind="text", sure=any(one.sure for one in values))
    lines.put(f"{name} = {value.argument}")
    inner = lines
    for other in others:
        inner = inner.below(f'if {name} is None or {name} == "":')
        inner.put(f"{name} = {other.argument}")
    if several:
        lines.put(f'if {name} == "": {name} = None')
    kinds = {one.kind for one in values}
    return Value(text=name, kind=kinds.pop() if len(kinds) == 1 else "open")


def _alternatives(values: Sequence[Value]) -> Iterator[str]:
    """Yield expressions one of which is to be true; what is looked up in one dict stands together."""
    for pairs, group in groupby(values, key=lambda value: value.pairs):
        if pairs:
            yield f"({pairs} and ({' or '.join(value.look_up for value in group)}))"
        else:
            yield from (value.text for value in group)


def _converted(program: Program, step: Step, raw: Value, args: Sequence[str], holds: str, lines: Listing) -> Found:
    if raw.kind == "open":
        text, plain = _of_anything(program, step, raw.text, args)
    else:
        made = recipe(program, step, raw.kind, raw.text, args) or Recipe(text=_long(program, step, raw.text, args))
        if made.text == raw.text and not holds:
            return Found(text=raw.text, plain=raw.kind in ("text", "texts"), sure=raw.sure)
        tests = [test for test in (holds, "" if raw.sure else raw.test) if test]
        text, plain = f"{made.text} if {' and '.join(tests)} else None" if tests else made.text, made.plain
        holds = ""
    name = program.fresh("x")
    lines.put(f"{name} = ({text}) if {holds} else None" if holds else f"{name} = {text}")
    return Found(text=name, plain=plain)


def _of_anything(program: Program, step: Step, raw: str, args: Sequence[str]) -> tuple[str, bool]:
    """Return the expression for a value of any type, and whether nothing is whatever counts as false."""
    long = f"None if {raw} is None else {_long(program, step, raw, args)}"
    made = recipe(program, step, "text", raw, args)
    if made is None:
        return long, False
    # Where a value need not become a text, 0 is one.
    plain = made.plain and step.coerce in (fields.text, text_value)
    text = made.text if plain or not made.plain else f"({made.text}) or None"
    text = raw if plain and made.text == raw else f"({text} if {raw} else None)"
    return f"{text} if {raw}.__class__ is str else {long}", plain


def _long(program: Program, step: Step, raw: str, args: Sequence[str]) -> str:
    return f"{program.bind(step.convert, 'convert')}({', '.join([raw, *args])})"
