"""What the hub decides itself: one file per verb, each hearing events and emitting others, each with its undo."""

from __future__ import annotations

from hub.operations import accept, allocate, fulfil, hold
from hub.operations.source import Decide
from hub.pipeline.services import Operation


def built_in(source: Decide | None = None) -> tuple[Operation, ...]:
    """Return the operations in the order they hear an event; `source` may choose the place that fulfils."""
    return (hold.OPERATION, accept.OPERATION, allocate.operation(source), fulfil.OPERATION)
