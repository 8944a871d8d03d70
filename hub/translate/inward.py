"""Trees in: a canonical document, or every problem at once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from hub.domain.errors import Problem, Rejected
from hub.domain.order import Unmapped
from hub.domain.tree import Node
from hub.translate.explain import Trace, explain_target
from hub.translate.targets import Target, builder

_LONGEST = 500


class Inward:
    """A compiled inward mapping. `known_keys` are the top-level keys that rules read, None to keep nothing else."""

    def __init__(self, *, target: Target, edi: bool, known_keys: frozenset[str] | None) -> None:
        self._target = target
        self._build = builder(target, always=True)
        self._kinds = (Node,) if edi else (dict, list)
        self._known = known_keys

    def one(self, tree: Any) -> Any:
        """Map one tree."""
        if tree.__class__ not in self._kinds:
            expected = " or ".join(kind.__name__ for kind in self._kinds)
            raise Rejected(f"the tree is a {type(tree).__name__}, this mapping reads {expected}")
        problems: list[Problem] = []
        document = self._build(tree, None, problems)
        if problems:
            raise Rejected(problems)
        if self._known is not None and tree.__class__ is dict and not self._known.issuperset(tree):
            return msgspec.structs.replace(document, unmapped=self._unmapped(tree))
        return document

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

    def _unmapped(self, tree: dict[str, Any]) -> tuple[Unmapped, ...]:
        known = self._known or frozenset()
        left = ((key, value) for key, value in tree.items() if key not in known and value not in (None, "", [], {}))
        return tuple(Unmapped(path=str(key), value=_spelled(value)) for key, value in left)


def _spelled(value: Any) -> str:
    if isinstance(value, str):
        return value[:_LONGEST]
    encoded = msgspec.json.encode(value, enc_hook=str)
    return format(value, "f") if isinstance(value, Decimal) else encoded.decode()[:_LONGEST]
