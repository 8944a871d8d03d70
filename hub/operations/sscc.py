"""GS1 numbers for parcels: SSCC-18 with its check digit (GS1 General Specifications, 7.9)."""

from __future__ import annotations


def sscc(company_prefix: str, serial: int) -> str:
    """Return 18 digits: extension 0, company prefix, serial, check digit; a serial that no longer fits starts again."""
    room = 16 - len(company_prefix)
    body = f"0{company_prefix}{serial % 10**room:0{room}d}"
    return body + check_digit(body)


def check_digit(body: str) -> str:
    """Return the modulo-10 digit: from the right, digits weigh 3 and 1 in turn."""
    weighed = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(body)))
    return str(-weighed % 10)
