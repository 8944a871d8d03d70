"""An invoice that others send us."""

from __future__ import annotations

from datetime import datetime

from hub.domain.invoice import Invoice


class SupplierInvoice(Invoice, frozen=True, kw_only=True, omit_defaults=True):
    """What a supplier asks of us, or an ERP booked: kept beside our own invoices, never among them."""

    connection: str = ""
    """Connection that brought it."""
    message_id: str = ""
    stored_at: datetime | None = None
