"""Exact numbers: Decimal only, from text or JSON numbers, never through a float."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

_LONGEST = 60
_LARGEST = 30


@lru_cache(maxsize=8192)
def exact(text: str) -> Decimal:
    """Read a number with a decimal point: no thousands marks, no words, at most 30 digits either side."""
    try:
        if len(text) > _LONGEST or not text.isascii() or "_" in text:
            raise ValueError
        number = Decimal(text)
        if not number.is_finite() or not -_LARGEST < number.adjusted() < _LARGEST:
            raise ValueError
    except (InvalidOperation, ValueError) as error:
        raise ValueError(f"{text[:_LONGEST]!r} is not a number") from error
    return number


def to_decimal(value: Any) -> Decimal | None:
    """Make a Decimal of text, an int or a Decimal; floats and truth values are refused."""
    if value.__class__ is str:
        return exact(value) if value else None
    if value.__class__ is Decimal:
        if not value.is_finite():
            raise ValueError(f"{value} is not a number")
        return value
    if value.__class__ is int:
        return Decimal(value)
    raise ValueError(f"{value!r} is not an exact number")


def number(value: Any) -> Decimal:
    """Make a Decimal; nothing at all is refused."""
    found = to_decimal(value)
    if found is None:
        raise ValueError("a number is missing")
    return found


def plain(value: Decimal) -> str:
    """Spell a Decimal without exponent and without zeros after the last decimal that counts."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_function(argument: str) -> Callable[[Any], Any]:
    """Read a number; `decimal:,` reads 1.234,50."""
    if argument != ",":
        return number
    return lambda value: number(str(value).replace(".", "").replace(",", "."))


def implied(argument: str) -> Callable[[Any], Any]:
    """Read a whole number with implied decimals: `implied:2` makes 1999 into 19.99."""
    places = -int(argument or 2)
    return lambda value: number(value).scaleb(places)


def to_implied(argument: str) -> Callable[[Any], Any]:
    """Write with implied decimals: `to_implied:2` makes 19.99 into 1999; what does not fit is refused."""
    places = int(argument or 2)

    def call(value: Any) -> str:
        scaled = number(value).scaleb(places)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {places} decimals")
        return str(int(scaled))

    return call


def fixed(argument: str) -> Callable[[Any], Any]:
    """Write with a fixed count of decimals, rounded half up: `fixed:2` makes 5 into 5.00."""
    quantum = Decimal(1).scaleb(-int(argument or 2))
    return lambda value: format(number(value).quantize(quantum, rounding=ROUND_HALF_UP), "f")


def rounded(argument: str) -> Callable[[Any], Any]:
    """Round half up to a count of decimals: `round:2`."""
    quantum = Decimal(1).scaleb(-int(argument or 0))
    return lambda value: number(value).quantize(quantum, rounding=ROUND_HALF_UP)


def whole(value: Any) -> int:
    """Make an int; 12.5 is refused."""
    found = number(value)
    if found != found.to_integral_value():
        raise ValueError(f"{value} is not a whole number")
    return int(found)


def times(argument: str) -> Callable[..., Any]:
    """Multiply by the argument, or by the values of `args`."""
    factor = number(argument) if argument else Decimal(1)

    def call(value: Any, *others: Any) -> Decimal:
        result = number(value) * factor
        for other in others:
            result *= number(other)
        return result

    return call


def divide(argument: str) -> Callable[..., Any]:
    """Divide by the argument, or by the first of `args`; the result has at most 6 decimals."""
    fixed_divisor = number(argument) if argument else None

    def call(value: Any, other: Any = None) -> Decimal:
        divisor = fixed_divisor if fixed_divisor is not None else number(other)
        if not divisor:
            raise ValueError("division by zero")
        result = number(value) / divisor
        return result if _exponent(result) >= -6 else _six(result)

    return call


def plus(value: Any, *others: Any) -> Decimal:
    """Add the values of `args`."""
    return sum((number(other) for other in others if other is not None), number(value))


def minus(value: Any, *others: Any) -> Decimal:
    """Take the values of `args` off."""
    return number(value) - sum((number(other) for other in others if other is not None), Decimal(0))


def total(values: Any) -> Decimal:
    """Add up a list."""
    found = values if isinstance(values, (list, tuple)) else [values]
    return sum((number(value) for value in found), Decimal(0))


def _six(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)


def _exponent(value: Decimal) -> int:
    found = value.as_tuple().exponent
    return found if isinstance(found, int) else 0
