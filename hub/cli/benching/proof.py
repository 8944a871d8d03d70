"""Every order exactly once: proven in the record and at the sink after each run, else the figure is void."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.cli.benching import samples
from hub.cli.benching.scene import EFFECTS, Workload
from hub.domain.money import MICROS
from hub.store.db import Db

Arrived = Mapping[str, Mapping[str, Sequence[float]]]
"""Path -> order number -> [time of arrival, number of keys]."""


def idle(db: Db) -> bool:
    """Say whether nothing is left to do."""
    row = db.one("SELECT count(*) FROM work WHERE task <> 'pull'")
    return row is not None and row[0] == 0


def sink_problems(workload: Workload, numbers: Sequence[int], arrived: Arrived) -> Iterator[str]:
    """Yield what is wrong with what the destination has."""
    wanted = {samples.reference(number) for number in numbers}
    for send in workload.sends:
        there = arrived.get(EFFECTS[send], {})
        if missing := wanted - set(there):
            yield f"{len(missing)} orders had no {send} at the sink, such as {min(missing)}"
        if strange := set(there) - wanted:
            yield f"{len(strange)} {send} at the sink belong to no order, such as {min(strange)}"
        twice = [reference for reference, (_, keys) in there.items() if keys != 1]
        if twice:
            yield f"{len(twice)} orders had more than one {send}, such as {min(twice)}"


def database_problems(db: Db, workload: Workload, numbers: Sequence[int], seed: int) -> Iterator[str]:
    """Yield what is wrong in the record."""
    count = len(numbers)
    orders = _number(db, "SELECT count(DISTINCT external_id) FROM orders")
    if orders != count:
        yield f"the record has {orders} orders, not {count}"
    rows = db.all("SELECT send, state, count(*), count(DISTINCT order_id) FROM deliveries GROUP BY send, state")
    found = {(row[0], row[1]): (row[2], row[3]) for row in rows if row[0] != "receipt"}
    expected = {(send, "delivered"): (count, count) for send in workload.sends}
    if found != expected:
        yield f"deliveries are {_shown(found)}, not {_shown(expected)}"
    incidents = db.all("SELECT title FROM incidents ORDER BY title LIMIT 3")
    yield from (f"incident: {row[0]}" for row in incidents)
    if workload.job:
        held = _number(db, "SELECT coalesce(sum(reserved), 0) FROM stock_levels")
        if held != samples.quantity(numbers, seed) * MICROS:
            yield f"stock has {held / MICROS:g} pieces reserved, not {samples.quantity(numbers, seed)}"


def answered(outbox: Path, source: str) -> int:
    """Return how many orders the acknowledgements in a folder accept; a CONTRL that accepts counts what it answers."""
    return sum(_accepted(file.read_text("latin-1"), source) for file in sorted(outbox.glob("*")) if file.is_file())


def _accepted(text: str, source: str) -> int:
    if source == "x12":
        return sum(int(accepted) for accepted in re.findall(r"AK9\*A\*\d+\*\d+\*(\d+)", text))
    whole = len(re.findall(r"UCI\+[^']*\+[78]'", text))
    return len(re.findall(r"UCM\+[^']*\+7'", text)) or whole


def _number(db: Db, query: str) -> int:
    row = db.one(query)
    return int(row[0]) if row is not None else 0


def _shown(found: Mapping[tuple[str, str], Any]) -> str:
    return ", ".join(f"{number} {send} {state}" for (send, state), (number, _) in sorted(found.items())) or "none"
