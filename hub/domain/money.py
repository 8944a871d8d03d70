"""Exact money and quantities: Decimals in, integers of a millionth at rest."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import msgspec

from hub.domain.errors import Problem, Rejected

MICROS = 1_000_000
LARGEST = 2**63 - 1
ZERO = Decimal(0)

# ISO 4217 exponents that are not 2 (source: ISO 4217 list one).
_WHOLE = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
)  # fmt: skip
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_EXPONENTS = {**dict.fromkeys(_WHOLE, 0), **dict.fromkeys(_THOUSANDTHS, 3), "CLF": 4, "UYW": 4}
_COINS = {places: Decimal(1).scaleb(-places) for places in range(5)}


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in a currency (ISO 4217)."""

    amount: Decimal
    currency: str


def exponent(currency: str) -> int:
    """Return how many decimal places a currency's smallest coin has."""
    return _EXPONENTS.get(currency, 2)


def rounded(amount: Decimal, currency: str, *, half_even: bool = False) -> Decimal:
    """Round to the currency's smallest coin, half up unless the partner rounds half to even."""
    rule = ROUND_HALF_EVEN if half_even else ROUND_HALF_UP
    return amount.quantize(_COINS[exponent(currency)], rounding=rule)


def to_micros(value: Decimal, path: str = "") -> int:
    """Turn an amount or quantity into whole millionths; finer values and overflow are refused with their path."""
    scaled = value * MICROS if value.is_finite() else Decimal("NaN")
    if not scaled.is_finite() or abs(scaled) > LARGEST or int(scaled) != scaled:
        text = f"{value} cannot be kept exactly; at most 6 decimal places and {LARGEST // MICROS} are possible"
        raise Rejected([Problem(code="amount_not_exact", path=path, value=str(value), text=text)])
    return int(scaled)


def from_micros(value: int) -> Decimal:
    """Turn whole millionths back into a Decimal without trailing zeros below the unit."""
    whole, rest = divmod(value, MICROS)
    return Decimal(whole) if rest == 0 else Decimal(value) / MICROS
