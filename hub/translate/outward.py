"""Documents out: ordered segments, or dicts and lists, or every problem at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from hub.domain.errors import Problem, Rejected
from hub.translate.explain import Trace, explain_blocks, explain_target
from hub.translate.segments import Block, Sheet, write
from hub.translate.targets import Each, Target, array_builder, builder


class Outward(Protocol):
    """A compiled outward mapping."""

    def one(self, document: Any) -> Any:
        """Map one document."""

    def many(self, documents: Sequence[Any]) -> list[Any | Rejected]:
        """Map several documents; one that fails does not stop its siblings."""

    def explain(self, document: Any) -> list[Trace]:
        """Map one document rule by rule and tell what each did."""


class Segments:
    """EDI: `[[segment]]` blocks to a list of segments, each a list of elements with its tag first."""

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        self._blocks = blocks

    def one(self, document: Any) -> Any:
        sheet = Sheet()
        segments = write(self._blocks, document, sheet)
        if sheet.problems:
            raise Rejected(sheet.problems)
        return segments

    def many(self, documents: Sequence[Any]) -> list[Any | Rejected]:
        return _many(self, documents)

    def explain(self, document: Any) -> list[Trace]:
        return explain_blocks(self._blocks, document)


class Rows:
    """JSON and XML: one `[body]`. CSV and lists: blocks that give one object per row, under a key where it has one."""

    def __init__(self, blocks: tuple[Each, ...], key: str = "rows", body: Target | None = None) -> None:
        self._key = key
        self._blocks = blocks
        self._body = body
        self._build = builder(body, always=True) if body else array_builder(blocks)

    def one(self, document: Any) -> Any:
        problems: list[Problem] = []
        tree = self._build(document, None, problems)
        if problems:
            raise Rejected(problems)
        if self._body is not None:
            return tree
        return {self._key: tree or []} if self._key else tree or []

    def many(self, documents: Sequence[Any]) -> list[Any | Rejected]:
        return _many(self, documents)

    def explain(self, document: Any) -> list[Trace]:
        target = self._body or Target(make=dict, arrays={self._key: self._blocks})
        return list(explain_target(target, document, None, ""))


def _many(mapping: Outward, documents: Sequence[Any]) -> list[Any | Rejected]:
    results: list[Any | Rejected] = []
    for document in documents:
        try:
            results.append(mapping.one(document))
        except Rejected as error:
            results.append(error)
    return results
