"""Which invoices a payment is for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from hub.domain.money import ZERO
from hub.domain.party import Party
from hub.domain.trade_document import TradeDocument

AllocationKind = Literal["invoice", "credit_note", "order", "shipment", "adjustment"]


class Allocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of a payment is for one document. `amount` is what is paid; a credit note's is negative.

    Where all are given, `billed` - `discount` - the sum of what was cut by adjustments = `amount`.
    """

    number: str
    amount: Decimal
    kind: AllocationKind = "invoice"
    billed: Decimal | None = None
    """What the document asked for."""
    discount: Decimal = ZERO
    """Cash discount that was taken."""
    order_number: str = ""
    issued_on: date | None = None
    reason: str = ""
    """Why it is not what was billed: the payer's code or words."""


class Remittance(TradeDocument, frozen=True, kw_only=True, omit_defaults=True):
    """A payment and what it is for (UBL RemittanceAdvice, X12 820, EDIFACT REMADV).

    The allocations add up to `amount`; the difference is in `unallocated`. A repeat of the same number has no effect.
    """

    amount: Decimal
    currency: str = ""
    method: str = ""
    """How it is paid: ach, wire, check, card, none; other codes as they came."""
    trace: str = ""
    """Number under which the bank knows the payment (cheque number, trace id)."""
    paid_on: date | None = None
    payer: Party | None = None
    payee: Party | None = None
    allocations: tuple[Allocation, ...] = ()

    @property
    def unallocated(self) -> Decimal:
        """Return how much of the payment is for nothing that was named."""
        return self.amount - sum((each.amount for each in self.allocations), ZERO)
