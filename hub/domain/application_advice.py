"""What a partner's own system made of a document of ours."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from hub.domain.party import Party
from hub.domain.trade_document import TradeDocument


class AdvisedError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong with the document, as its receiver says it."""

    code: str = ""
    text: str = ""
    segment: str = ""
    """Tag of the segment, and how many segments from ST or UNH = 1 where they say so (`IT1`, `IT1 7`)."""
    element: str = ""
    found: str = ""
    """The bad value, copied."""


class AdvisedDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One document of ours that the advice speaks of, and how it fared."""

    reference: str
    """Its number: of the invoice, shipment, order or answer."""
    status: Literal["accepted", "accepted_with_errors", "rejected"] = "accepted"
    set: str = ""
    """810, 856, 855; INVOIC, DESADV, ORDRSP."""
    group_control: str = ""
    set_control: str = ""
    order_number: str = ""
    errors: tuple[AdvisedError, ...] = ()


class ApplicationAdvice(TradeDocument, frozen=True, kw_only=True, omit_defaults=True):
    """The answer of a receiver's application (UBL ApplicationResponse, X12 824, EDIFACT APERAK).

    It comes after the functional acknowledgement: the syntax was good, the content was taken or refused.
    """

    issued_on: date | None = None
    sender: Party | None = None
    documents: tuple[AdvisedDocument, ...] = ()
