"""A buyer says which invoices a payment is for: each counts what is paid on it, once, and its order's payment follows.

What was deducted stays open, as nobody here agreed to it: with `remit.accept_discount` a cash discount counts as paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.invoice import Invoice, InvoiceState
from hub.domain.money import ZERO
from hub.domain.order import Order
from hub.domain.remittance import Allocation, Remittance
from hub.operations.configured import setting_for
from hub.operations.pay import announce, let_go
from hub.pipeline.services import Operation
from hub.ports.records import Unit

MOVABLE = ("unpaid", "authorized", "cod_pending", "partially_paid")
"""Payment states of an order that money from an invoice moves on."""


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Apply remittances in the order they came; what fits no invoice of ours is an incident of the remittance."""
    said = [(e, given) for e in events if isinstance(given := unit.attached.get(e.id), Remittance) and _is_to_us(given)]
    named = {each.number for _, given in said for each in given.allocations if _is_for_invoice(each)}
    invoices = unit.numbered(Invoice, named) if named else {}
    orders = unit.load(Order, {each.order_id for each in invoices.values()} - {""})
    touched: dict[str, None] = {}
    for event, given in said:
        wrong = _doubts(given)
        for each in given.allocations:
            if not _is_for_invoice(each):
                continue
            invoice = invoices.get(each.number)
            why = _why_not(event, given, invoice, orders)
            if invoice is None or why:
                wrong.append(f"{each.number} ({each.amount}): {why}")
                continue
            after = _paid(unit, invoice, each, orders.get(invoice.order_id))
            invoices[each.number] = after
            wrong += _left(after, each)
            _say(unit, event, invoice, after, each)
            touched[invoice.order_id] = None
        if wrong:
            unit.incident(_incident(event, given, wrong))
    for order_id in touched:
        if order_id in orders:
            _follow(unit, orders[order_id])


def _is_to_us(given: Remittance) -> bool:
    """Say whether we are paid: where we are the payer, the remittance is only sent on."""
    return given.payer is None or given.payer.kind != "self"


def _is_for_invoice(each: Allocation) -> bool:
    return each.kind in ("invoice", "credit_note")


def _why_not(event: Event, given: Remittance, invoice: Invoice | None, orders: dict[str, Order]) -> str:
    """Say why a payment cannot be booked on an invoice; empty where it can.

    A partner pays what was billed to them; a connection that is no partner's, our back office, speaks for all of them.
    """
    if invoice is None:
        return "no invoice of ours has this number"
    order = orders.get(invoice.order_id)
    ours = {invoice.partner, order.source.connection if order is not None else ""} - {""}
    if given.partner and ours and ours.isdisjoint({given.partner, event.origin}):
        return "it is not an invoice to them"
    if invoice.currency and given.currency and invoice.currency != given.currency:
        return f"it is in {invoice.currency}, the payment in {given.currency}"
    return ""


def _paid(unit: Unit, invoice: Invoice, each: Allocation, order: Order | None) -> Invoice:
    sign = -1 if invoice.type == "381" else 1
    paid = invoice.paid + sign * each.amount
    covered, due = paid, invoice.totals.grand or ZERO
    if order is not None and setting_for(unit.config, order, "remit.accept_discount", False):
        covered += each.discount
    after = replace(invoice, paid=paid, state=_state(covered, due))
    unit.put(after)
    return after


def _state(covered: Decimal, due: Decimal) -> InvoiceState:
    if covered <= 0 < due:
        return "issued"
    return "paid" if covered >= due else "partially_paid"


def _doubts(given: Remittance) -> list[str]:
    """Return what the remittance itself leaves open."""
    return [f"{given.unallocated} of {given.amount} is for nothing that it names"] if given.unallocated else []


def _left(invoice: Invoice, each: Allocation) -> list[str]:
    """Return what a person must look at: paid too much, or less with a reason."""
    due = (invoice.totals.grand or ZERO) - invoice.paid
    if due < 0:
        return [f"{invoice.number}: {-due} more was paid than billed"]
    if invoice.state == "paid" or not (each.discount or each.adjustments):
        return []
    cut = [f"discount {each.discount}"] if each.discount else []
    cut += [f"{x.amount} for {x.reason or 'no reason given'}" for x in each.adjustments]
    return [f"{invoice.number}: {due} is still open ({', '.join(cut)})"]


def _say(unit: Unit, event: Event, before: Invoice, after: Invoice, each: Allocation) -> None:
    name = f"invoice.{after.state}" if after.paid >= before.paid else "invoice.payment_reversed"
    unit.emit(
        name,
        order_id=after.order_id,
        subject_kind="invoice",
        subject_id=after.id,
        origin=event.origin,
        message_id=event.message_id,
        partner=after.partner,
        detail={"number": after.number, "amount": str(each.amount), "paid": str(after.paid)},
    )


def _follow(unit: Unit, order: Order) -> None:
    """Move the order's payment by what is paid on all of its invoices."""
    invoices = [each for each in unit.below(Invoice, [order.id])[order.id] if each.type == "380"]
    whole = all(line.invoiced >= line.ordered - line.cancelled for line in order.lines)
    paid = sum((each.paid for each in invoices), ZERO)
    if order.payment not in MOVABLE or paid <= 0:
        return
    settled = whole and all(each.state == "paid" for each in invoices)
    billed = sum((each.totals.grand or ZERO for each in invoices), ZERO)
    totals = replace(order.totals, paid=paid, due=max(ZERO, billed - paid))
    after = let_go(unit, replace(order, payment="paid" if settled else "partially_paid", totals=totals))
    unit.put(after)
    announce(unit, order, after)


def _incident(event: Event, given: Remittance, wrong: Sequence[str]) -> Incident:
    return Incident(
        fingerprint=f"remittance/{given.id}",
        kind="value",
        severity="warning",
        title=f"{event.origin}: remittance {given.number} leaves {len(wrong)} open: {wrong[0]}"[:300],
        detail="; ".join(wrong),
        next_action="agree with the payer, then book the rest by hand; what fitted was booked",
        connection=event.origin,
        partner=given.partner,
        subject_kind="remittance",
        subject_id=given.id,
    )


OPERATION = Operation(name="remit", on=("remittance.received",), run=run)
