"""What a buyer wants changed about an order, or that it be cancelled."""

from __future__ import annotations

from datetime import date

from hub.domain.order import Order


class OrderChange(Order, frozen=True, kw_only=True, omit_defaults=True):
    """A change of an order (UBL OrderChange and OrderCancellation, X12 860 and 876, EDIFACT ORDCHG).

    It is the order as far as it changes. `purpose` says how it is meant: `change` names only the lines that change,
    each with what becomes of it in `OrderLine.change`; `replace` is the whole new order; `cancel` is the end of it.
    """

    change_number: str = ""
    """The buyer's number of this change, beside the order's `number`."""
    changed_on: date | None = None
    order_id: str = ""
    """Our order that it changes."""
    state: str = "received"
    """received, then answered."""
