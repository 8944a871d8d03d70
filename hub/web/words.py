"""How values look to a person: a state as icon, word and tone; instants, ages, money and sizes as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from hub.store.types import from_us


@dataclass(frozen=True, kw_only=True)
class Token:
    """A state as it is shown. `tone` is one of good, busy, warn, bad, idle; `icon` names a symbol of the sprite."""

    tone: str
    icon: str
    word: str


_TONES: Mapping[str, str] = {
    **dict.fromkeys(
        ("delivered", "accepted", "applied", "active", "paid", "resolved", "auto_resolved", "fulfilled", "sent",
         "handed_over", "consumed", "confirmed", "closed", "issued", "authorized", "allocated", "dispatched",
         "shipped"),
        "good",
    ),
    **dict.fromkeys(
        ("received", "framed", "validating", "validated", "planned", "begun", "queued", "running", "in_fulfilment",
         "in_transit", "partially_delivered", "partially_fulfilled", "due", "fixing", "acknowledged", "testing",
         "partially_paid", "amending", "requested"),
        "busy",
    ),
    **dict.fromkeys(
        ("on_hold", "held", "backordered", "in_doubt", "partly_applied", "warning", "degraded", "paused", "waiting",
         "cod_pending", "partial", "repeated", "duplicate", "draft", "needs_reauth"),
        "warn",
    ),
    **dict.fromkeys(
        ("open", "refused", "parked", "dead", "rejected", "quarantined", "failed", "error", "critical", "down",
         "fulfilment_failed", "chargeback", "suspended", "overdue", "declined"),
        "bad",
    ),
}  # fmt: skip
_ICONS = {"good": "check", "busy": "clock", "warn": "alert", "bad": "cross", "idle": "dot"}


def token(state: str) -> Token:
    """Return how a state is shown; an unknown one is plain."""
    tone = _TONES.get(state, "idle")
    return Token(tone=tone, icon=_ICONS[tone], word=state.replace("_", " "))


def instant(us: int | None) -> str:
    """Return an instant as `2026-11-22 01:02:03 UTC`, or a dash."""
    return from_us(us).strftime("%Y-%m-%d %H:%M:%S UTC") if us else "–"


def clock(us: int) -> str:
    """Return an instant to the millisecond, in UTC, for timelines."""
    return from_us(us).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def machine_instant(us: int | None) -> str:
    """Return an instant for the `datetime` attribute."""
    return from_us(us).isoformat(timespec="milliseconds") if us else ""


def age(seconds: int | None) -> str:
    """Return a span in the largest unit that fits: `42 s`, `3 min`, `5 h`, `2 days`."""
    if seconds is None:
        return "–"
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            count = seconds // size
            return ngettext("%(num)s day", "%(num)s days", count) if unit == "day" else f"{count} {unit}"
    return f"{max(seconds, 0)} s"


def ago(us: int | None, now_us: int) -> str:
    """Return how long ago an instant was, or in how long it will be."""
    if not us:
        return "–"
    seconds = (now_us - us) // 1_000_000
    if seconds < 0:
        return str(_("in %(span)s", span=age(-seconds)))
    return str(_("just now") if seconds < 2 else _("%(span)s ago", span=age(seconds)))


def amount(micros: int | None, currency: str = "") -> str:
    """Return a stored amount with at least two decimals and its currency, or a dash."""
    return "–" if micros is None else money(Decimal(micros).scaleb(-6), currency)


def money(value: Decimal | None, currency: str = "") -> str:
    """Return an amount with at least two decimals and its currency, or a dash."""
    if value is None:
        return "–"
    places = max(2, -int(value.normalize().as_tuple().exponent))
    return f"{value:,.{places}f} {currency}".strip()


def quantity(value: Decimal) -> str:
    """Return a quantity without needless zeros; zero is a dot, so that columns read at a glance."""
    return f"{value.normalize():f}" if value else "·"


def size(count: int) -> str:
    """Return a number of bytes: `812 B`, `14.2 KB`, `3.1 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def bounded(count: int, most: int = 10_000) -> str:
    """Return a count that stopped at a bound as `10,000+`."""
    return f"{most:,}+" if count > most else f"{count:,}"


def duration(begun_us: int | None, ended_us: int | None) -> str:
    """Return how long something took, in milliseconds or seconds."""
    if not begun_us or not ended_us:
        return "–"
    span = timedelta(microseconds=ended_us - begun_us).total_seconds()
    return f"{span * 1000:.0f} ms" if span < 1 else f"{span:.1f} s"


FILTERS: Mapping[str, Any] = {
    "token": token, "instant": instant, "clock": clock, "machine_instant": machine_instant, "age": age,
    "amount": amount, "money": money, "quantity": quantity, "size": size, "bounded": bounded,
}  # fmt: skip
