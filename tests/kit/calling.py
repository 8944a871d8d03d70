"""A guarded client for tests, with a clock that stands still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.kit.http import GuardedHttp, Limits
from hub.testing.scripted import Scripted

LOOPBACK = ["127.0.0.0/8"]


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def client(partner: Scripted, **settings: Any) -> GuardedHttp:
    settings.setdefault("networks", LOOPBACK)
    settings.setdefault("limits", Limits(deadline=5.0, cap=1_000_000))
    return GuardedHttp(partner.url + "/v2", connection="acme", clock=FixedClock(), **settings)
