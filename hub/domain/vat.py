"""VAT of an invoice as EN 16931 wants it: a category and rate for every amount, and a subtotal of each (BG-23).

Categories are those of UN/EDIFACT 5305: S standard, Z zero, E exempt, AE reverse charge, K intra-community, G export,
O outside the scope. What an invoice does not say is not made up: where a line's category cannot be known, or the
stated tax is not what the rates give, there is no breakdown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from hub.domain.money import ZERO, exponent, rounded
from hub.domain.order import Charge, Discount, TaxLine

TOLERANCE = Decimal(1)
"""How far a subtotal's tax may be from taxable amount x rate because lines were rounded (BR-CO-17)."""
OUTSIDE = "O"
_REASONS = {OUTSIDE: "Not subject to VAT", "AE": "Reverse charge", "K": "Intra-Community supply", "G": "Export"}


class VatSubtotal(msgspec.Struct, frozen=True, kw_only=True):
    """What is taxed at one rate of one category; `rate` is a fraction, None outside the scope of VAT."""

    category: str
    rate: Decimal | None
    taxable: Decimal
    amount: Decimal
    exemption: str = ""


class VatAllowance(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a charge or discount that falls under one category and rate."""

    is_charge: bool
    amount: Decimal
    category: str
    rate: Decimal | None
    kind: str = ""
    """What kind of charge it is; for a discount its code."""
    reason: str = ""


Key = tuple[str, Decimal | None]


def resolved(taxes: Sequence[TaxLine], common: Sequence[TaxLine], *, outside: bool) -> TaxLine | None:
    """Return what one line falls under: its own tax, else the only one of the whole invoice; None if not known."""
    for found in (taxes, _distinct(common)):
        if len(found) == 1 and (found[0].category or found[0].rate is not None):
            return _named(found[0])
    return TaxLine(amount=ZERO, category=OUTSIDE, exemption=_REASONS[OUTSIDE]) if outside and not taxes else None


def _distinct(taxes: Sequence[TaxLine]) -> list[TaxLine]:
    return list({(tax.category, tax.rate): tax for tax in taxes}.values())


def _named(tax: TaxLine) -> TaxLine:
    category = tax.category or ("S" if tax.rate else "Z")
    rate = None if category == OUTSIDE else tax.rate or ZERO
    exemption = tax.exemption or _REASONS.get(category, "")
    return msgspec.structs.replace(tax, category=category, rate=rate, exemption=exemption)


def allowances(
    amounts: Sequence[tuple[TaxLine, Decimal]], charges: Sequence[Charge], discounts: Sequence[Discount], currency: str
) -> tuple[VatAllowance, ...]:
    """Return charges and discounts by category.

    One that does not say what it falls under is shared out over the categories of the lines, by what these come to.
    """
    bases: dict[Key, Decimal] = {}
    for tax, amount in amounts:
        bases[tax.category, tax.rate] = bases.get((tax.category, tax.rate), ZERO) + amount
    found = [
        VatAllowance(
            is_charge=True, amount=part, category=key[0], rate=key[1], kind=charge.kind,
            reason=charge.description or charge.kind.replace("_", " "),
        )
        for charge in charges
        for key, part in _shared(charge, bases, currency)
    ]  # fmt: skip
    found += [
        VatAllowance(
            is_charge=False, amount=part, category=key[0], rate=key[1], kind=discount.code,
            reason=discount.code or "Discount",
        )
        for discount in discounts
        for key, part in _shared(discount, bases, currency)
    ]  # fmt: skip
    return tuple(found)


def _shared(each: Charge | Discount, bases: dict[Key, Decimal], currency: str) -> Iterator[tuple[Key, Decimal]]:
    """Yield the parts of an amount; the last part takes what rounding left, so that they add up."""
    if each.vat_category or each.vat_rate is not None:
        tax = _named(TaxLine(amount=ZERO, category=each.vat_category, rate=each.vat_rate))
        yield (tax.category, tax.rate), each.amount
        return
    whole, left = sum(bases.values(), ZERO), each.amount
    for place, (key, base) in enumerate(bases.items(), start=1):
        part = left if place == len(bases) or not whole else rounded(each.amount * base / whole, currency)
        left -= part
        if part:
            yield key, part


def breakdown(
    amounts: Sequence[tuple[TaxLine, Decimal]], extras: Sequence[VatAllowance], tax: Decimal, currency: str
) -> tuple[VatSubtotal, ...]:
    """Return a subtotal for each category and rate whose taxes add up to `tax`; none where they cannot."""
    taxable: dict[Key, Decimal] = {}
    reasons: dict[Key, str] = {}
    for line, amount in amounts:
        key = line.category, line.rate
        taxable[key] = taxable.get(key, ZERO) + amount
        reasons[key] = reasons.get(key) or line.exemption
    for extra in extras:
        key = extra.category, extra.rate
        taxable[key] = taxable.get(key, ZERO) + (extra.amount if extra.is_charge else -extra.amount)
    computed = {key: rounded(base * (key[1] or ZERO), currency) for key, base in taxable.items()}
    difference = tax - sum(computed.values(), ZERO)
    rated = [key for key in computed if key[1]]
    if difference and (not rated or abs(difference) >= TOLERANCE or _is_finer(difference, currency)):
        return ()
    if difference:
        computed[max(rated, key=lambda key: abs(taxable[key]))] += difference
    return tuple(
        VatSubtotal(category=key[0], rate=key[1], taxable=base, amount=computed[key], exemption=reasons.get(key, ""))
        for key, base in taxable.items()
    )


def _is_finer(amount: Decimal, currency: str) -> bool:
    return amount != round(amount, exponent(currency))
