"""What partners tell people: a document of ours that their system refused, goods that did not arrive well, a text.

Each is one incident in words, about the record that is meant; good news about the same document closes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.application_advice import AdvisedDocument, ApplicationAdvice
from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.invoice import Invoice
from hub.domain.order import Order
from hub.domain.purchase import PurchaseOrder
from hub.domain.receiving import ReceiptAdvice, ReceivedLine
from hub.domain.shipment import Shipment
from hub.domain.text_message import TextMessage
from hub.pipeline.services import Operation
from hub.ports.records import Unit

Ours = Invoice | Shipment | PurchaseOrder | Order
Records = dict[type[Ours], dict[str, Ours]]
_KINDS: dict[type[Ours], str] = {
    Invoice: "invoice",
    Shipment: "shipment",
    PurchaseOrder: "purchase_order",
    Order: "order",
}
_NAMES = {
    "810": "invoice", "INVOIC": "invoice", "856": "ship notice", "DESADV": "ship notice", "945": "shipping advice",
    "855": "order answer", "ORDRSP": "order answer", "865": "answer to a change", "850": "purchase order",
    "ORDERS": "purchase order", "860": "change of a purchase order", "820": "remittance", "846": "stock report",
}  # fmt: skip


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Open incidents for people, and close those that good news ends."""
    said = [(event, unit.attached.get(event.id)) for event in events]
    records = _records(unit, [given for _, given in said])
    for event, given in said:
        if isinstance(given, ApplicationAdvice):
            for document in given.documents:
                _advised(unit, event, given, document, records)
        elif isinstance(given, ReceiptAdvice):
            _received(unit, event, given, records)
        elif isinstance(given, TextMessage):
            unit.incident(_text(event, given))


def _records(unit: Unit, documents: Sequence[object]) -> Records:
    """Return our records by the numbers that the documents quote: one query per kind."""
    numbers: set[str] = set()
    for each in documents:
        if isinstance(each, ApplicationAdvice):
            numbers |= {number for one in each.documents for number in (one.reference, one.order_number)}
        elif isinstance(each, ReceiptAdvice):
            numbers |= {each.shipment_number, each.order_number}
    numbers.discard("")
    return {kind: dict(unit.numbered(kind, numbers)) for kind in _KINDS} if numbers else {kind: {} for kind in _KINDS}


def _meant(records: Records, partner: str, *numbers: str) -> Ours | None:
    """Return the record that a partner means by one of these numbers; another partner's is none."""
    for number in numbers:
        for found in records.values():
            record = found.get(number)
            if number and record is not None and record.partner in ("", partner):
                return record
    return None


def _advised(unit: Unit, event: Event, given: ApplicationAdvice, document: AdvisedDocument, records: Records) -> None:
    who = given.partner or event.origin
    cause = f"advice/{who}/{document.set}/{document.reference}"[:300]
    if document.status == "accepted":
        unit.resolve([cause])
        return
    record = _meant(records, given.partner, document.reference, document.order_number)
    if isinstance(record, Invoice) and document.status == "rejected" and not record.paid:
        unit.put(replace(record, state="rejected"))
    kind, subject = (_KINDS[type(record)], record.id) if record is not None else ("application_advice", given.id)
    what = _NAMES.get(document.set, document.set or "document")
    verb = "refused" if document.status == "rejected" else "took with errors"
    words = "; ".join(_words(document)) or "no reason given"
    unit.incident(
        Incident(
            fingerprint=cause,
            kind="value",
            severity="error" if document.status == "rejected" else "warning",
            title=f"{who} {verb} our {what} {document.reference}: {words}"[:300],
            detail=f"advice {given.number} in message {event.message_id}: {words}",
            next_action="mend the data or the mapping, then send the document again under a new control number",
            connection=event.origin,
            partner=given.partner,
            subject_kind=kind,
            subject_id=subject,
        )
    )
    unit.emit(
        f"application_advice.{document.status}",
        order_id=record.id if isinstance(record, Order) else record.order_id if record is not None else "",
        subject_kind="application_advice",
        subject_id=given.id,
        origin=event.origin,
        message_id=event.message_id,
        partner=given.partner,
        detail={"reference": document.reference, "set": document.set, "words": words[:300]},
    )


def _words(document: AdvisedDocument) -> list[str]:
    found = []
    for error in document.errors:
        where = " ".join(filter(None, (error.segment, f"element {error.element}" if error.element else "")))
        text = error.text or f"code {error.code}"
        value = f" ({error.found!r})" if error.found else ""
        found.append(f"{where}: {text}{value}" if where else f"{text}{value}")
    return found


def _received(unit: Unit, event: Event, given: ReceiptAdvice, records: Records) -> None:
    """Tell a person what did not arrive, or not well; the buyer will pay less for it."""
    wrong = [text for line in given.lines for text in _differences(line)]
    if not wrong:
        return
    who = given.partner or event.origin
    record = _meant(records, given.partner, given.shipment_number, given.order_number)
    kind, subject = (_KINDS[type(record)], record.id) if record is not None else ("receipt_advice", given.id)
    what = f"shipment {given.shipment_number}" if given.shipment_number else f"order {given.order_number}"
    unit.incident(
        Incident(
            fingerprint=f"receipt_advice/{given.id}",
            kind="value",
            severity="warning",
            title=f"{who}: of {what} {wrong[0]}{f' and {len(wrong) - 1} more' if wrong[1:] else ''}"[:300],
            detail="; ".join(wrong),
            next_action="compare with what left; then send the rest, or credit what is missing or damaged",
            connection=event.origin,
            partner=given.partner,
            subject_kind=kind,
            subject_id=subject,
        )
    )


def _differences(line: ReceivedLine) -> list[str]:
    name = line.sku.seller or line.sku.buyer or line.sku.gtin or f"line {line.line_no}"
    found = {"damaged": line.damaged, "refused": line.refused, "missing": line.missing, "too many": line.surplus}
    texts = [f"{quantity} {line.unit} of {name} are {what}" for what, quantity in found.items() if quantity]
    if not texts and line.advised is not None and line.received < line.advised:
        texts = [f"{line.received} {line.unit} of {name} arrived where {line.advised} were advised"]
    return texts


def _text(event: Event, given: TextMessage) -> Incident:
    who = given.sender.name if given.sender is not None and given.sender.name else given.partner or event.origin
    return Incident(
        fingerprint=f"text/{given.id}",
        kind="value",
        severity="warning",
        title=f"{who} writes: {given.title or ' '.join(given.text)}"[:300],
        detail="\n".join(given.text),
        next_action="read it, do what it asks, then close this",
        connection=event.origin,
        partner=given.partner,
        subject_kind="text_message",
        subject_id=given.id,
    )


OPERATION = Operation(
    name="heed", on=("application_advice.received", "receipt_advice.received", "text_message.received"), run=run
)
