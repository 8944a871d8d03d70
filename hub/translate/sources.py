"""How paths are read in each kind of tree: EDI segments, dicts and lists, canonical documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hub.domain.tree import Node
from hub.translate import edi_paths, plain_paths
from hub.translate.paths import Path, PathError, Read, Scope, Select, parse_edi, parse_plain
from hub.translate.rules import COUNTERS


class Source(Protocol):
    """A kind of tree that rules read."""

    def path(self, text: str) -> Path:
        """Parse and check a path; PathError says what is wrong."""

    def read(self, text: str) -> Read:
        """Compile a path that reads a value."""

    def select(self, text: str) -> Select:
        """Compile the path of an `each`."""

    def inside(self, text: str) -> Source:
        """Return the source as seen from one element of an `each`."""

    def locate(self, text: str) -> Read | None:
        """Compile a path that finds the segment a value stands in; None where there are no segments."""


def counter(text: str) -> Read:
    """Compile `@seq`: the position of the current element, from 1."""
    if text != "@seq":
        raise PathError(f"{text}: only @seq is known here; {', '.join(COUNTERS)} are for segments that are written")
    return lambda _node, scope: str(scope[2] + 1) if scope else "1"


@dataclass(frozen=True)
class EdiSource:
    """Segments and loops."""

    used: Callable[[tuple[str, ...], Path], None] = lambda _tags, _path: None
    """Told every path with the tags it starts from, for the check against a guide."""
    tags: tuple[str, ...] = ()
    composites: bool = False
    """True where pairs are composites, as in EDIFACT."""

    def path(self, text: str) -> Path:
        path = parse_edi(text)
        self.used(self.tags, path)
        return path

    def read(self, text: str) -> Read:
        return counter(text) if text.startswith("@") else edi_paths.reader(self.path(text), composites=self.composites)

    def select(self, text: str) -> Select:
        path = self.path(text)
        if not path.steps or path.element or path.pair:
            raise PathError(f"{text}: each names segments, not elements")
        return edi_paths.selector(path)

    def locate(self, text: str) -> Read | None:
        if text.startswith("@"):
            return None
        return edi_paths.reader(replace(parse_edi(text), element=0, component=0, pair=""))

    def inside(self, text: str) -> Source:
        path = parse_edi(text)
        above = self.tags[: len(self.tags) - path.ups] if path.ups else self.tags
        return EdiSource(self.used, (*above, *(step.name for step in path.steps)), self.composites)


@dataclass(frozen=True)
class DictSource:
    """JSON, XML, CSV: dicts and lists."""

    used: Callable[[Path], None] = lambda _path: None

    def path(self, text: str) -> Path:
        path = parse_plain(text)
        self.used(path)
        return path

    def read(self, text: str) -> Read:
        return counter(text) if text == "@seq" else plain_paths.reader(self.path(text), plain_paths.of_dicts)

    def select(self, text: str) -> Select:
        return plain_paths.selector(self.path(text), plain_paths.of_dicts)

    def locate(self, text: str) -> Read | None:
        return None

    def inside(self, text: str) -> Source:
        return DictSource()


@dataclass(frozen=True)
class RecordSource:
    """A canonical document; `scopes` are the types from the document down to the current element."""

    scopes: tuple[Any, ...]

    def path(self, text: str) -> Path:
        path = parse_plain(text)
        plain_paths.check_record(path, self.scopes)
        return path

    def read(self, text: str) -> Read:
        return counter(text) if text.startswith("@") else plain_paths.reader(self.path(text), plain_paths.of_records)

    def select(self, text: str) -> Select:
        return plain_paths.selector(self.path(text), plain_paths.of_records)

    def locate(self, text: str) -> Read | None:
        return None

    def inside(self, text: str) -> Source:
        path = self.path(text)
        scopes = list(self.scopes[: len(self.scopes) - path.ups])
        for step in path.steps:
            scopes.append(plain_paths.field_type(scopes[-1], step.name, text))
        return RecordSource(tuple(scopes))


def node_of(node: Any, scope: Scope, locate: Read | None = None) -> Node | None:
    """Return the segment a value stands in, or else the nearest one that holds it; None outside of EDI."""
    found = locate(node, scope) if locate else None
    if isinstance(found, list):
        found = found[0]
    while not (isinstance(found, Node) and found.tag):
        if node is None:
            return None
        found, (node, scope) = node, (scope[0], scope[1]) if scope else (None, None)
    return found


def first_present(reads: Sequence[Read]) -> Read:
    """Read one path after the other; the first that has a value counts."""
    if len(reads) == 1:
        return reads[0]

    def read(node: Any, scope: Scope) -> Any:
        for one in reads:
            value = one(node, scope)
            if value is not None and value != "":
                return value
        return None

    return read
