"""What an HTTP status means to the hub: our error for each that is not 2xx."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hub.domain.errors import HubError, Paused, Problem, Rejected, RetryLater
from hub.ports import Clock

LATER = frozenset({408, 425, 429})
BUSY = frozenset({429, 503})
"""Said of their side as a whole, not of the one call."""
LONGEST_WAIT = 86_400.0
"""No Retry-After is believed beyond a day."""


def error_for(where: str, status: int, headers: Mapping[str, str], said: str, clock: Clock) -> HubError:
    """Return the error for a status outside 2xx.

    `where` names connection, method and address; `said` is their text, redacted. A Rejected carries one problem
    of code `http_<status>` whose value is what they said.
    """
    short = f": {said[:300]}" if said else ""
    if status in (401, 403):
        return Paused(f"{where} was refused ({status}){short}; check or renew the credentials of the connection")
    if status in LATER or status >= 500:
        after = retry_after(headers.get("retry-after"), clock)
        return RetryLater(f"{where} answered {status}{short}", after=after, for_all=status in BUSY)
    if 300 <= status < 400:
        text = f"{where} answered {status} and points to {headers.get('location', 'nowhere')[:200]!r}; "
        text += "redirects are not followed: enter the final address in the settings"
    else:
        text = f"{where} answered {status}{short}"
    return Rejected([Problem(code=f"http_{status}", text=text, value=said)])


def retry_after(value: str | None, clock: Clock) -> float | None:
    """Return the seconds that a Retry-After field (seconds or an HTTP date) asks for; None where it says nothing."""
    if not value:
        return None
    if value.isascii() and value.isdecimal():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - _aware(clock.now())).total_seconds(), 0.0), LONGEST_WAIT)


def _aware(now: datetime) -> datetime:
    return now if now.tzinfo else now.replace(tzinfo=UTC)
