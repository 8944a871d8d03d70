"""Which invoices a payment is for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from hub.domain.money import ZERO
from hub.domain.party import Party
from hub.domain.trade_document import TradeDocument


class Adjustment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money by which a payment differs from what was billed; negative where less is paid."""

    amount: Decimal
    reason: str = ""
    """The payer's code (X12 element 426) or words."""
    reference: str = ""


class Allocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of a payment is for one document. `amount` is what is paid; what a credit note takes off is negative.

    `kind`: invoice, credit_note, order, shipment; other codes as they came.
    """

    number: str
    amount: Decimal
    kind: str = "invoice"
    billed: Decimal | None = None
    """What the document asked for."""
    discount: Decimal = ZERO
    """Cash discount that was taken."""
    order_number: str = ""
    issued_on: date | None = None
    adjustments: tuple[Adjustment, ...] = ()
    """Why it is not what was billed."""


class Remittance(TradeDocument, frozen=True, kw_only=True, omit_defaults=True):
    """A payment and what it is for (UBL RemittanceAdvice, X12 820, EDIFACT REMADV).

    Allocations and adjustments should add up to `amount`; `unallocated` is what they do not explain. A repeat of the
    same number has no effect. A negative `amount` takes a payment back.
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
    adjustments: tuple[Adjustment, ...] = ()
    """What is paid, or kept back, for no document (a promotion fund, a fee)."""

    @property
    def unallocated(self) -> Decimal:
        """Return how much of the payment is for nothing that was named."""
        paid = sum((each.amount for each in self.allocations), ZERO)
        return self.amount - paid - sum((each.amount for each in self.adjustments), ZERO)
