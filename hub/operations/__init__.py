"""What the hub decides itself: one file per verb, each hearing events and emitting others, each with its undo."""

from __future__ import annotations

from hub.operations import (
    accept,
    acknowledge,
    advice,
    allocate,
    answer_change,
    cancel,
    change,
    confirm,
    confirm_change,
    count,
    dispatch,
    fulfil,
    heed,
    hold,
    invoice,
    label,
    notify,
    pay,
    publish_stock,
    put_away,
    remit,
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
        put_away.OPERATION,
        cancel.OPERATION,
        change.OPERATION,
        confirm.OPERATION,
        confirm_change.OPERATION,
        hold.OPERATION,
        pay.OPERATION,
        remit.OPERATION,
        accept.OPERATION,
        allocate.operation(source),
        acknowledge.OPERATION,
        answer_change.OPERATION,
        fulfil.OPERATION,
        ship.OPERATION,
        advice.OPERATION,
        label.OPERATION,
        dispatch.OPERATION,
        invoice.OPERATION,
        notify.OPERATION,
        heed.OPERATION,
        publish_stock.OPERATION,
        replenish.OPERATION,
    )
