"""Which mapping of the house reads or writes a set: what a partner's mapping extends."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from hub.cli.mapping_files import Kinds
from hub.cli.partnering.samples import Direction
from hub.domain.errors import Rejected
from hub.testing.mapping_contract import mapping_names
from hub.translate import mapfile


def base_of(known: Kinds, syntax: str, set_name: str, direction: Direction) -> mapfile.Mapping | None:
    """Return the house's mapping of a set, partners' own left out; None where there is none."""
    found = [
        mapping
        for mapping in _all(known.roots)
        if mapping.direction == direction and mapping.set == set_name and _syntax(mapping) == syntax
    ]
    return min(found, key=lambda mapping: len(mapping.name), default=None)


def _syntax(mapping: mapfile.Mapping) -> str:
    return mapping.syntax or mapping.guide.partition("/")[0]


@functools.lru_cache(maxsize=4)
def _all(roots: Sequence[Path]) -> tuple[mapfile.Mapping, ...]:
    """Load every mapping with a set; a broken one is not a base."""
    found = []
    for name in {name for root in roots for name in mapping_names(root) if not name.startswith("partners/")}:
        try:
            mapping = mapfile.load(roots, name)
        except Rejected:
            continue
        if mapping.set:
            found.append(mapping)
    return tuple(found)
