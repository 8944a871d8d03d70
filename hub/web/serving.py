"""An in-process web server for the embedded hub: a bounded pool of threads in front of the application."""

from __future__ import annotations

import threading
from typing import Any

from cheroot.wsgi import Server

THREADS = 16


class EmbeddedServer:
    """Serves a WSGI application from threads of this process."""

    def __init__(self, app: Any, host: str, port: int, *, threads: int = THREADS) -> None:
        self._server = Server((host, port), app, numthreads=threads, request_queue_size=128, timeout=30)
        self._server.shutdown_timeout = 5
        self._server.keep_alive_conn_limit = 200
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
