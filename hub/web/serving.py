"""An in-process web server for the embedded hub: a bounded pool of threads in front of the application."""

from __future__ import annotations

import sys
import threading
from typing import Any

from cheroot.wsgi import Server

from hub.web.connection import Connection, Gateway
from hub.web.pool import Threads
from hub.web.wire import AT_ONCE

THREADS = 16
"""For pages and event streams; calls to `/in` take a thread only while they are read and verified."""
NAME = "hub"
SILENCE = 30
"""Seconds that a client may be silent, within a request or between two."""


class _Server(Server):
    """cheroot's server with our connections."""

    ConnectionClass = Connection
    max_request_header_size = AT_ONCE
    keep_alive_conn_limit = 200

    def __init__(self, address: tuple[str, int], app: Any, threads: int, silence: int) -> None:
        super().__init__(address, app, server_name=NAME, request_queue_size=128, timeout=silence)
        self.gateway = Gateway
        self.requests = Threads(self, threads)
        self.slow = threading.BoundedSemaphore(max(1, threads // 2))
        self.environ: dict[str, Any] = {}

    def prepare(self) -> None:
        """Take the port, and note what is the same in every request."""
        super().prepare()
        self.environ = {
            "ACTUAL_SERVER_PROTOCOL": self.protocol,
            "SCRIPT_NAME": "",
            "SERVER_NAME": NAME,
            "SERVER_PORT": str(self.bind_addr[1]),
            "SERVER_SOFTWARE": NAME,
            "wsgi.errors": sys.stderr,
            "wsgi.multiprocess": False,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
        }

    def put_conn(self, conn: Connection) -> None:
        """Begin with the answer that comes later, else watch for the next request."""
        later, conn.later = conn.later, None
        if later is None:
            super().put_conn(conn)
        else:
            later(conn.answer)


class EmbeddedServer:
    """Serves a WSGI application from threads of this process."""

    def __init__(self, app: Any, host: str, port: int, *, threads: int = THREADS, silence: int = SILENCE) -> None:
        self._server = _Server((host, port), app, threads, silence)
        self._bound = False
        self._thread = threading.Thread(target=self._server.serve, name="web", daemon=True)

    def bind(self) -> int:
        """Take the port and return it; raises OSError where somebody else has it. Nobody is answered yet."""
        if not self._bound:
            self._server.prepare()
            self._bound = True
        return int(self._server.bind_addr[1])

    def start(self) -> int:
        """Begin to answer; return the port."""
        port = self.bind()
        self._thread.start()
        return port

    def stop(self) -> None:
        """Finish open requests and close."""
        self._server.stop()
        self._thread.join(timeout=10)
