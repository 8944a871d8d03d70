"""Closures that read dicts, lists and canonical documents, made once from parsed paths."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from hub.translate.paths import Path, PathError, Pick, Read, Scope, Select, Step, climb

Open = Callable[[str], Callable[[Any], Any]]
"""Key -> function that takes the value of that key out of an element, None where it has none."""

LISTS = (list, tuple)
"""What a path takes for several values."""


def of_dicts(name: str) -> Callable[[Any], Any]:
    """Open a key of a dict."""

    def take(node: Any) -> Any:
        return node.get(name) if node.__class__ is dict else None

    return take


def of_records(name: str) -> Callable[[Any], Any]:
    """Open a field of a canonical document, or a key of its extensions."""

    def take(node: Any) -> Any:
        if node.__class__ is dict:
            return node.get(name)
        return getattr(node, name, None) if isinstance(node, msgspec.Struct) else None

    return take


def reader(path: Path, opens: Open) -> Read:
    """Compile a path to a closure that returns its value, or a list of values where it says `[*]`."""
    if not path.ups and not path.many and len(path.steps) in (1, 2) and not any(_picky(s) for s in path.steps):
        return _short(path, opens)
    steps = [(matches(step, opens), step.every) for step in path.steps]
    many, ups = path.many, path.ups

    def read(node: Any, scope: Scope) -> Any:
        node, scope = climb(node, scope, ups)
        found = [node]
        for match, every in steps:
            found = [child for holder in found for child in (match(holder) if every else match(holder)[:1])]
        values = [value for each in found if (value := scalar(each)) is not None and value != ""]
        return (values or None) if many else (values[0] if values else None)

    return read


def selector(path: Path, opens: Open) -> Select:
    """Compile the path of an `each`: every element it names; a lone value counts as a list of one."""
    finds = [matches(step, opens) for step in path.steps]

    def select(node: Any, scope: Scope) -> Sequence[tuple[Any, Scope]]:
        node, scope = climb(node, scope, path.ups)
        found: list[tuple[Any, Scope]] = [] if node is None else [(node, scope)]
        for match in finds:
            deeper: list[tuple[Any, Scope]] = []
            for holder, above in found:
                for child in match(holder):
                    if child is not None:
                        deeper.append((child, (holder, above, len(deeper))))
            found = deeper
        return found

    return select


def _picky(step: Step) -> bool:
    return bool(step.picks) or step.index is not None


def _short(path: Path, opens: Open) -> Read:
    """Read the common shapes `key` and `key.key` without building lists."""
    first = opens(path.steps[0].name)
    if len(path.steps) == 1:
        if opens is of_dicts:
            return _key(path.steps[0].name)

        def one(node: Any, _scope: Scope) -> Any:
            value = first(node)
            return scalar(_first(value) if value.__class__ in LISTS else value)

        return one
    second = opens(path.steps[1].name)

    def two(node: Any, _scope: Scope) -> Any:
        holder = first(node)
        if holder.__class__ in LISTS:
            holder = _first(holder)
        value = None if holder is None else second(holder)
        return scalar(_first(value) if value.__class__ in LISTS else value)

    return two


def _key(name: str) -> Read:
    """The commonest path of all, in one call."""

    def key(node: Any, _scope: Scope) -> Any:
        if node.__class__ is not dict:
            return None
        value = node.get(name)
        if value.__class__ is list:
            value = _first(value)
        return value if value.__class__ is not dict else scalar(value)

    return key


def scalar(value: Any) -> Any:
    """Return what a value says: of an XML element with attributes its text, nothing where there is none."""
    if value.__class__ is not dict:
        return value
    text = value.get("#text")
    if text is None and value and all(key[:1] == "@" for key in value):
        return None
    return value if text is None else text


def _first(values: Any) -> Any:
    return values[0] if values else None


def matches(step: Step, opens: Open) -> Callable[[Any], Sequence[Any]]:
    """Make what finds every child that a step names; a lone value counts as a list of one."""
    take, index = opens(step.name), step.index
    tests = [_test(pick, opens) for pick in step.picks]

    def match(node: Any) -> Sequence[Any]:
        value = take(node)
        if value is None:
            return ()
        found: Sequence[Any] = value if value.__class__ in LISTS else (value,)
        if tests:
            found = [child for child in found if all(test(child) for test in tests)]
        return found if index is None else found[index : index + 1]

    return match


def _test(pick: Pick, opens: Open) -> Callable[[Any], bool]:
    takes, wanted = [opens(name) for name in pick.key.split(".")], pick.value

    def test(node: Any) -> bool:
        for take in takes:
            node = take(node)
        return node is not None and as_text(scalar(node)) == wanted

    return test


def as_text(value: Any) -> str:
    """Spell a scalar the way conditions and text targets see it: true, 12.50, 2026-11-22."""
    if value.__class__ is str:
        return str(value)
    if value is True or value is False:
        return "true" if value else "false"
    if value.__class__ is int:
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)


def check_record(path: Path, scopes: Sequence[Any]) -> Any:
    """Follow a path through canonical types and return the type it ends in; PathError names what is unknown.

    `scopes` are the types from the document down to the current element.
    """
    if path.ups >= len(scopes):
        raise PathError(f"{path.text}: there is nothing above the document")
    current = scopes[len(scopes) - 1 - path.ups]
    for step in path.steps:
        current = field_type(current, step.name, path.text)
    return current


def field_type(holder: Any, name: str, text: str) -> Any:
    """Return the type of a field, without its None and its tuple; Any where extensions leave it open."""
    if holder is Any:
        return Any
    if not (isinstance(holder, type) and issubclass(holder, msgspec.Struct)):
        raise PathError(f"{text}: {name!r} asks for a field of a plain value")
    known = hints(holder)
    if name not in known:
        raise PathError(f"{text}: {holder.__name__} has no field {name!r}; it has {', '.join(sorted(known))}")
    return bare(known[name])


@cache
def hints(struct: type) -> dict[str, Any]:
    """Return the type of every field of a canonical type, and of what it derives from them (its properties)."""
    derived = {
        name: typing.get_type_hints(found.fget)["return"]
        for name, found in inspect.getmembers(struct, lambda member: isinstance(member, property))
        if not name.startswith("_")
    }
    return typing.get_type_hints(struct) | derived


def bare(kind: Any) -> Any:
    """Take None, tuple and dict off a type: what one element of it is."""
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return bare(next(argument for argument in arguments if argument is not type(None)))
    if origin is tuple:
        return bare(arguments[0])
    return Any if origin is dict else kind
