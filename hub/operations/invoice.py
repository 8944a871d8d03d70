"""Ask for the money at the event that the partner's trigger names: confirmation, shipment, delivery or manual.

One event makes one invoice. Partial invoices take a share of each line, discount and tax so that all of an order's
invoices add up to its totals to the cent: each takes what is due so far less what was taken before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from hub.domain.checks import line_amount, tax_of
from hub.domain.event import Event
from hub.domain.invoice import Invoice, InvoiceLine, PaymentMeans
from hub.domain.money import ZERO, rounded
from hub.domain.order import Charge, Discount, Order, OrderLine, TaxLine, Totals
from hub.domain.party import Party
from hub.domain.shipment import Shipment
from hub.domain.stock import Item
from hub.operations.configured import is_fulfilled_here, setting_for
from hub.operations.dispatch import ships
from hub.operations.ship import placed_on
from hub.pipeline.services import Operation
from hub.ports.records import Unit

TRIGGERS = {
    "order.accepted": "confirmation",
    "shipment.dispatched": "shipment",
    "shipment.delivered": "delivery",
    "order.invoice_requested": "manual",
}
Part = tuple[OrderLine, Decimal]


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Issue an invoice per event that triggers one, numbered without gaps."""
    orders = unit.load(Order, {event.order_id for event in events})
    due = [event for event in events if event.order_id in orders and _is_trigger(unit, event, orders[event.order_id])]
    if not due:
        return
    invoices = unit.below(Invoice, {event.order_id for event in due})
    shipments = unit.load(Shipment, {event.subject_id for event in due if event.subject_kind == "shipment"})
    goods = unit.items({x.item_id for event in due for x in orders[event.order_id].lines} - {""})
    drafts: list[tuple[Event, Invoice]] = []
    for event in due:
        before = [each for each in invoices[event.order_id] if each.type == "380"]
        shipment = shipments.get(event.subject_id)
        if shipment is not None and any(each.shipment_id == shipment.id for each in before):
            continue
        order = orders[event.order_id]
        parts = _parts(order, shipment, goods)
        if parts:
            draft = _invoice(unit, order, shipment, parts, TRIGGERS[event.name])
            orders[order.id] = _counted(order, parts)
            invoices[order.id].append(draft)
            drafts.append((event, draft))
    _issue(unit, drafts)
    for order_id in dict.fromkeys(invoice.order_id for _, invoice in drafts):
        unit.put(orders[order_id])


def _is_trigger(unit: Unit, event: Event, order: Order) -> bool:
    if not is_fulfilled_here(unit.config, order):
        return False
    trigger = TRIGGERS[event.name]
    return trigger == "manual" or trigger == setting_for(unit.config, order, "invoice.trigger", "shipment")


def _parts(order: Order, shipment: Shipment | None, items: dict[str, Item]) -> list[Part]:
    """Return how much of which line this invoice asks money for; services go with the last of the goods."""
    open_ = {line.line_no: max(ZERO, line.ordered - line.cancelled - line.invoiced) for line in order.lines}
    if shipment is None:
        return [(line, open_[line.line_no]) for line in order.lines if open_[line.line_no] > 0]
    sent: dict[str, Decimal] = {}
    for each in shipment.lines:
        sent[each.line_no] = sent.get(each.line_no, ZERO) + each.quantity
    taken = {number: min(open_.get(number, ZERO), quantity) for number, quantity in sent.items()}
    goods = [line for line in order.lines if ships(line.item_id, items) and line.fulfil_by != "digital"]
    if all(taken.get(line.line_no, ZERO) >= open_[line.line_no] for line in goods):
        taken.update({line.line_no: open_[line.line_no] for line in order.lines if line not in goods})
    return [(line, taken[line.line_no]) for line in order.lines if taken.get(line.line_no, ZERO) > 0]


def _counted(order: Order, parts: Sequence[Part]) -> Order:
    more = {line.line_no: quantity for line, quantity in parts}
    lines = (replace(x, invoiced=x.invoiced + more[x.line_no]) if x.line_no in more else x for x in order.lines)
    return replace(order, lines=tuple(lines))


class _Share:
    """How much of an order's amounts is due after this invoice, less what was due before it."""

    def __init__(self, before: Order, after: Order) -> None:
        self.currency = before.currency
        self.whole = sum((line_amount(line, before.currency) for line in before.lines), ZERO)
        self.was = self._invoiced(before)
        self.now = self._invoiced(after)
        self.first = not any(line.invoiced for line in before.lines)
        self.last = all(line.invoiced >= line.ordered for line in after.lines)

    def _invoiced(self, order: Order) -> Decimal:
        return sum((self.of_line(line_amount(x, self.currency), x, x.invoiced) for x in order.lines), ZERO)

    def of_line(self, amount: Decimal, line: OrderLine, quantity: Decimal) -> Decimal:
        """Return an amount of a line for so much of it, the whole of it for all."""
        if quantity >= line.ordered:
            return amount
        return rounded(amount * quantity / line.ordered, self.currency)

    def of_order(self, amount: Decimal) -> Decimal:
        """Return this invoice's part of an amount that belongs to the whole order."""
        return self._until(amount, self.now, self.last) - self._until(amount, self.was, False)

    def _until(self, amount: Decimal, value: Decimal, everything: bool) -> Decimal:
        if everything:
            return amount
        return rounded(amount * value / self.whole, self.currency) if self.whole else ZERO


