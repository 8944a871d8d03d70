"""How the payment axis moves: by what newer copies of an order say, never back because of an old one."""

from __future__ import annotations

from collections.abc import Mapping

from hub.domain.order import Order, PaymentState

_STEP: Mapping[PaymentState, int] = {
    "unpaid": 0, "cod_pending": 0, "authorized": 1, "void": 2, "partially_paid": 3, "paid": 4,
    "partially_refunded": 5, "refunded": 6, "chargeback": 7,
}  # fmt: skip
"""The way that money takes. Without a time to go by, a state counts only where it lies further along."""
_SAYS_NOTHING = ("unpaid", "cod_pending")


def paid_so_far(order: Order) -> PaymentState:
    """Return the axis from the totals and terms; what the source already said (authorized, paid, …) stands."""
    paid, grand = order.totals.paid, order.totals.grand
    if order.payment != "unpaid":
        return order.payment
    if paid is not None and paid > 0:
        return "paid" if grand is not None and paid >= grand else "partially_paid"
    return "cod_pending" if order.payment_terms == "cod" else "unpaid"


def payment_after(known: Order, given: Order) -> PaymentState:
    """Return the axis of a known order once a copy of it was seen.

    A copy with a later source time counts as it is, one with an earlier time not at all; with the same time, or none
    (two webhooks of one second), only what lies further along does. `unpaid` is also what a document says that does
    not speak of payment, so it takes nothing back but an authorization that ran out.
    """
    if is_older(given, known):
        return known.payment
    state, later = paid_so_far(given), is_older(known, given)
    if state in _SAYS_NOTHING:
        return state if later and known.payment == "authorized" else known.payment
    return state if later or _STEP[state] > _STEP[known.payment] else known.payment


def is_older(one: Order, other: Order) -> bool:
    """Say whether a copy was made at the source before another one; without both times nobody knows."""
    first, second = one.source_updated_at, other.source_updated_at
    return first is not None and second is not None and first < second
