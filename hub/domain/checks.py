"""Pure rules that a canonical document is checked by."""

from __future__ import annotations

from decimal import Decimal

from hub.domain.money import ZERO, rounded
from hub.domain.order import Order, OrderLine, TotalsProof


def line_amount(line: OrderLine, currency: str) -> Decimal:
    """Return quantity x price per basis less the line's discounts, rounded once to the currency's coin."""
    gross = (
        line.ordered * line.unit_price / line.price_basis if line.price_basis != 1 else line.ordered * line.unit_price
    )
    return rounded(gross, currency) - sum((each.amount for each in line.discounts), ZERO)


def prove_totals(order: Order) -> TotalsProof | None:
    """Compare the stated grand total with lines - discounts + charges + tax; None where none was stated."""
    stated = order.totals.grand
    if stated is None:
        return None
    lines = sum((line_amount(line, order.currency) for line in order.lines), ZERO)
    extra = sum((each.amount for each in order.charges), ZERO) - sum((each.amount for each in order.discounts), ZERO)
    computed = lines + extra + (ZERO if order.prices_include_tax else tax_of(order))
    return TotalsProof(rule="line", computed=computed, stated=stated, difference=stated - computed)


def tax_of(order: Order) -> Decimal:
    """Return the order's tax: its own tax lines, else those of its lines, else the stated total."""
    if order.taxes:
        return sum((each.amount for each in order.taxes), ZERO)
    of_lines = sum((tax.amount for line in order.lines for tax in line.taxes), ZERO)
    return of_lines or order.totals.tax or ZERO
