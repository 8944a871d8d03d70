"""Documents out: ordered segments, or dicts and lists, or every problem at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from hub.domain.errors import Problem, Rejected
from hub.translate.explain import Trace, explain_blocks, explain_target
from hub.translate.segments import Block, Sheet, write
from hub.translate.steps import BAD_VALUE
from hub.translate.straight import Straight, rows_code, segments_code
from hub.translate.targets import Build, Each, Target, array_builder, builder


class Outward(ABC):
    """A compiled outward mapping from documents of the type `struct`."""

    def __init__(self, name: str, struct: type[msgspec.Struct]) -> None:
        self._name = name
        self._struct = struct

    @cached_property
    def straight(self) -> Straight | None:
        """The rules as one function, written on first use; None where they have a shape that is not supported."""
        return self._code()

    def one(self, document: Any) -> Any:
        """Map one document: straight where it is in order, else rule by rule."""
        if self.straight is not None:
            try:
                return self.straight.run(document)
            except BAD_VALUE:
                pass  # The rules tell what is wrong, one by one.
        return self.by_rules(document)

    def many(self, documents: Sequence[Any]) -> list[Any | Rejected]:
        """Map several documents; one that fails does not stop its siblings."""
        results: list[Any | Rejected] = []
        for document in documents:
            try:
                results.append(self.one(document))
            except Rejected as error:
                results.append(error)
        return results

    @abstractmethod
    def by_rules(self, document: Any) -> Any:
        """Map one document rule by rule; Rejected tells every problem."""

    @abstractmethod
    def explain(self, document: Any) -> list[Trace]:
        """Map one document rule by rule and tell what each did."""

    @abstractmethod
    def _code(self) -> Straight | None: ...


class Segments(Outward):
    """EDI: `[[segment]]` blocks to a list of segments, each a list of elements with its tag first."""

    def __init__(self, name: str, struct: type[msgspec.Struct], blocks: tuple[Block, ...]) -> None:
        super().__init__(name, struct)
        self._blocks = blocks

    def by_rules(self, document: Any) -> Any:
        sheet = Sheet()
        segments = write(self._blocks, document, sheet)
        if sheet.problems:
            raise Rejected(sheet.problems)
        return segments

    def explain(self, document: Any) -> list[Trace]:
        return explain_blocks(self._blocks, document)

    def _code(self) -> Straight | None:
        return segments_code(self._name, self._struct, self._blocks)


class Rows(Outward):
    """JSON and XML: one `[body]`. CSV and lists: blocks that give one object per row, under a key where it has one."""

    def __init__(
        self, name: str, struct: type[msgspec.Struct], blocks: tuple[Each, ...], key: str = "rows",
        body: Target | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name, struct)
        self._key = key
        self._blocks = blocks
        self._body = body

    @cached_property
    def _build(self) -> Build:
        return builder(self._body, always=True) if self._body else array_builder(self._blocks)

    def by_rules(self, document: Any) -> Any:
        problems: list[Problem] = []
        tree = self._build(document, None, problems)
        if problems:
            raise Rejected(problems)
        if self._body is not None:
            return tree
        return {self._key: tree or []} if self._key else tree or []

    def explain(self, document: Any) -> list[Trace]:
        target = self._body or Target(make=dict, arrays={self._key: self._blocks})
        return list(explain_target(target, document, None, ""))

    def _code(self) -> Straight | None:
        return rows_code(self._name, self._struct, self._blocks, self._key, self._body)
