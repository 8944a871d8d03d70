"""Dramatiq as a doorbell: it says that something is due in a lane, never what. A lost ring costs time, not work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import CurrentMessage, Middleware, ShutdownNotifications

log = logging.getLogger(__name__)
QUEUE = "hub"
OUTSTANDING_MS = 1000


def open_broker(redis_url: str = "", *, namespace: str = "hub") -> dramatiq.Broker:
    """Open the broker: Redis where an address is given, else one inside this process. Dramatiq's retries are off."""
    middleware: list[Middleware] = [ShutdownNotifications(), CurrentMessage()]
    if not redis_url:
        return StubBroker(middleware=middleware)
    from dramatiq.brokers.redis import RedisBroker

    return RedisBroker(  # type: ignore[no-untyped-call]
        url=redis_url,
        namespace=namespace,
        middleware=middleware,
        heartbeat_timeout=10_000,
        maintenance_chance=100_000,
        socket_timeout=5,
        socket_connect_timeout=2,
    )


class Bell:
    """Rings at once when no ring of a lane is outstanding, else not at all: whoever answers drains everything."""

    def __init__(self, broker: dramatiq.Broker, answer: Callable[[str], None]) -> None:
        self.broker = broker
        self._waiting: set[str] = set()
        self._wake = threading.Event()
        self._guard = threading.Lock()
        self._answer = answer
        self._client: Any = getattr(broker, "client", None)
        self._namespace = str(getattr(broker, "namespace", "hub"))
        self._thread: threading.Thread | None = None
        self._failing = False
        self._closed = False
        self.actor = dramatiq.actor(self._answered, broker=broker, queue_name=QUEUE, actor_name="drain")  # type: ignore[call-overload]

    def ring(self, lane: str) -> None:
        """Wake a worker. Returns at once; the ring itself is done by a thread of its own, so that no caller waits."""
        with self._guard:
            self._waiting.add(lane)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._serve, name="doorbell", daemon=True)
                self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Stop ringing."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _serve(self) -> None:
        while not self._closed:
            self._wake.wait(timeout=1)
            self._wake.clear()
            with self._guard:
                lanes, self._waiting = sorted(self._waiting), set()
            for lane in lanes:
                self._ring(lane)

    def _ring(self, lane: str) -> None:
        try:
            if self._client is None or self._client.set(self._key(lane), "1", nx=True, px=OUTSTANDING_MS):
                self.actor.send(lane)
            self._failing = False
        except Exception as error:  # the broker's own errors are many; none may stop intake
            if not self._failing:
                log.warning("the doorbell does not answer (%s); workers look for themselves every second", error)
            self._failing = True

    def _answered(self, lane: str) -> None:
        if self._client is not None:
            self._client.delete(self._key(lane))
        self._answer(lane)

    def _key(self, lane: str) -> str:
        return f"{self._namespace}:bell:{lane}"
