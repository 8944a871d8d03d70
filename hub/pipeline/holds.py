"""Which connections nothing is sent to for now: their side asked for time, or a person has to mend something first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

from hub.domain.errors import HubError, Paused, Rejected, RetryLater
from hub.domain.incident import Incident

SUSPENDED = "suspended/"
"""How the fingerprint of the incident begins whose being open is the suspension: resolving it lets the sends go on."""
GONE = "http_410"
SERIES = 5
"""So many times in a row their side may refuse our credentials; then nobody goes on asking."""
LOOK = 1.0
"""Seconds after which it is asked again which connections are suspended."""
NOTICED = 5.0
"""Seconds within which every process has seen that a connection is suspended."""


class Suspended(Paused):
    """Not sent, because of what was answered to another document: a person has been told already."""


class Holds:
    """The connections that are held back, as this process knows. Thread-safe.

    `look` returns those that are suspended; it is asked once a second while something is sent.
    """

    def __init__(
        self, look: Callable[[], Collection[str]] = tuple, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._look, self._now = look, now
        self._guard = threading.Lock()
        self._until: dict[str, float] = {}
        self._refusals: dict[str, int] = {}
        self._suspended: frozenset[str] = frozenset()
        self._looked: float | None = None

    def pause(self, connection: str, seconds: float) -> None:
        """Hold a connection back for so long: their side said so."""
        with self._guard:
            self._until[connection] = max(self._until.get(connection, 0.0), self._now() + seconds)

    def refused(self, connection: str) -> int:
        """Count that their side refused our credentials; return how often it did so in a row."""
        with self._guard:
            self._refusals[connection] = self._refusals.get(connection, 0) + 1
            return self._refusals[connection]

    def taken(self, connection: str) -> None:
        """Note that their side took something."""
        self._refusals.pop(connection, None)

    def held(self) -> frozenset[str]:
        """Return the connections that nothing should be taken up for now."""
        now = self._now()
        if self._looked is None or now - self._looked > LOOK:
            self._looked, self._suspended = now, frozenset(self._look())
        if not self._until:
            return self._suspended
        with self._guard:
            self._until = {name: until for name, until in self._until.items() if until > now}
            return self._suspended | self._until.keys()


def is_gone(result: object) -> bool:
    """Say whether an answer means that there is nobody any more (410)."""
    return isinstance(result, Rejected) and any(each.code == GONE for each in result.problems)


def rest_of(result: object) -> HubError | None:
    """Return what an answer means for everything else that is to be sent there: None, mostly."""
    if is_gone(result):
        return Suspended(f"not sent: {result}")
    if isinstance(result, Paused) or (isinstance(result, RetryLater) and result.for_all):
        return result
    return None


def suspension(name: str, why: str) -> Incident:
    """Return the one incident that suspends a connection while it is open."""
    return Incident(
        fingerprint=f"{SUSPENDED}{name}",
        kind="connection",
        severity="critical",
        title=f"{name} is suspended: nothing is sent there until a person resolves this",
        detail=why,
        next_action=f"ask them, mend connection {name} (its address, its credentials), then resolve this incident: what waits goes out by itself; retry what was refused",  # noqa: E501
        connection=name,
        subject_kind="connection",
        subject_id=name,
    )