def _invoice(unit: Unit, order: Order, shipment: Shipment | None, parts: Sequence[Part], trigger: Any) -> Invoice:
    share = _Share(order, _counted(order, parts))
    lines = tuple(_line(order, line, quantity, share) for line, quantity in parts)
    charges = (*(order.charges if share.first else ()), *(_agreed_difference(order) if share.last else ()))
    discounts = tuple(replace(x, amount=share.of_order(x.amount)) for x in order.discounts)
    taxes = tuple(replace(x, amount=share.of_order(x.amount)) for x in _order_taxes(order))
    return Invoice(
        number="",
        id=unit.new_id(),
        order_id=order.id,
        partner=order.partner,
        issued_on=unit.now.date(),
        due_on=_due_on(unit, order),
        currency=order.currency,
        order_number=order.number,
        order_external_id=order.external_id,
        order_placed_on=placed_on(order),
        shipment_id=shipment.id if shipment else "",
        shipment_number=shipment.number if shipment else "",
        trigger=trigger,
        buyer=order.buyer,
        seller=_seller(order, unit.config.seller),
        bill_to=order.bill_to or order.ship_to,
        ship_to=order.ship_to,
        lines=lines,
        charges=charges,
        discounts=discounts,
        taxes=taxes,
        totals=_totals(order, lines, charges, discounts, taxes),
        delivered_on=shipment.dispatched_at.date() if shipment and shipment.dispatched_at else None,
        payment_means=_payment_means(unit, order),
        buyer_reference=order.department,
    )


def _seller(order: Order, ours: Party) -> Party:
    """Return us as the order names us; what it does not know of us, such as our VAT number, is our own word."""
    said = order.seller
    if said is None:
        return ours
    known = {each.scheme for each in said.identifiers}
    more = tuple(each for each in ours.identifiers if each.scheme not in known)
    return replace(
        said, vat=said.vat or ours.vat, gln=said.gln or ours.gln, email=said.email or ours.email,
        phone=said.phone or ours.phone, contact=said.contact or ours.contact, address=said.address or ours.address,
        identifiers=(*said.identifiers, *more),
    )  # fmt: skip


def _payment_means(unit: Unit, order: Order) -> PaymentMeans | None:
    """Return the account that the seller's settings name, where there is one; 30 is a credit transfer."""
    account = str(setting_for(unit.config, order, "invoice.account", ""))
    bank = str(setting_for(unit.config, order, "invoice.bank", ""))
    return PaymentMeans(code="30", account=account, bank=bank) if account else None


def _line(order: Order, line: OrderLine, quantity: Decimal, share: _Share) -> InvoiceLine:
    def part(amount: Decimal) -> Decimal:
        return share.of_line(amount, line, line.invoiced + quantity) - share.of_line(amount, line, line.invoiced)

    return InvoiceLine(
        line_no=line.line_no,
        quantity=quantity,
        unit_price=line.unit_price,
        amount=part(line_amount(line, order.currency)),
        unit=line.unit,
        sku=line.sku,
        description=line.description,
        # What the order's own tax lines carry is not asked for again; the line keeps the rate that it falls under.
        taxes=tuple(replace(tax, amount=ZERO if order.taxes else part(tax.amount)) for tax in line.taxes),
        price_basis=line.price_basis,
    )


def _order_taxes(order: Order) -> tuple[TaxLine, ...]:
    """Return the taxes that no line carries: the order's own, or its stated total."""
    if order.taxes or any(tax.amount for line in order.lines for tax in line.taxes):
        return order.taxes
    return (TaxLine(amount=tax_of(order)),) if tax_of(order) else ()


def _agreed_difference(order: Order) -> tuple[Charge, ...]:
    """Return what a person accepted when the stated total was not what the lines add up to."""
    difference = order.totals_proof.difference if order.totals_proof else ZERO
    return (Charge(kind="surcharge", amount=difference, description="difference to the agreed total"),) * bool(
        difference
    )


def _totals(
    order: Order,
    lines: Sequence[InvoiceLine],
    charges: Sequence[Charge],
    discounts: Sequence[Discount],
    taxes: Sequence[TaxLine],
) -> Totals:
    net = sum((line.amount for line in lines), ZERO)
    off = sum((each.amount for each in discounts), ZERO)
    extra = sum((each.amount for each in charges), ZERO)
    tax = sum((each.amount for each in (*taxes, *(t for line in lines for t in line.taxes))), ZERO)
    grand = net - off + extra + (ZERO if order.prices_include_tax else tax)
    return Totals(lines=net, discounts=off, charges=extra, tax=tax, grand=grand)


def _due_on(unit: Unit, order: Order) -> date:
    days = 0 if order.payment_terms != "on_account" else int(setting_for(unit.config, order, "invoice.due_days", 30))
    return unit.now.date() + timedelta(days=days)


def _issue(unit: Unit, drafts: Sequence[tuple[Event, Invoice]]) -> None:
    first = unit.numbers("invoice", len(drafts)) if drafts else 0
    for number, (event, draft) in enumerate(drafts, first):
        invoice = replace(draft, number=f"INV-{number:06d}")
        unit.put(invoice)
        unit.emit(
            "invoice.issued",
            order_id=invoice.order_id,
            subject_kind="invoice",
            subject_id=invoice.id,
            partner=invoice.partner,
            detail={"number": invoice.number, "trigger": invoice.trigger, "because": event.name},
        )


OPERATION = Operation(name="invoice", on=tuple(TRIGGERS), run=run)
