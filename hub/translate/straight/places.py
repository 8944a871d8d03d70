"""What straight code knows of the current element, and of those that hold it.

A place is an element of the tree that rules are seen from: the document, or one element of an `each`. It is asked for
the value of a path and answers with a variable. The variables are filled at the head of the place, each segment or
object looked up once, however many rules read it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from hub.translate.paths import Path, Step
from hub.translate.straight.listing import Listing, Program, Unsupported

Kind = Literal["text", "texts", "open", "decimal", "whole", "date", "instant"]
"""text: a str. texts: a list of str with something in them. open: anything. Else what its name says."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """An expression that gives a value."""

    text: str
    kind: Kind = "open"
    spots: frozenset[str] | None = None
    """Variables that are all None where there is no value; None where that cannot be told so."""
    blank: bool = False
    """An empty text is what the path reads; else it stands for nothing at all."""
    sure: bool = False
    pairs: str = ""
    """The dict it is looked up in, which may be None, and how."""
    look_up: str = ""

    @property
    def test(self) -> str:
        """Return what says whether there is a value."""
        return self.text if self.kind in ("text", "texts") else f"{self.text} is not None"

    @property
    def argument(self) -> str:
        """Return what a function gets: None where there is nothing."""
        return f"{self.text} or None" if self.kind in ("text", "texts") and not self.blank else self.text


def looked_up(pairs: str, key: str, spots: frozenset[str] | None) -> Value:
    """Return what a dict of texts has for a key, where there is such a dict."""
    look_up = f"{pairs}.get({key!r})"
    text = f"({pairs} and {look_up} or None)"
    return Value(text=text, kind="text", spots=spots, pairs=pairs, look_up=look_up)


NOTHING = Value(text="None", spots=frozenset())


class Place(ABC):
    """One element that rules are seen from: `node` is its variable, `head` where its values are read."""

    def __init__(self, program: Program, node: str, head: Listing, above: Place | None = None) -> None:
        self.program = program
        self.node = node
        self.head = head
        self.above = above
        self._counter = ""
        self._start = Listing()
        self._step = Listing()
        program.at_end(self.close)

    def value(self, text: str) -> Value:
        """Return the value of a path or of `@seq`."""
        if text == "@seq":
            return Value(text=self._position(), kind="text", sure=True)
        path = self.parse(text)
        place = self.up(path.ups)
        return NOTHING if place is None else place.read(replace(path, ups=0), climbed=path.ups > 0)

    def up(self, levels: int) -> Place | None:
        """Return the place that holds this one; None above the document."""
        place: Place | None = self
        for _ in range(levels):
            place = place.above if place else None
        return place

    def each(self, text: str, lines: Listing) -> tuple[Place, Listing]:
        """Write the loops of an `each`; return the place of one element and the innermost block."""
        path = self.parse(text)
        place = self.up(path.ups)
        if place is None or not path.steps:
            raise Unsupported(f"each = {text!r}")
        starts = [lines.part() for _ in path.steps]
        for step, start in zip(path.steps, starts, strict=True):
            place, lines = place.loop(step, lines)
            place._start = start
        return place, lines

    def loop(self, step: Step, lines: Listing) -> tuple[Place, Listing]:
        """Write the loop over the children that a step names; return the place of one child and its block."""
        found, child = self.children(step), self.program.fresh("n")
        inner = lines.below(f"for {child} in {found}:")
        guard, counter = inner.part(), inner.part()
        place = self.child(step, child, inner.part())
        place.guard(guard)
        place._step = counter
        return place, inner

    def _position(self) -> str:
        """Return the text that counts this element from 1."""
        if self.above is None:
            return '"1"'
        if not self._counter:
            self._counter = self.program.fresh("i")
            self._start.put(f"{self._counter} = 0")
            self._step.put(f"{self._counter} += 1")
        return f"str({self._counter})"

    @abstractmethod
    def guard(self, lines: Listing) -> None:
        """Write what an element of a list must be to count."""

    @abstractmethod
    def parse(self, text: str) -> Path:
        """Parse a path."""

    @abstractmethod
    def read(self, path: Path, *, climbed: bool) -> Value:
        """Return the value of a path that goes down only; `climbed` says that it went up before."""

    @abstractmethod
    def children(self, step: Step) -> str:
        """Return a variable with all children that a step names."""

    @abstractmethod
    def child(self, step: Step, node: str, head: Listing) -> Place:
        """Return the place of one such child."""

    @abstractmethod
    def close(self) -> None:
        """Write the head; all rules are known now."""


def nothing(lines: Listing, names: Iterable[str], value: str = "None") -> None:
    """Set variables to nothing."""
    found = list(names)
    if found:
        lines.put(" = ".join([*found, value]))
