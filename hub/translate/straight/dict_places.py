"""Dicts and lists: each object on the way to a value is opened once."""

from __future__ import annotations

from hub.translate import plain_paths
from hub.translate.paths import Path, Step, parse_plain
from hub.translate.straight import support
from hub.translate.straight.listing import Listing, Program
from hub.translate.straight.places import Place, Value, nothing


class Spot:
    """One dict, with all that is read from it. `top` is the variable that tells whether it can be there at all."""

    def __init__(self, program: Program, node: str, top: str = "") -> None:
        self.node = node
        self.top = top
        self._program = program
        self._leaves: dict[tuple[str, str], str] = {}
        self._below: dict[str, Spot] = {}

    def leaf(self, key: str, shape: str) -> str:
        """Return the variable of a key's value; `shape` is how the path that reads it treats lists and empty text."""
        return self._leaves.get((key, shape)) or self._leaves.setdefault((key, shape), self._program.fresh("v"))

    def below(self, key: str) -> Spot:
        """Go to the dict below a key."""
        if key not in self._below:
            node = self._program.fresh("n")
            self._below[key] = Spot(self._program, node, self.top or node)
        return self._below[key]

    def names(self) -> list[str]:
        """Return the variables that are None without this dict."""
        return [*self._leaves.values(), *(name for spot in self._below.values() for name in (spot.node, *spot.names()))]

    def write(self, lines: Listing) -> None:
        """Write what reads all of it; it is a dict."""
        bind = self._program.bind
        scalar = bind(plain_paths.scalar, "scalar")
        for (key, shape), name in self._leaves.items():
            lines.put(f"{name} = {self.node}.get({key!r})")
            if shape == "key":
                lines.put(f"if {name}.__class__ is list: {name} = {name}[0] if {name} else None")
                lines.put(f"if {name}.__class__ is dict: {name} = {scalar}({name})")
                continue
            lists, first = bind(plain_paths.LISTS, "lists"), bind(support.first, "first")
            lines.put(f"if {name}.__class__ in {lists}: {name} = {first}({name})")
            lines.put(f"if {name}.__class__ is dict: {name} = {scalar}({name})")
            if shape == "long":
                lines.put(f'if {name} == "": {name} = None')
        for key, spot in self._below.items():
            lines.put(f"{spot.node} = {self.node}.get({key!r})")
            opened(spot.node, self._program, lines)
            spot.write(lines.below(f"if {spot.node} is not None:"))
            nothing(lines.below("else:"), spot.names())


def opened(name: str, program: Program, lines: Listing) -> None:
    """Write what makes a variable a dict, the first of a list being meant, or None."""
    lists, first = program.bind(plain_paths.LISTS, "lists"), program.bind(support.first, "first")
    other = lines.below(f"if {name}.__class__ is not dict and {name} is not None:")
    other.put(f"if {name}.__class__ in {lists}: {name} = {first}({name})")
    other.put(f"if {name}.__class__ is not dict: {name} = None")


class DictPlace(Place):
    """An element of a tree of dicts and lists."""

    def __init__(self, program: Program, node: str, head: Listing, above: Place | None = None) -> None:
        super().__init__(program, node, head, above)
        self._spot = Spot(program, node)
        self._lists: dict[Step, str] = {}
        self._values: dict[Path, str] = {}

    def parse(self, text: str) -> Path:
        return parse_plain(text)

    def read(self, path: Path, *, climbed: bool) -> Value:
        steps = path.steps
        if not steps or path.many or any(step.picks or step.index for step in steps):
            name = self._values.get(path) or self._values.setdefault(path, self.program.fresh("v"))
            return Value(text=name)
        # As `plain_paths.reader` does it: an empty text is a value to short paths only.
        long = climbed or len(steps) > 2 or any(step.index is not None for step in steps)
        spot = self._spot
        for step in steps[:-1]:
            spot = spot.below(step.name)
        name = spot.leaf(steps[-1].name, "long" if long else "short" if len(steps) == 2 else "key")
        return Value(text=name, spots=frozenset({spot.top}) if spot.top else None)

    def children(self, step: Step) -> str:
        return self._lists.get(step) or self._lists.setdefault(step, self.program.fresh("l"))

    def child(self, step: Step, node: str, head: Listing) -> Place:
        return DictPlace(self.program, node, head, self)

    def guard(self, lines: Listing) -> None:
        lines.put(f"if {self.node} is None: continue")

    def close(self) -> None:
        bind = self.program.bind
        for path, name in self._values.items():
            lines = plain_paths.reader(path, plain_paths.of_dicts)
            self.head.put(f"{name} = {bind(lines, 'r')}({self.node}, None)")
        inside = Listing()
        self._spot.write(inside)
        for step, name in self._lists.items():
            plain = not step.picks and step.index is None
            found = f"{self.node}.get({step.name!r})" if plain else self.node
            children = support.listed if plain else plain_paths.matches(step, plain_paths.of_dicts)
            inside.put(f"{name} = {bind(children, 'all')}({found})")
        names, lists = self._spot.names(), list(self._lists.values())
        if names or lists:
            self.head.below(f"if {self.node}.__class__ is dict:").attach(inside, 0)
            other = self.head.below("else:")
            nothing(other, names)
            nothing(other, lists, "()")
