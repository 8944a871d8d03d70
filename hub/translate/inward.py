"""Trees in: a canonical document, or every problem at once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from hub.domain.errors import Problem, Rejected
from hub.domain.order import Unmapped
from hub.domain.tree import Node
from hub.translate.explain import Trace, explain_target
from hub.translate.steps import BAD_VALUE
from hub.translate.straight import Straight, inward_code
from hub.translate.targets import Build, Target, builder

_LONGEST = 500


class Inward:
    """A compiled inward mapping. `known_keys` are the top-level keys that rules read, None to keep nothing else.

    `composites`: pairs such as `{SA}` are composites (EDIFACT).
    """

    def __init__(
        self, *, name: str, target: Target, edi: bool, composites: bool, known_keys: frozenset[str] | None
    ) -> None:
        self._name = name
        self._target = target
        self._edi = edi
        self._composites = composites
        self._known = known_keys

    @cached_property
    def straight(self) -> Straight | None:
        """The rules as one function, written on first use; None where they have a shape that is not supported."""
        return inward_code(self._name, self._target, edi=self._edi, composites=self._composites)

    @cached_property
    def _build(self) -> Build:
        return builder(self._target, always=True)

    def one(self, tree: Any) -> Any:
        """Map one tree: straight where it is in order, else rule by rule."""
        if tree.__class__ is not Node if self._edi else tree.__class__ not in (dict, list):
            expected = "Node" if self._edi else "dict or list"
            raise Rejected(f"the tree is a {type(tree).__name__}, this mapping reads {expected}")
        if self.straight is not None:
            try:
                return self._kept(tree, self.straight.run(tree))
            except BAD_VALUE:
                pass  # The rules tell what is wrong, one by one.
        return self.by_rules(tree)

    def by_rules(self, tree: Any) -> Any:
        """Map one tree rule by rule; Rejected tells every problem."""
        problems: list[Problem] = []
        document = self._build(tree, None, problems)
        if problems:
            raise Rejected(problems)
        return self._kept(tree, document)

    def many(self, trees: Sequence[Any]) -> list[Any | Rejected]:
        """Map several trees; one that fails does not stop its siblings."""
        results: list[Any | Rejected] = []
        for tree in trees:
            try:
                results.append(self.one(tree))
            except Rejected as error:
                results.append(error)
        return results

    def explain(self, tree: Any) -> list[Trace]:
        """Map one tree rule by rule and tell what each did."""
        return list(explain_target(self._target, tree, None, ""))

    def _kept(self, tree: Any, document: Any) -> Any:
        if self._known is None or tree.__class__ is not dict or self._known.issuperset(tree):
            return document
        return msgspec.structs.replace(document, unmapped=self._unmapped(tree))

    def _unmapped(self, tree: dict[str, Any]) -> tuple[Unmapped, ...]:
        known = self._known or frozenset()
        left = ((key, value) for key, value in tree.items() if key not in known and value not in (None, "", [], {}))
        return tuple(Unmapped(path=str(key), value=_spelled(value)) for key, value in left)


def _spelled(value: Any) -> str:
    if isinstance(value, str):
        return value[:_LONGEST]
    encoded = msgspec.json.encode(value, enc_hook=str)
    return format(value, "f") if isinstance(value, Decimal) else encoded.decode()[:_LONGEST]
