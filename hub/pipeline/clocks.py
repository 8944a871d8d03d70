"""Clocks of agreements: ISO 8601 durations such as PT4H or P1D."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from hub.domain.errors import Problem, Rejected

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


def due(now: datetime, duration: str) -> datetime:
    """Return the instant at which a clock that begins now runs out; Rejected where the duration cannot be read."""
    match = _DURATION.fullmatch(duration)
    parts = {name: int(value) for name, value in match.groupdict().items() if value} if match else {}
    if not parts:
        text = f"{duration!r} is no duration; write hours as PT4H, days as P1D"
        raise Rejected([Problem(code="duration", path="expect", value=duration, text=text)])
    return now + timedelta(**parts)
