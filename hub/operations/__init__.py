"""What the hub decides itself: one file per verb, each hearing events and emitting others, each with its undo."""

from __future__ import annotations

from hub.operations import (
    accept,
    acknowledge,
    advice,
    allocate,
    cancel,
    change,
    confirm,
    count,
    dispatch,
    fulfil,
    hold,
    invoice,
    label,
    notify,
    pay,
    publish_stock,
    replenish,
    ship,
)
from hub.operations.source import Decide
from hub.pipeline.services import Operation


def built_in(source: Decide | None = None) -> tuple[Operation, ...]:
    """Return the operations in the order they hear an event; `source` may choose the place that fulfils.

    Stock is counted and freed before it is promised; what is published comes last.
    """
    return (
        count.OPERATION,
        cancel.OPERATION,
        change.OPERATION,
        confirm.OPERATION,
        hold.OPERATION,
        pay.OPERATION,
        accept.OPERATION,
        allocate.operation(source),
        acknowledge.OPERATION,
        fulfil.OPERATION,
        ship.OPERATION,
        advice.OPERATION,
        label.OPERATION,
        dispatch.OPERATION,
        invoice.OPERATION,
        notify.OPERATION,
        publish_stock.OPERATION,
        replenish.OPERATION,
    )
