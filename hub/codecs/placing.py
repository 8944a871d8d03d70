"""From the segments of one set to its tree, with everything that is wrong with it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from hub.codecs.elements import Fault, note_faults, segment_faults
from hub.codecs.findings import finding
from hub.codecs.guide import Guide, PathRule, Total
from hub.codecs.machine import MAX_DEPTH, Loop, Machine, Step
from hub.domain.errors import Position, Problem, Severity
from hub.domain.tree import Node

MAX_PROBLEMS = 100
_SOFT = frozenset({"segment_out_of_order"})


class Placing:
    """Builds the tree of one set. Make one per set; `problems` is filled on the way."""

    def __init__(self, machine: Machine, at: Position, *, firm: bool, first: int = 2) -> None:
        self.machine = machine
        self.guide: Guide = machine.guide
        self.root = Node("", [""])
        self.problems: list[Problem] = []
        self.count = 0
        self._at = at
        self._firm = firm
        self._first = first
        self._opened: list[tuple[Node, Loop]] = []
        self._levels: dict[str, Node] = {}

    def place(self, pieces: Sequence[str], segments: Sequence[list[str | list[str]]], offsets: Sequence[int]) -> Node:
        """Hang every segment where the guide wants it. `pieces` are the same segments as text, for the quick match."""
        machine, root = self.machine, self.root
        path: list[Node] = [root] * (MAX_DEPTH + 1)
        state = machine.start
        moves = state.moves
        notes = self.guide.notes
        number = self._first - 1
        for piece, elements, offset in zip(pieces, segments, offsets, strict=False):
            number += 1
            tag = elements[0]
            step = moves.get(tag) or machine.find(state, tag)  # type: ignore[arg-type]
            node = Node(tag, elements, {}, number, offset)  # type: ignore[arg-type]
            parent = self._parent(step, node, path) if step.hierarchy else path[step.depth]
            siblings = parent.children.get(tag)  # type: ignore[arg-type]
            if siblings is None:
                parent.children[tag] = [node]  # type: ignore[index]
            else:
                siblings.append(node)
                if len(siblings) > step.most:
                    step = self._too_many(step, node, siblings)
            if step.code:
                self._add(step.code, node)
            if step.opens is not None:
                path[step.depth + 1] = node
                if step.opens.required:
                    self._opened.append((node, step.opens))
            state = step.state
            moves = state.moves
            match = step.match
            if match is not None and ((wrong := match(piece) is None) or tag in notes):
                self._inside(node, not wrong)
        self.count = number - self._first + 1
        self._finish()
        return root

    def _parent(self, step: Step, node: Node, path: list[Node]) -> Node:
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
        return parent

    def _too_many(self, step: Step, node: Node, siblings: list[Node]) -> Step:
        later = self.machine.later(step.state, node.tag)
        if later is not None:
            return later
        if not step.hierarchy and len(siblings) == step.most + 1:
            self._add("loop_repeated" if step.opens else "segment_repeated", node)
        return step

    def _inside(self, node: Node, right: bool) -> None:
        """Check a segment value by value; `right` says that the quick match passed and only conditions are left."""
        notes = self.guide.notes.get(node.tag, ())
        if right:
            faults: Iterable[Fault] = note_faults(node.elements, notes) if notes else ()
        else:
            faults = segment_faults(node.elements, self.guide.elements[node.tag], notes)
        for fault in faults:
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
        actual = len(self.root.children.get(total.counted, ()))
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


def offsets_of(lengths: Iterable[int], first: int) -> list[int]:
    """Return where each segment begins, from the lengths with their terminators."""
    return list(itertools.accumulate(lengths, initial=first))
