"""How a raw value becomes the finished one, as an expression, where all functions of a rule have one.

Else the value goes through the rule's own `convert`; so does every value that an expression refuses, for then the
document is mapped rule by rule, which tells what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.translate import fields
from hub.translate.dates import to_date
from hub.translate.plain_values import free, text_value, tree_value
from hub.translate.steps import BAD_VALUE, Step
from hub.translate.straight import support
from hub.translate.straight.inline import call, coerced
from hub.translate.straight.listing import Program
from hub.translate.straight.places import Kind

_TEXTS = (fields.text, text_value, tree_value, free)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """An expression for a value that is there. `plain`: it is a text, and an empty one is no value."""

    text: str
    plain: bool = False


def recipe(program: Program, step: Step, kind: Kind, raw: str, args: Sequence[str]) -> Recipe | None:
    """Return how a rule makes its value of a raw one of this kind; None where `convert` has to do it."""
    if kind == "texts":
        return _of_texts(program, step, raw)
    names = [link.name for link in step.links]
    if args:
        dated = names == ["dtm"] and len(args) == 1 and kind == "text" and step.coerce is to_date
        return Recipe(text=f"{program.bind(support.dtm_date, 'dtm')}({raw}, {args[0]})") if dated else None
    made: tuple[str, str] | None = (raw, kind)
    for link in step.links:
        if made is None:
            return None
        if link.codes is not None:
            last = link is step.links[-1] and made[1] == "text"
            return _of_table(program, step, link.codes, raw, made[0]) if last else None
        made = call(program, link, *made)
    text = coerced(program, step.coerce, *made) if made else None
    return Recipe(text=text, plain=made[1] in ("text", "maybe") and step.coerce in _TEXTS) if made and text else None


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
