"""EDI segments: each is found once, and gives up all elements that rules read in one go."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.translate import edi_paths
from hub.translate.paths import ANY, Path, Pick, Step, parse_edi
from hub.translate.straight import support
from hub.translate.straight.listing import Listing, Program
from hub.translate.straight.places import Place, Value, looked_up, nothing


@dataclass
class Tag:
    """What is read from the children of one name."""

    first: Spot | None = None
    picked: dict[tuple[int, int], dict[str, Spot]] = field(default_factory=dict)
    found: dict[Step, Spot] = field(default_factory=dict)
    lists: dict[Step, str] = field(default_factory=dict)
    pairs: dict[Step, str] = field(default_factory=dict)
    values: dict[Path, str] = field(default_factory=dict)

    def spots(self) -> list[Spot]:
        """Return every single segment that is looked for."""
        picked = [spot for spots in self.picked.values() for spot in spots.values()]
        return [*([self.first] if self.first else []), *picked, *self.found.values()]

    def names(self) -> list[str]:
        """Return the variables that are None where there is no such child, those of lists excepted."""
        below = [name for spot in self.spots() for name in (spot.node, *spot.names())]
        return [*below, *self.values.values(), *self.pairs.values()]

    def all_lists(self) -> list[str]:
        """Return the variables that are empty where there is no such child."""
        return [*self.lists.values(), *(name for spot in self.spots() for name in spot.all_lists())]


class Spot:
    """One segment, with all that is read from it and from below it."""

    def __init__(self, program: Program, node: str, composites: bool, top: str = "") -> None:
        self.node = node
        self._program = program
        self._composites = composites
        self._top = top
        self._leaves: dict[tuple[int, int], str] = {}
        self._pairs = ""
        self._tags: dict[str, Tag] = {}

    @property
    def spots(self) -> frozenset[str] | None:
        """Return the variable that tells whether anything here can be; None for the place itself."""
        return frozenset({self._top}) if self._top else None

    def tag(self, name: str) -> Tag:
        """Return what is read from the children of a name."""
        return self._tags.setdefault(name, Tag())

    def step(self, step: Step) -> Spot:
        """Go to the first child that a step names."""
        tag = self.tag(step.name)
        if not step.picks and step.index is None:
            tag.first = tag.first or self._below()
            return tag.first
        [pick, *others] = step.picks or (Pick(key="", value=""),)
        if pick.value not in ("", ANY) and not others and step.index is None:
            spots = tag.picked.setdefault((pick.element, pick.component), {})
            if pick.value not in spots:
                spots[pick.value] = self._below()
            return spots[pick.value]
        if step not in tag.found:
            tag.found[step] = self._below()
        return tag.found[step]

    def leaf(self, element: int, component: int) -> Value:
        """Return an element or component of this segment."""
        name = self._leaves.get((element, component))
        if name is None:
            name = self._leaves[element, component] = self._program.fresh("v")
        return Value(text=name, kind="text", spots=self.spots)

    def pair(self, qualifier: str) -> Value:
        """Return the value after a qualifier in this segment."""
        self._pairs = self._pairs or self._program.fresh("q")
        return looked_up(self._pairs, qualifier, self.spots)

    def _below(self) -> Spot:
        node = self._program.fresh("n")
        return Spot(self._program, node, self._composites, self._top or node)

    def names(self) -> list[str]:
        """Return the variables that are None without this segment."""
        own = [*self._leaves.values(), *([self._pairs] if self._pairs else [])]
        return own + self.below_names()

    def all_lists(self) -> list[str]:
        """Return the variables that are empty without this segment."""
        return [name for tag in self._tags.values() for name in tag.all_lists()]

    def below_names(self) -> list[str]:
        """Return the variables that are None without some child."""
        return [name for tag in self._tags.values() for name in tag.names()]

    def write(self, lines: Listing) -> None:
        """Write what reads all of it; the segment is there."""
        if self._leaves:
            self._write_leaves(lines)
        if self._pairs:
            lines.put(f"{self._pairs} = {self._pairs_of}({self.node})")
        if not self._tags:
            return
        below = self._program.fresh("k")
        lines = lines.below(f"if {below} := {self.node}.children:") if self._top else lines
        if not self._top:
            lines.put(f"{below} = {self.node}.children")
        for name, tag in self._tags.items():
            found = self._program.fresh("k")
            self._write_tag(tag, found, lines.below(f"if {found} := {below}.get({name!r}):"))

    @property
    def _pairs_of(self) -> str:
        return self._program.bind(support.composite_pairs if self._composites else support.pairs, "pairs")

    def _write_leaves(self, lines: Listing) -> None:
        elements, length = self._program.fresh("e"), self._program.fresh("m")
        grouped: dict[int, dict[int, str]] = {}
        for (element, component), name in self._leaves.items():
            grouped.setdefault(element, {})[component] = name
        lines.put(f"{elements} = {self.node}.elements")
        if len(grouped) > 1:
            lines.put(f"{length} = len({elements})")
        for element, parts in sorted(grouped.items()):
            shorter = f"{length} > {element}" if len(grouped) > 1 else f"len({elements}) > {element}"
            self._write_parts(parts, f"{elements}[{element}] if {shorter} else None", lines)

    def _write_parts(self, parts: dict[int, str], text: str, lines: Listing) -> None:
        """Write what takes an element apart, which is a list or a text."""
        whole = parts.get(0) or self._program.fresh("e")
        lines.put(f"{whole} = {text}")
        if set(parts) == {0}:
            lines.put(f"if {whole}.__class__ is list: {whole} = {whole}[0] if {whole} else None")
            return
        split = lines.below(f"if {whole}.__class__ is list:")
        ordered = sorted(parts.items(), reverse=True)  # The whole element last: it is its first component.
        for component, name in ordered:
            place = max(component - 1, 0)
            long = f"len({whole}) > {place}" if place else whole
            split.put(f"{name} = {whole}[{place}] if {long} else None")
        plain = lines.below("else:")
        nothing(plain, [parts[1]] if 1 in parts else [], whole)
        nothing(plain, [name for component, name in ordered if component > 1])

    def _write_tag(self, tag: Tag, found: str, lines: Listing) -> None:
        bind = self._program.bind
        if tag.first:
            lines.put(f"{tag.first.node} = {found}[0]")
            tag.first.write(lines)
        for place, spots in tag.picked.items():
            self._write_picks(place, spots, found, lines)
        for step, spot in tag.found.items():
            spot.write(lines.below(f"if {spot.node} := {bind(edi_paths.first(step), 'f')}({self.node}):"))
        self._write_lists(tag, found, lines)

    def _write_picks(self, place: tuple[int, int], spots: dict[str, Spot], found: str, lines: Listing) -> None:
        """Write what goes through all children once and keeps the first for each value of an element."""
        child, value = self._program.fresh("n"), self._program.fresh("x")
        element, component = place
        inner = lines.below(f"for {child} in {found}:")
        if component:
            part = self._program.bind(support.part, "part")
            inner.put(f"{value} = {part}({child}.elements, {element}, {component})")
        else:
            inner.put(f"{value} = {value}[{element}] if len({value} := {child}.elements) > {element} else None")
            inner.put(f"if {value}.__class__ is list: {value} = {value}[0] if {value} else None")
        word = "if"
        for wanted, spot in spots.items():
            inner.put(f"{word} {value} == {wanted!r}: {spot.node} = {spot.node} or {child}")
            word = "elif"
        for spot in spots.values():
            spot.write(lines.below(f"if {spot.node} is not None:"))

    def _write_lists(self, tag: Tag, found: str, lines: Listing) -> None:
        bind = self._program.bind
        for step, name in tag.lists.items():
            lines.put(f"{name} = {self._all(step, found)}")
        for step, name in tag.pairs.items():
            merged, children = bind(support.merged, "merged"), self._all(step, found)
            one = f"{self._pairs_of}({found}[0]) if len({found}) == 1 else " if children == found else ""
            lines.put(f"{name} = {one}{merged}({children}, {self._pairs_of})")
        for path, name in tag.values.items():
            self._write_values(path, name, found, lines)

    def _all(self, step: Step, found: str) -> str:
        if not step.picks and step.index is None:
            return found
        return f"{self._program.bind(edi_paths.matches(step), 'f')}({self.node})"

    def _write_values(self, path: Path, name: str, found: str, lines: Listing) -> None:
        [step, *others] = path.steps
        common = all(pick.value not in ("", ANY) and not pick.component for pick in step.picks)
        if others or path.pair or not path.element or step.index is not None or not common:
            read = edi_paths.reader(path, composites=self._composites)
            lines.put(f"{name} = {self._program.bind(read, 'r')}({self.node}, None)")
            return
        child, elements, value = self._program.fresh("n"), self._program.fresh("e"), self._program.fresh("x")
        part = self._program.bind(support.part, "part")
        lines.put(f"{name} = []")
        inner = lines.below(f"for {child} in {found}:")
        inner.put(f"{elements} = {child}.elements")
        for pick in step.picks:
            inner.put(f"if {part}({elements}, {pick.element}, 0) != {pick.value!r}: continue")
        inner.put(f"{value} = {elements}[{path.element}] if len({elements}) > {path.element} else None")
        place = max(path.component - 1, 0)
        plain = value if path.component < 2 else "None"
        inner.put(
            f"if {value}.__class__ is list: {value} = {value}[{place}] if len({value}) > {place} else None",
            *([f"else: {value} = {plain}"] if plain != value else []),
            f"if {value}: {name}.append({value})",
        )


class EdiPlace(Place):
    """A segment or loop; `composites` says that pairs are composites, as in EDIFACT."""

    def __init__(
        self, program: Program, node: str, head: Listing, above: Place | None = None, *, composites: bool
    ) -> None:
        super().__init__(program, node, head, above)
        self._composites = composites
        self._spot = Spot(program, node, composites)

    def parse(self, text: str) -> Path:
        return parse_edi(text)

    def read(self, path: Path, *, climbed: bool) -> Value:
        spot, steps = self._spot, path.steps
        while steps and not steps[0].every and (len(steps) > 1 or self._single(path)):
            spot, steps = spot.step(steps[0]), steps[1:]
        if not steps and path.pair:
            return spot.pair(path.pair)
        if not steps and path.element:
            return spot.leaf(path.element, path.component)
        if not steps:
            return Value(text=spot.node)
        return self._several(spot, Path(text=path.text, steps=steps, element=path.element,
                                        component=path.component, pair=path.pair))  # fmt: skip

    def _single(self, path: Path) -> bool:
        """Say whether the last step means one segment: a pair is looked for in every repeat of it."""
        return not path.pair or path.steps[-1].index is not None

    def _several(self, spot: Spot, path: Path) -> Value:
        [step, *others] = path.steps
        tag = spot.tag(step.name)
        if not step.every and not others:
            name = tag.pairs.get(step) or tag.pairs.setdefault(step, self.program.fresh("q"))
            return looked_up(name, path.pair, None)
        name = tag.values.get(path) or tag.values.setdefault(path, self.program.fresh("v"))
        return Value(text=name, kind="texts" if path.element or path.pair else "open", spots=spot.spots)

    def children(self, step: Step) -> str:
        lists = self._spot.tag(step.name).lists
        return lists.get(step) or lists.setdefault(step, self.program.fresh("l"))

    def child(self, step: Step, node: str, head: Listing) -> Place:
        return EdiPlace(self.program, node, head, self, composites=self._composites)

    def guard(self, lines: Listing) -> None:
        """Write nothing: every child is a segment."""

    def close(self) -> None:
        nothing(self.head, self._spot.below_names())
        nothing(self.head, self._spot.all_lists(), "()")
        self._spot.write(self.head)
