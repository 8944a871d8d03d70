"""Control numbers: one series for each sender, receiver and level, taken for a whole batch in the begin transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.domain.errors import Problem, Rejected
from hub.ports.records import Unit

LARGEST = {"interchange": 999_999_999, "group": 999_999_999, "set": 999_999_999}
"""What the fields hold; after it the series begins at 1 again."""
Wanted = tuple[str, str, Mapping[str, Any], Sequence[str]]
"""Delivery id, codec, envelope, levels."""


def scope(codec: str, sender: str, receiver: str, level: str) -> str:
    """Return the name of a series: what a receiver compares is who sent and at which level."""
    return f"{codec}/{_bare(codec, sender)}>{_bare(codec, receiver)}/{level}"


def _bare(codec: str, party: str) -> str:
    """Return a party in one spelling: X12 has a qualifier always, EDIFACT leaves an empty one out."""
    qualifier, mark, identity = party.partition(":")
    if not mark:
        qualifier, identity = ("ZZ" if codec == "x12" else ""), party
    return f"{qualifier.strip()}:{identity.strip()}" if qualifier.strip() else identity.strip()


def take(unit: Unit, wanted: Sequence[Wanted]) -> dict[str, dict[str, Any]]:
    """Return the `control` of each delivery: numbers that no other ever gets. One statement per series."""
    series: dict[str, list[tuple[str, str]]] = {}
    for delivery_id, codec, envelope, levels in wanted:
        for level in levels:
            name = scope(codec, str(envelope.get("sender", "")), str(envelope.get("receiver", "")), level)
            series.setdefault(name, []).append((delivery_id, level))
    found: dict[str, dict[str, Any]] = {}
    for name, takers in sorted(series.items()):
        numbers = unit.control_numbers(name, len(takers), delivery_ids=[delivery_id for delivery_id, _ in takers])
        for (delivery_id, level), number in zip(takers, numbers, strict=True):
            found.setdefault(delivery_id, {})[level] = (number - 1) % LARGEST[level] + 1
    return {each: _control(levels) for each, levels in found.items()}


def _control(levels: Mapping[str, int]) -> dict[str, Any]:
    control: dict[str, Any] = {name: number for name, number in levels.items() if name != "set"}
    return {**control, "sets": [levels["set"]]} if "set" in levels else control


def check(envelope: Mapping[str, Any], connection: str, document: str) -> None:
    """Raise Rejected where an agreement's envelope cannot be addressed."""
    missing = [name for name in ("sender", "receiver") if not envelope.get(name)]
    if missing:
        what = " and no ".join(missing)
        text = f"the outbound agreement of {connection} for {document} names no {what}; add them to its envelope"
        raise Rejected([Problem(code="envelope", path=f"envelope.{missing[0]}", text=text)])
