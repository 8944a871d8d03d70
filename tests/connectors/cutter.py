"""A TCP proxy that cuts a line after so many bytes: where exactly it breaks is what the test says."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 1024


class Cutter:
    """In front of one port on 127.0.0.1. `after` bytes from the client, over all its lines, then every line is reset.

    None: it carries all. `carried` counts what clients sent.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.after: int | None = None
        self.carried = 0
        self.is_silent = False
        """What it is given from now on goes nowhere."""
        self._lines: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True, name="cutter").start()

    def arm(self, after: int | None) -> None:
        """Cut after so many bytes from now on."""
        with self._lock:
            self.after, self.carried = after, 0

    def stop(self) -> None:
        """Take no more lines and reset those there are."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Reset all lines."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            with contextlib.suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            with self._lock:
                self._lines += [near, far]
            for source, sink, counts in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pump, args=(source, sink, counts), daemon=True, name="cutter").start()

    def _pump(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                allowed = self._allowed(len(piece)) if counts else len(piece)
                if not self.is_silent:
                    sink.sendall(piece[:allowed])
                if allowed < len(piece):
                    self.cut()
                    return
        for line in (source, sink):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _allowed(self, size: int) -> int:
        with self._lock:
            left = size if self.after is None else max(0, self.after - self.carried)
            self.carried += min(size, left)
            return min(size, left)


@contextmanager
def cutter(target: int) -> Iterator[Cutter]:
    """Run a cutter in front of a port."""
    proxy = Cutter(target)
    try:
        yield proxy
    finally:
        proxy.stop()
