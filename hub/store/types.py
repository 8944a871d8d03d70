"""How canonical values lie in a column: micros for money and quantities, microseconds for instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Return whole microseconds since 1970 UTC; a naive time is a programming error."""
    return (at - EPOCH) // _MICROSECOND


def from_us(value: int) -> datetime:
    """Return the aware UTC instant of whole microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value)
