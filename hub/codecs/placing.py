"""From the segments of one set to its tree, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hub.codecs.elements import Fault, segment_faults
from hub.codecs.findings import finding
from hub.codecs.guide import Guide, PathRule, Total
from hub.codecs.machine import MAX_DEPTH, Loop, Step
from hub.codecs.rearranging import arrange
from hub.codecs.segments import Segments
from hub.domain.errors import Position, Problem, Severity
from hub.domain.tree import Node

MAX_PROBLEMS = 100
_SOFT = frozenset({"segment_out_of_order"})
_MISPLACED = _SOFT | {"segment_missing", "segment_repeated", "segment_unknown", "loop_repeated"}


class _NoChildren(dict[str, list[Node]]):
    """The children of a segment that opens no loop: one for all of them, so nothing can be put into it."""

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("this segment opens no loop; it has no children")

    __setitem__ = __ior__ = setdefault = update = _refuse


_NO_CHILDREN = _NoChildren()


class Placing:
    """Builds the tree of one set. Make one per set; `problems` is filled on the way."""

    def __init__(self, segments: Segments, at: Position, *, firm: bool, first: int = 2) -> None:
        self.machine = segments.machine
        self.guide: Guide = self.machine.guide
        self.root = Node("", [""])
        self.problems: list[Problem] = []
        self.count = 0
        self._segments = segments
        self._at = at
        self._firm = firm
        self._first = first
        self._opened: list[tuple[Node, Loop]] = []
        self._levels: dict[str, Node] = {}

    def place(self, pieces: Sequence[str], offsets: Sequence[int]) -> Node:
        """Hang every segment where the guide wants it, and return the root.

        This loop runs for every segment of every file: what is rare is left to the methods below.
        """
        known, learn, find = self._segments.known, self._segments.learn, self.machine.find
        path = [self.root.children] * (MAX_DEPTH + 1)
        state = self.machine.start
        number = self._first - 1
        for piece, offset in zip(pieces, offsets, strict=False):
            number += 1
            elements, right = known.get(piece), True
            if elements is None:
                elements, right = learn(piece)
            tag = elements[0]
            step = state.moves.get(tag) or find(state, tag)
            opens = step.opens
            node = Node(tag, elements, _NO_CHILDREN if opens is None else {}, number, offset)
            family = self._family(node) if step.hierarchy else path[step.depth]
            siblings = family.get(tag)
            if siblings is None:
                family[tag] = [node]
            else:
                siblings.append(node)
                if len(siblings) > step.most:
                    step = self._too_many(step, node, siblings)
                    opens = step.opens
            if opens is not None:
                path[step.depth + 1] = node.children
            if step.rare:
                self._note(step, node)
            if not right:
                self._inside(node)
            state = step.state
        self.count = number - self._first + 1
        self._finish()
        self._look_again(pieces, offsets)
        return self.root

    def _look_again(self, pieces: Sequence[str], offsets: Sequence[int]) -> None:
        """Arrange a misplaced set anew where another arrangement breaks no rule; else what was found stands."""
        if not self.guide.name or not any(each.code in _MISPLACED for each in self.problems):
            return
        known, learn = self._segments.known, self._segments.learn
        checked = [known.get(piece) for piece in pieces[: self.count]]
        rows = [
            (elements, True) if elements else learn(piece) for elements, piece in zip(checked, pieces, strict=False)
        ]
        steps = arrange(self.machine, [elements[0] for elements, _ in rows])
        if steps is None:
            return
        self.root, self.problems, self._opened, self._levels = Node("", [""]), [], [], {}
        path = [self.root.children] * (MAX_DEPTH + 1)
        placed = zip(rows, steps, offsets, strict=False)
        for number, ((elements, right), step, offset) in enumerate(placed, self._first):
            node = Node(elements[0], elements, _NO_CHILDREN if step.opens is None else {}, number, offset)
            family = self._family(node) if step.hierarchy else path[step.depth]
            family.setdefault(node.tag, []).append(node)
            if step.opens is not None:
                path[step.depth + 1] = node.children
            if not right:
                self._inside(node)
        self._finish()

    def _note(self, step: Step, node: Node) -> None:
        if step.code:
            self._add(step.code, node)
        if step.opens is not None and step.opens.required:
            self._opened.append((node, step.opens))

    def _family(self, node: Node) -> dict[str, list[Node]]:
        """Return where a hierarchy level hangs: below the level whose number it names, whatever came between."""
        own = _text(node, 1)
        if own in self._levels:
            self._add("hierarchy_id_repeated", node, Fault("hierarchy_id_repeated", 1, 0, own))
        parent = self.root
        if wanted := _text(node, 2):
            found = self._levels.get(wanted)
            if found is None:
                self._add("hierarchy_parent_missing", node, Fault("hierarchy_parent_missing", 2, 0, wanted))
            else:
                parent = found
        self._levels.setdefault(own, node)
        return parent.children

    def _too_many(self, step: Step, node: Node, siblings: list[Node]) -> Step:
        later = self.machine.later(step.state, node.tag)
        if later is not None:
            node.children = {} if later.opens is not None else _NO_CHILDREN
            return later
        if not step.hierarchy and len(siblings) == step.most + 1:
            self._add("loop_repeated" if step.opens else "segment_repeated", node)
        return step

    def _inside(self, node: Node) -> None:
        """Check a segment value by value; the quick match did not find it right."""
        rules = self.guide.elements.get(node.tag)
        if rules is None:
            return
        for fault in segment_faults(node.elements, rules, self.guide.notes.get(node.tag, ())):
            self._add(fault.code, node, fault)

    def _finish(self) -> None:
        for node, loop in [(self.root, self.machine.root), *self._opened]:
            for tag in loop.required:
                if tag not in node.children:
                    self._missing(tag, node, loop)
        for total in self.guide.totals:
            self._total(total)
        for rule in self.guide.rules:
            self._rule(rule)

    def _missing(self, tag: str, node: Node, loop: Loop) -> None:
        """Report a required segment at the place where the reader noticed: the first that should stand after it."""
        order = [entry.tag for entry in loop.entries]
        after = (node.children[later][0] for later in order[order.index(tag) + 1 :] if later in node.children)
        seen = next(after, None)
        number = seen.number if seen else (node.number or self.count + self._first)
        offset = seen.offset if seen else node.offset if node.number else -1
        self._add("segment_missing", Node(tag, [tag], {}, number, offset))

    def _total(self, total: Total) -> None:
        nested = total.counted in self.machine.counted_below
        actual = _count(self.root, total.counted) if nested else len(self.root.children.get(total.counted, ()))
        for node in self.root.children.get(total.tag, ()):
            if total.qualifier and _text(node, 1) != total.qualifier:
                continue
            stated = _text(node, total.element, total.component)
            if stated.isdecimal() and int(stated) != actual:
                component = total.component if total.component > 1 else 0
                self._add("total_wrong", node, Fault("total_wrong", total.element, component, stated))

    def _rule(self, rule: PathRule) -> None:
        *way, last = rule.path
        for node in _nodes(self.root, way):
            found = list(_nodes(node, [last]))
            if rule.kind == "require" and not found:
                self._add("segment_missing", Node(last[0], [last[0]], {}, node.number or 1, node.offset))
            for at in found if rule.element or rule.kind == "forbid" else ():
                self._element_rule(rule, at)

    def _element_rule(self, rule: PathRule, node: Node) -> None:
        value = _text(node, rule.element) if rule.element else ""
        if rule.kind == "require" and not value:
            self._add("element_missing", node, Fault("element_missing", rule.element))
        elif rule.kind == "forbid" and not rule.element:
            self._add("segment_forbidden", node)
        elif rule.kind == "forbid" and value:
            self._add("element_forbidden", node, Fault("element_forbidden", rule.element, 0, value))

    def _add(self, code: str, node: Node, fault: Fault | None = None) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem(code, self._at, node, fault, severity=self._severity(code)))

    def _severity(self, code: str) -> Severity:
        return "error" if self._firm and code not in _SOFT and code not in self.guide.relax else "warning"


def problem(
    code: str, at: Position, node: Node | None = None, fault: Fault | None = None, *, severity: Severity = "error"
) -> Problem:
    """Build a problem with its place; `at` names interchange, group and set."""
    place, path = at, ""
    if node is not None:
        element, component = (fault.element, fault.component) if fault else (0, 0)
        path = node.tag + (f".{element:02}" if element else "") + (f".{component}" if component else "")
        place = Position(
            interchange=at.interchange, group=at.group, set=at.set, segment=node.number, tag=node.tag,
            element=element, component=component, offset=node.offset,
        )  # fmt: skip
    value = (fault.value if fault else "")[:99]
    where = f"segment {node.number} {path}: " if node is not None else ""
    text = f"{where}{finding(code).text}" + (f" ({value})" if value else "")
    return Problem(code=code, path=path, text=text, value=value, severity=severity, at=place)


def _text(node: Node, position: int, component: int = 1) -> str:
    value = node.elements[position] if position < len(node.elements) else ""
    if isinstance(value, str):
        return value if component == 1 else ""
    return value[component - 1] if component <= len(value) else ""


def _count(node: Node, tag: str) -> int:
    """Count the segments of a tag at any depth."""
    below = [child for children in node.children.values() for child in children if child.children]
    return len(node.children.get(tag, ())) + sum(_count(child, tag) for child in below)


def _nodes(node: Node, way: Sequence[tuple[str, int, str]]) -> Iterator[Node]:
    found: Iterable[Node] = (node,)
    for tag, position, value in way:
        found = [
            child
            for each in found
            for child in each.children.get(tag, ())
            if not position or _text(child, position) == value
        ]
    return iter(found)
