"""The threads of the embedded server: each takes a connection that has something to say and lets it speak."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from socket import SHUT_RD
from typing import Any

log = logging.getLogger(__name__)


class Threads:
    """A bounded pool, as cheroot's server asks for one: start, put, stop. Its queue is one call into C."""

    def __init__(self, server: Any, count: int) -> None:
        self._server = server
        self._waiting: SimpleQueue[Any] = SimpleQueue()
        self._speaking: set[Any] = set()
        self._threads = [
            threading.Thread(target=self._serve, name=f"web-{number}", daemon=True) for number in range(count)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def put(self, connection: Any) -> None:
        """Let a thread take this connection as soon as one is free."""
        self._waiting.put(connection)

    def stop(self, timeout: float | None = 5) -> None:
        """Take nothing more, wait so long for what is under way, then hear no more of who still speaks."""
        for _ in self._threads:
            self._waiting.put(None)
        self._join(timeout)
        for connection in list(self._speaking):
            with suppress(OSError):
                connection.socket.shutdown(SHUT_RD)
        self._join(timeout)

    def _join(self, timeout: float | None) -> None:
        ends = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(None if ends is None else max(0.0, ends - time.monotonic()))

    def _serve(self) -> None:
        while (connection := self._waiting.get()) is not None:
            is_kept = False
            self._speaking.add(connection)
            try:
                is_kept = connection.communicate()
            except ConnectionError:
                pass  # the client is gone
            except Exception:
                log.exception("a call of %s could not be answered", connection.remote_addr)
            finally:
                self._speaking.discard(connection)
                self._give_back(connection, is_kept=is_kept)

    def _give_back(self, connection: Any, *, is_kept: bool) -> None:
        try:
            if is_kept:
                self._server.put_conn(connection)
            else:
                connection.close()
        except Exception:
            log.exception("a connection could not be given back")
