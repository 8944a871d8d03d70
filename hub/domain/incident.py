"""One cause that a person must look at."""

from __future__ import annotations

from typing import Literal

import msgspec

IncidentClass = Literal[
    "value", "missing", "connection", "intermittent", "rate_limit", "too_large", "parse", "duplicate", "internal"
]


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong, how to mend it, and what it concerns. One open incident per fingerprint; repeats count."""

    fingerprint: str
    kind: IncidentClass
    title: str
    next_action: str
    detail: str = ""
    severity: Literal["warning", "error", "critical"] = "error"
    connection: str = ""
    partner: str = ""
    subject_kind: str = ""
    subject_id: str = ""
