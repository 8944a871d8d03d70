"""A text from people to people."""

from __future__ import annotations

from datetime import date

from hub.domain.party import Party
from hub.domain.trade_document import TradeDocument


class TextMessage(TradeDocument, frozen=True, kw_only=True, omit_defaults=True):
    """A text that no program reads (X12 864, EDIFACT GENRAL): it is shown to a person."""

    title: str = ""
    text: tuple[str, ...] = ()
    """The lines of the text, in order."""
    sent_on: date | None = None
    sender: Party | None = None
    receiver: Party | None = None
    order_number: str = ""
