"""Dates and instants as partners write them. A date stays a date; an instant is aware and in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# UN/EDIFACT code list 2379, the formats in use: code -> strptime pattern, and whether it holds a time.
_DTM = {
    "101": ("%y%m%d", False),
    "102": ("%Y%m%d", False),
    "201": ("%y%m%d%H%M", True),
    "203": ("%Y%m%d%H%M", True),
    "204": ("%Y%m%d%H%M%S", True),
    "718": ("%Y%m%d", False),
}


def date_function(pattern: str) -> Callable[[Any], Any]:
    """Read text by a pattern to a date; write a date or instant by it. Without a pattern: ISO 8601."""
    wanted = pattern or "%Y-%m-%d"
    write = writer(pattern)

    def call(value: Any) -> Any:
        if isinstance(value, (date, datetime)):
            return write(value)
        return parse_date(str(value), wanted)

    return call


def writer(pattern: str) -> Callable[[date], str]:
    """Return what writes a date or instant by a strftime pattern; the common ones without strftime, which is slow."""
    return {"%Y%m%d": _day, "%H%M": _minute}.get(pattern, lambda value: value.strftime(pattern or "%Y-%m-%d"))


def _day(value: date) -> str:
    # strftime does not fill years before 1000 with zeros.
    return value.isoformat()[:10].replace("-", "") if value.year > 999 else value.strftime("%Y%m%d")


def _minute(value: date) -> str:
    return value.isoformat()[11:16].replace(":", "") if isinstance(value, datetime) else "0000"


def datetime_function(argument: str) -> Callable[[Any], Any]:
    """Read or write an instant: `datetime:%Y%m%d%H%M|Europe/Berlin`; the zone is for text that names none."""
    pattern, _, zone_name = argument.partition("|")
    zone = _zone(zone_name) if zone_name else UTC

    def call(value: Any) -> Any:
        if isinstance(value, datetime):
            local = value.astimezone(zone)
            return local.strftime(pattern) if pattern else local.isoformat()
        return _parse_instant(str(value), pattern, zone)

    return call


def dtm(value: Any, qualifier: str | None = None) -> Any:
    """Read an EDIFACT date by its format code (101, 102, 201, 203, 204, 718): a date, or an instant."""
    pattern, timed = _DTM.get(qualifier or "102", ("", False))
    if not pattern:
        raise ValueError(f"date format {qualifier} is not known; known are {', '.join(sorted(_DTM))}")
    text = str(value)
    return _parse_instant(text, pattern, UTC) if timed else parse_date(text[:8], pattern)


def epoch(value: Any) -> Any:
    """Read seconds since 1970 to an instant; write an instant as whole seconds."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(value))


def epoch_ms(value: Any) -> Any:
    """Read milliseconds since 1970 to an instant; write an instant as whole milliseconds."""
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value))


def days(argument: str) -> Callable[[Any], Any]:
    """Move a date or instant by whole days: `days:30`, `days:-1`."""
    moved = timedelta(days=int(argument))

    def call(value: Any) -> Any:
        start = value if isinstance(value, (date, datetime)) else to_date(value)
        return None if start is None else start + moved

    return call


@lru_cache(maxsize=4096)
def parse_date(text: str, pattern: str) -> date:
    """Read a date by a strptime pattern."""
    if pattern == "%Y%m%d" and len(text) == 8 and text.isascii() and text.isdigit():
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    try:
        return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a date has no zone
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date as {pattern}") from error


@lru_cache(maxsize=4096)
def iso_date(text: str) -> date:
    """Read a date, or the date of an instant, as ISO 8601 writes it."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date as 2026-11-22") from error


def to_date(value: Any) -> date | None:
    """Make a date of an ISO text or an instant."""
    if isinstance(value, str):
        return iso_date(value) if value else None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    raise ValueError(f"{value!r} is not a date")


def to_instant(value: Any) -> datetime | None:
    """Make an aware UTC instant of an ISO text; one without an offset is taken as UTC."""
    if isinstance(value, str):
        if not value:
            return None
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"{value!r} is not an instant as 2026-11-22T10:00:00+01:00") from error
    if isinstance(value, datetime):
        return _utc(value, UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError(f"{value!r} is not an instant")


def _parse_instant(text: str, pattern: str, zone: Any) -> datetime:
    try:
        found = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007
    except ValueError as error:
        raise ValueError(f"{text!r} is not an instant as {pattern or 'ISO 8601'}") from error
    return _utc(found, zone)


def _utc(value: datetime, zone: Any) -> datetime:
    if value.tzinfo is UTC:
        return value
    try:
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{value} lies outside the calendar in UTC") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone; write one like Europe/Berlin") from error
