"""Python source under construction: its lines, and the names that it uses.

No text of a mapping reaches the source as code: constants are bound to names, or written by `repr`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Unsupported(Exception):
    """A shape of rules that no straight code is written for; such a mapping runs rule by rule."""


class Unfit(ValueError):
    """A document that straight code does not take; it is mapped rule by rule."""


@dataclass(frozen=True, kw_only=True)
class Straight:
    """A mapping as one function. It gives what the rules give, or raises one of `BAD_VALUE` and says nothing."""

    run: Callable[[Any], Any]
    source: str


class Listing:
    """Lines, and listings that are filled later: at the same depth (`part`) or one deeper (`below`)."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, str | Listing]] = []

    def put(self, *lines: str) -> None:
        """Add lines."""
        self._parts.extend((0, line) for line in lines)

    def part(self) -> Listing:
        """Add a place at this depth that is filled later, or never."""
        return self.attach(Listing(), 0)

    def below(self, line: str) -> Listing:
        """Add a line that opens a block and return the block."""
        self.put(line)
        return self.attach(Listing(), 1)

    def attach(self, inner: Listing, depth: int) -> Listing:
        """Add a listing that exists already."""
        self._parts.append((depth, inner))
        return inner

    def write(self, lines: list[str], depth: int) -> None:
        """Add every line with its blanks; a block without lines does nothing."""
        blanks = "    " * depth
        for deeper, part in self._parts:
            if isinstance(part, str):
                lines.append(blanks + part)
                continue
            before = len(lines)
            part.write(lines, depth + deeper)
            if deeper and len(lines) == before:
                lines.append(f"{blanks}    pass")


class Program:
    """One function under construction, with the objects that it names."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {"__builtins__": {}, "Unfit": Unfit, "str": str, "list": list, "dict": dict}
        self._names |= {"tuple": tuple, "len": len}
        self._bound: dict[int, str] = {}
        self._closers: list[Callable[[], None]] = []
        self._count = 0

    def fresh(self, hint: str) -> str:
        """Return a name that is not in use."""
        self._count += 1
        return f"{hint}{self._count}"

    def bind(self, value: Any, hint: str = "c") -> str:
        """Return a name for an object, or its literal where that is the same object."""
        if value is None or value is True or value is False or (value.__class__ in (str, tuple) and not value):
            return repr(value)
        name = self._bound.get(id(value))
        if name is None:
            name = self._bound[id(value)] = self.fresh(hint)
            self._names[name] = value
        return name

    def at_end(self, close: Callable[[], None]) -> None:
        """Remember what is called when all rules are written."""
        self._closers.append(close)

    def made(self, body: Listing, title: str) -> Straight:
        """Compile `def run(n0)` with this body."""
        for close in self._closers:
            close()
        lines = ["def run(n0):"]
        body.write(lines, 1)
        source = "\n".join([*lines, ""])
        exec(compile(source, f"<mapping {title}>", "exec"), self._names)
        return Straight(run=self._names["run"], source=source)
