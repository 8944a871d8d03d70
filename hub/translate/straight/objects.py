"""Objects as straight code: canonical documents inward, JSON, XML and CSV trees outward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from hub.translate.fields import known
from hub.translate.steps import Step
from hub.translate.straight.listing import Listing, Program, Unsupported
from hub.translate.straight.places import Place
from hub.translate.straight.values import Found, condition, read_rule
from hub.translate.targets import Each, Target

_MOST_KEYWORDS = 15
"""With more keywords Python makes a dict for the call; then one with only what is there is cheaper."""


@dataclass
class Fields:
    """What code found for the fields of one object."""

    found: dict[str, Found] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    """Expressions that must be true for the object to be in order."""

    @property
    def spots(self) -> frozenset[str] | None:
        """Return the variables that are all None where no field has a value; None where that is not known."""
        each = [found.spots for found in self.found.values()]
        if self.required or not each or None in each:
            return None
        return frozenset(name for spots in each for name in spots or ())

    @property
    def test(self) -> str:
        """Return what says whether any field has a value."""
        if any(found.sure for found in self.found.values()):
            return "True"
        return " or ".join(dict.fromkeys(found.test for found in self.found.values())) or "False"


def build(program: Program, target: Target, place: Place, lines: Listing, *, always: bool) -> Found:
    """Write what builds one object. `always` builds it also where no rule found a value."""
    names = [*target.steps, *target.nested, *target.arrays]
    if len(set(names)) != len(names):
        raise Unsupported("one field is filled in two ways")
    name = program.fresh("o")
    # A free object without constants and defaults has just what was found: where that is nothing, it is empty.
    plain = target.make is dict and not always and not any(step.fill for step in target.steps.values())
    plain = plain and not target.needs_text
    inner, fields = Listing(), Fields()
    _read_fields(program, target, place, inner, fields)
    for test in fields.required:
        inner.put(f"if not ({test}): raise Unfit")
    text = fields.found["#text"] if target.needs_text else None
    test = text.test if text else "True" if always or plain else fields.test
    whole = inner if test == "True" else inner.below(f"if {test}:")
    make = _make_dict if target.make is dict else _make_struct
    make(program, target, place, whole, fields, name)
    outer = lines
    holds = condition(program, target.when, place) if target.when else ""
    spots = None if always else fields.spots
    if holds or not always or test != "True":
        outer.put(f"{name} = None")
    tests = [test for test in (holds, _any_of(spots)) if test]
    outer.attach(inner, 0) if not tests else outer.below(f"if {' and '.join(tests)}:").attach(inner, 0)
    return Found(text=name, plain=plain, sure=always and not holds and test == "True", spots=spots)


def build_all(program: Program, blocks: tuple[Each, ...], place: Place, lines: Listing) -> Found:
    """Write what builds the items of all blocks, one after the other, as a list."""
    items = program.fresh("l")
    lines.put(f"{items} = []")
    for each in blocks:
        holds = condition(program, each.when, place) if each.when else ""
        inner = lines.below(f"if {holds}:") if holds else lines
        if each.select is None:
            found = build(program, each.target, place, inner, always=False)
        else:
            child, inner = place.each(each.text, inner)
            found = build(program, each.target, child, inner, always=True)
        kept = inner if found.sure else inner.below(f"if {found.test}:")
        kept.put(f"{items}.append({found.text})")
    return Found(text=items, plain=True)


def _any_of(spots: frozenset[str] | None) -> str:
    if spots is None:
        return ""
    tests = [f"{name} is not None" for name in sorted(spots)]
    return f"({' or '.join(tests)})" if tests else "False"


def _read_fields(program: Program, target: Target, place: Place, lines: Listing, fields: Fields) -> None:
    for name, step in target.steps.items():
        if step.read is None:
            continue
        found = fields.found[name] = read_rule(program, step, place, lines)
        if step.rule.required and step.fill is None and not found.sure:
            fields.required.append(found.test)
    for name, below in target.nested.items():
        fields.found[name] = build(program, below, place, lines, always=False)
    for name, blocks in target.arrays.items():
        found = build_all(program, blocks, place, lines)
        as_list = target.make is dict or blocks[0].target.make is dict
        fields.found[name] = found if as_list else Found(text=f"tuple({found.text})", plain=True, seen=found.text)


def _fill(program: Program, step: Step | None, place: Place, missing: str) -> str:
    """Return the constant or default of a rule, or what stands in for that."""
    if step is None or step.fill is None or step.constant is None:
        return missing
    constant = program.bind(step.constant)
    return f"({constant} if {condition(program, step.rule.when, place)} else {missing})" if step.rule.when else constant


def _make_dict(program: Program, target: Target, place: Place, lines: Listing, fields: Fields, name: str) -> None:
    lines.put(f"{name} = {{}}")
    for key in target.order:
        found = fields.found.get(key)
        fill = _fill(program, target.steps.get(key), place, "None")
        text = found.otherwise(fill) if found else fill
        if found and not found.sure and fill == "None":
            lines.put(f"if {found.test}: {name}[{key!r}] = {found.text}")
        elif found is None or fill != "None":
            _put_filled(program, f"{name}[{key!r}]", text, lines)
        else:
            lines.put(f"{name}[{key!r}] = {text}")


def _put_filled(program: Program, place: str, text: str, lines: Listing) -> None:
    value = program.fresh("x")
    lines.put(f"{value} = {text}", f"if {value} is not None: {place} = {value}")


def _make_struct(program: Program, target: Target, place: Place, lines: Listing, fields: Fields, name: str) -> None:
    given = list(_arguments(program, target, place, lines, fields))
    struct = cast("type[msgspec.Struct]", target.make)
    make = program.bind(struct, struct.__name__)
    if len(given) <= _MOST_KEYWORDS:
        lines.put(f"{name} = {make}({', '.join(f'{key}={text}' for key, text, _ in given)})")
        return
    values = program.fresh("d")
    lines.put(f"{values} = {{{', '.join(f'{key!r}: {text}' for key, text, found in given if found is None)}}}")
    for key, _, found in given:
        if found is not None:
            lines.put(f"if {found.test}: {values}[{key!r}] = {found.text}")
    lines.put(f"{name} = {make}(**{values})")


def _arguments(
    program: Program, target: Target, place: Place, lines: Listing, fields: Fields
) -> Iterator[tuple[str, str, Found | None]]:
    """Yield (field, its value or else what stands in for it, what was found where it may be left out)."""
    defaults = known(cast("type[msgspec.Struct]", target.make))
    for name in target.needed:
        if name not in fields.found and name not in target.steps:
            lines.put("raise Unfit")
    for name in dict.fromkeys((*target.steps, *fields.found)):
        found, step = fields.found.get(name), target.steps.get(name)
        fill = _fill(program, step, place, "None")
        if name in target.needed:
            yield name, _needed(program, fields, found, fill, lines), None
            continue
        missing = _default(program, defaults[name])
        fill = _fill(program, step, place, missing)
        optional = found if found and not found.sure and fill == missing else None
        yield name, found.otherwise(fill) if found else fill, optional


def _needed(program: Program, fields: Fields, found: Found | None, fill: str, lines: Listing) -> str:
    """Return the value of a field that cannot be left out, and write what refuses the object without it."""
    if found and fill == "None":
        if not found.sure and found.test not in fields.required:
            lines.put(f"if not ({found.test}): raise Unfit")
        return found.text
    value = program.fresh("x")
    lines.put(f"{value} = {found.otherwise(fill) if found else fill}", f"if {value} is None: raise Unfit")
    return value


def _default(program: Program, field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        return program.bind(field.default)
    factory: Callable[[], Any] = field.default_factory
    return {dict: "{}", list: "[]"}.get(factory) or f"{program.bind(factory)}()"  # type: ignore[call-overload]
