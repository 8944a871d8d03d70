"""Once a second: give back what a dead worker held, and drain what is due even if no bell rang."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hub.domain.errors import HubError

log = logging.getLogger(__name__)
EVERY = 1.0


class Sweeper:
    """A thread that calls `sweep` until it is stopped; what it cannot reach now it reaches a second later."""

    def __init__(self, sweep: Callable[[], None], *, every: float = EVERY, name: str = "sweeper") -> None:
        self._sweep = sweep
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the sweep under way."""
        self._stopping.set()
        self._thread.join(timeout=30)

    def _serve(self) -> None:
        failing = False
        while not self._stopping.wait(self._every):
            try:
                self._sweep()
                failing = False
            except HubError as error:
                if not failing:
                    log.warning("the sweep waits: %s", error)
                failing = True
            except Exception:
                log.exception("the sweep failed; it runs again in %s s", self._every)
