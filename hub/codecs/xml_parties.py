"""Who a UBL 2.x document is from and for: the electronic address of the two parties, else their identification.

Source: the ordering, despatch and billing document types of UBL 2.1 and Peppol BIS 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BUYER, _SELLER = "BuyerCustomerParty", "SellerSupplierParty"
_BILLED = ("AccountingSupplierParty", "AccountingCustomerParty")
_DESPATCHED = ("DespatchSupplierParty", "DeliveryCustomerParty")
_ROLES: Mapping[str, tuple[str, str]] = {
    "Order": (_BUYER, _SELLER),
    "OrderChange": (_BUYER, _SELLER),
    "OrderCancellation": (_BUYER, _SELLER),
    "OrderResponse": (_SELLER, _BUYER),
    "OrderResponseSimple": (_SELLER, _BUYER),
    "DespatchAdvice": _DESPATCHED,
    "ReceiptAdvice": tuple(reversed(_DESPATCHED)),  # type: ignore[dict-item]
    "Invoice": _BILLED,
    "CreditNote": _BILLED,
    "ApplicationResponse": ("SenderParty", "ReceiverParty"),
}


def parties_of(name: str, content: Any) -> tuple[str, str]:
    """Return sender and receiver as `scheme:identifier`, the bare identifier without a scheme, or empty texts."""
    sender, receiver = _ROLES.get(name, ("", ""))
    return _party(content, sender), _party(content, receiver)


def _party(content: Any, role: str) -> str:
    holder = one(content, role)
    party = one(holder, "Party") if isinstance(holder, Mapping) and "Party" in holder else holder
    for found in (one(party, "EndpointID"), one(one(party, "PartyIdentification"), "ID")):
        if text := text_of(found):
            scheme = found.get("@schemeID", "") if isinstance(found, Mapping) else ""
            return f"{scheme}:{text}" if scheme else text
    return ""


def one(content: Any, name: str) -> Any:
    """Return the child of that name, the first of several, None where there is none."""
    found = content.get(name) if isinstance(content, Mapping) else None
    return (found[0] if found else None) if isinstance(found, list) else found


def text_of(element: Any) -> str:
    """Return what an element says, whether or not it has attributes."""
    found = element.get("#text", "") if isinstance(element, Mapping) else element
    return found if isinstance(found, str) else ""
