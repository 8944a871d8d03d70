"""An application that may not be there yet: while it cannot be made, calls get a 503 and it is tried again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec

from hub.domain.errors import RetryLater
from hub.web.headers import machine_headers

log = logging.getLogger(__name__)
EVERY = 1.0
"""Seconds between two tries."""
ALIVE = "/health/live"


class Coming:
    """Makes an application, at once or, where the database is not there, once it is.

    Whoever starts the processes of a hub need not know their order: this one is alive, and not ready.
    """

    def __init__(self, make: Callable[[], WSGIApplication]) -> None:
        self._make = make
        self._made: WSGIApplication | None = None
        self._guard = threading.Lock()
        self._next = 0.0
        self._why = ""
        self._try()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the call on, or say that there is nobody yet."""
        if self._made is None:
            self._try()
        if self._made is not None:
            return self._made(environ, start_response)
        is_alive = environ.get("PATH_INFO") == ALIVE
        said = {"status": "ok"} if is_alive else {"status": "unavailable", "error": self._why}
        body = msgspec.json.encode(said)
        fields = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Retry-After", "5")]
        start_response(
            "200 OK" if is_alive else "503 Service Unavailable", [*fields, *machine_headers(is_secure=False)]
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _try(self) -> None:
        """Make the application, at most once a second, in the thread of one call; the others do not wait for it."""
        if time.monotonic() < self._next or not self._guard.acquire(blocking=False):
            return
        try:
            if self._made is None:
                self._made = self._make()
        except RetryLater as error:
            self._note(str(error))
        except Exception:
            log.exception("the application could not be made; it is tried again")
            self._note("the hub cannot begin yet; its log has the reason")
        finally:
            self._next = time.monotonic() + EVERY
            self._guard.release()

    def _note(self, why: str) -> None:
        if why != self._why:
            log.warning("not ready: %s", why)
        self._why = why
