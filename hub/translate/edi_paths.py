"""Closures that read EDI trees (`hub.domain.tree.Node`), made once from parsed paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub.domain.tree import Node
from hub.translate.paths import ANY, Path, Pick, Read, Scope, Select, Step, climb

# First element of the qualifier-value pairs in X12 segments that carry other elements before them.
PAIRS_FROM = {
    "PO1": 6, "IT1": 6, "ACK": 7, "POC": 8, "SLN": 9, "LIN": 2, "PER": 3, "W01": 4, "W04": 4, "W07": 4, "W12": 7,
    "G68": 5,
}  # fmt: skip

Value = Callable[[Node], Any]


def reader(path: Path, *, composites: bool = False) -> Read:
    """Compile a path to a closure that returns its value, or a list of values where it says `[*]`.

    `composites`: pairs such as `{SA}` are composites (EDIFACT), else two elements side by side (X12).
    """
    value = _leaf(path, composites)
    if path.many:
        return _all_values(path, value)
    if path.ups:
        return _from_above(path, value)
    if not path.steps:
        return lambda node, _scope: value(node)
    if len(path.steps) == 1 and not path.pair:
        return _one_step(path.steps[0], value)
    return _deep(path, value)


def selector(path: Path) -> Select:
    """Compile the path of an `each`: every element it names, in the order of the message."""
    finds = [matches(step) for step in path.steps]

    def select(node: Any, scope: Scope) -> Sequence[tuple[Any, Scope]]:
        node, scope = climb(node, scope, path.ups)
        found: list[tuple[Any, Scope]] = [] if node is None else [(node, scope)]
        for match in finds:
            deeper: list[tuple[Any, Scope]] = []
            for holder, above in found:
                for child in match(holder):
                    deeper.append((child, (holder, above, len(deeper))))
            found = deeper
        return found

    return select


def _leaf(path: Path, composites: bool) -> Value:
    if path.pair:
        return _composite_pair(path.pair) if composites else _pair(path.pair)
    if not path.element:
        return lambda node: node
    return _component(path.element, path.component) if path.component else _element(path.element)


def _element(position: int) -> Value:
    def value(node: Node) -> Any:
        elements = node.elements
        if position >= len(elements):
            return None
        found = elements[position]
        if found.__class__ is list:
            found = found[0] if found else ""
        return found or None

    return value


def _component(position: int, component: int) -> Value:
    def value(node: Node) -> Any:
        elements = node.elements
        if position >= len(elements):
            return None
        found = elements[position]
        if found.__class__ is not list:
            return (found or None) if component == 1 else None
        return (found[component - 1] or None) if component <= len(found) else None

    return value


def _pair(qualifier: str) -> Value:
    def value(node: Node) -> Any:
        elements = node.elements
        if qualifier in elements:
            return _paired(elements, qualifier, PAIRS_FROM.get(node.tag, 1))
        return None

    return value


def _paired(elements: list[str | list[str]], qualifier: str, start: int) -> str | None:
    for position in range(start, len(elements) - 1, 2):
        if elements[position] == qualifier:
            found = elements[position + 1]
            return (found[0] if isinstance(found, list) else found) or None
    return None


def _composite_pair(qualifier: str) -> Value:
    """EDIFACT's pairs are composites: value:qualifier."""

    def value(node: Node) -> Any:
        for found in node.elements:
            if found.__class__ is list and len(found) > 1 and found[1] == qualifier:
                return found[0] or None
        return None

    return value


def _one_step(step: Step, value: Value) -> Read:
    find = first(step)

    def read(node: Any, _scope: Scope) -> Any:
        found = find(node)
        return None if found is None else value(found)

    return read


def first(step: Step) -> Callable[[Node], Node | None]:
    """Make what finds the first child that a step names."""
    name = step.name
    if step.index is None and not step.picks:

        def plain(node: Node) -> Node | None:
            found = node.children.get(name)
            return found[0] if found else None

        return plain
    if step.index is None and len(step.picks) == 1 and not step.picks[0].component and step.picks[0].value != ANY:
        return _picked(name, step.picks[0])
    match = matches(step)

    def matching(node: Node) -> Node | None:
        found = match(node)
        return found[0] if found else None

    return matching


def _picked(name: str, pick: Pick) -> Callable[[Node], Node | None]:
    position, wanted = pick.element, pick.value

    def picked(node: Node) -> Node | None:
        for child in node.children.get(name, ()):
            elements = child.elements
            if len(elements) > position:
                found = elements[position]
                if found == wanted or (found.__class__ is list and found and found[0] == wanted):
                    return child
        return None

    return picked


def _deep(path: Path, value: Value) -> Read:
    """Several steps: the first match at each; a pair is looked for in every repeat of the last segment."""
    if path.pair and path.steps[-1].index is None:
        return _deep_pair(path, value)
    finds = [first(step) for step in path.steps]

    def deep(node: Any, _scope: Scope) -> Any:
        for find in finds:
            node = find(node)
            if node is None:
                return None
        return value(node)

    return deep


def _deep_pair(path: Path, value: Value) -> Read:
    inner = [first(step) for step in path.steps[:-1]]
    last = matches(path.steps[-1])

    def deep(node: Any, _scope: Scope) -> Any:
        for find in inner:
            node = find(node)
            if node is None:
                return None
        for child in last(node):
            result = value(child)
            if result is not None:
                return result
        return None

    return deep


def _from_above(path: Path, value: Value) -> Read:
    below = _deep(path, value) if path.steps else (lambda node, _scope: value(node))

    def above(node: Any, scope: Scope) -> Any:
        node, scope = climb(node, scope, path.ups)
        return None if node is None else below(node, scope)

    return above


def _all_values(path: Path, value: Value) -> Read:
    # A step without [*] still means its first match.
    finds = [(matches(step), step.every) for step in path.steps]

    def everything(node: Any, scope: Scope) -> Any:
        node, scope = climb(node, scope, path.ups)
        nodes = [] if node is None else [node]
        for match, every in finds:
            nodes = [child for holder in nodes for child in (match(holder) if every else match(holder)[:1])]
        values = [found for found in map(value, nodes) if found is not None]
        return values or None

    return everything


def matches(step: Step) -> Callable[[Node], Sequence[Node]]:
    """Make what finds every child that a step names."""
    name, index = step.name, step.index
    tests = [_test(pick) for pick in step.picks]
    if not tests and index is None:
        return lambda node: node.children.get(name, ())
    if len(tests) == 1 and index is None:
        fits = tests[0]
        return lambda node: [child for child in node.children.get(name, ()) if fits(child)]

    def match(node: Node) -> Sequence[Node]:
        found = [child for child in node.children.get(name, ()) if all(test(child) for test in tests)]
        return found if index is None else found[index : index + 1]

    return match


def _test(pick: Pick) -> Callable[[Node], bool]:
    value = _component(pick.element, pick.component) if pick.component else _element(pick.element)
    wanted = pick.value
    if wanted == ANY:
        return lambda node: value(node) is not None
    return lambda node: value(node) == wanted
