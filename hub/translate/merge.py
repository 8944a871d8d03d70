"""How a mapping file changes the one it extends: rules whole, blocks by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.translate.rules import is_rule


def merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one file's rules over another's. A rule is replaced whole, a table of rules is gone into."""
    result = dict(base)
    for key, value in own.items():
        before = base.get(key)
        if key in ("segment", "row"):
            result[key] = _blocks(before or [], value)
        elif isinstance(value, dict) and isinstance(before, dict) and not is_rule(value) and not is_rule(before):
            result[key] = merged(before, value)
        else:
            result[key] = value
    return result


def with_ids(blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give every block an id: its own, or its tag in small letters, counted where that repeats."""
    taken: dict[str, int] = {}
    result = []
    for block in blocks:
        name = str(block.get("id") or str(block.get("tag", "row")).lower())
        taken[name] = taken.get(name, 0) + 1
        result.append({**block, "id": name if taken[name] == 1 else f"{name}-{taken[name]}"})
    return result


def _blocks(base: Sequence[dict[str, Any]], own: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    result = list(base)
    for block in with_ids(own):
        places = {known["id"]: place for place, known in enumerate(result)}
        place, after = places.get(block["id"]), places.get(block.get("after", ""))
        if block.get("remove"):
            result = _without(result, block["id"])
        elif place is not None:
            result[place] = block
        elif after is not None:
            neighbour = result[after]
            inherited = {"under": neighbour["under"]} if "under" in neighbour and "under" not in block else {}
            result.insert(after + 1, {**inherited, **{k: v for k, v in block.items() if k != "after"}})
        else:
            result.append(block)
    return result


def _without(blocks: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Remove a block and all that stands under it."""
    gone = {name}
    for _ in blocks:
        gone |= {block["id"] for block in blocks if block.get("under") in gone}
    return [block for block in blocks if block["id"] not in gone]
