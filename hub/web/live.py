"""Live pages: one look at the database for all of them, and a few streams that say what kind of row changed.

A stream never carries data; the page fetches its part again, so that permission is checked in one place. Where all
streams are taken the page is answered 204 and goes on by polling.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from flask import Blueprint, Response, current_app

from hub.domain.errors import HubError
from hub.web.permissions import needs

log = logging.getLogger(__name__)
MOST_STREAMS = 8
LOOK_EVERY = 0.5
HEARTBEAT = 10.0
LONGEST = 600.0

live = Blueprint("live", __name__)


class Live:
    """Looks for changes while anybody listens, and tells all who do."""

    def __init__(
        self,
        look: Callable[[], Mapping[str, str]],
        *,
        most: int = MOST_STREAMS,
        every: float = LOOK_EVERY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._every = every
        self._monotonic = monotonic
        self._slots = threading.BoundedSemaphore(most)
        self._changed = threading.Condition()
        self._marks: Mapping[str, str] = {}
        self._listening = 0
        self._watching = False
        self._closed = threading.Event()

    def stream(self) -> Iterator[bytes] | None:
        """Return a stream of changes, or None where every stream is taken."""
        if self._closed.is_set() or not self._slots.acquire(blocking=False):
            return None
        return _Stream(self)

    def close(self) -> None:
        """End every stream within a moment."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()

    def enter(self) -> None:
        """Begin to listen; the first listener starts the watch."""
        with self._changed:
            self._listening += 1
            if not self._watching:
                self._watching = True
                self._marks = self._seen() or self._marks
                threading.Thread(target=self._watch, name="live", daemon=True).start()

    def leave(self) -> None:
        """Stop listening and give the place free."""
        with self._changed:
            self._listening -= 1
        self._slots.release()

    def changes(self) -> Iterator[list[str]]:
        """Yield the kinds that changed; an empty list now and then, so that a reader who left is noticed.

        Every kind comes first, for whatever changed between the page and its stream.
        """
        known: Mapping[str, str] = {}

        def is_news() -> bool:
            return self._closed.is_set() or self._marks != known

        ends = self._monotonic() + LONGEST
        while not self._closed.is_set() and self._monotonic() < ends:
            with self._changed:
                self._changed.wait_for(is_news, timeout=HEARTBEAT)
                marks = self._marks
            yield sorted(kind for kind in marks if marks[kind] != known.get(kind))
            known = marks

    def _watch(self) -> None:
        while not self._closed.wait(self._every):
            marks = self._seen()
            with self._changed:
                if not self._listening:
                    self._watching = False
                    return
                if marks is not None and marks != self._marks:
                    self._marks = marks
                    self._changed.notify_all()

    def _seen(self) -> Mapping[str, str] | None:
        try:
            return self._look()
        except HubError as error:
            log.info("live pages wait: %s", error)
            return None
        except Exception:
            log.exception("live pages could not look for changes")
            return None


class _Stream:
    """One listener. Its place is given back when the server closes it, whether or not it was ever read."""

    def __init__(self, live: Live) -> None:
        self._live = live
        live.enter()
        self._parts = self._frames()
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        """Stop listening, once."""
        if self._open:
            self._open = False
            self._live.leave()

    def _frames(self) -> Iterator[bytes]:
        yield b": listening\n\n"
        for kinds in self._live.changes():
            yield b"".join(f"event: {kind}\ndata: changed\n\n".encode() for kind in kinds) or b": still here\n\n"


@live.get("/events")
@needs("see")
def events() -> Response:
    """Stream what kinds of row changed, as server-sent events."""
    listening: Live = current_app.extensions["live"]
    stream = listening.stream()
    if stream is None:
        return Response(status=204)
    response = Response(stream, content_type="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response
