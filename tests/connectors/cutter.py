"""A TCP proxy that cuts its lines after so many bytes: where exactly they break is what the test says."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 1024


class Cutter:
    """In front of ports on 127.0.0.1. All its lines are reset once one direction carried, over all, what it may."""

    def __init__(self, target: int) -> None:
        self.is_silent = False
        """What it is given from now on goes nowhere."""
        self.sent = self.answered = 0
        """Bytes that went to the server, and that came from it, since `arm`."""
        self._most_sent: int | None = None
        self._most_answered: int | None = None
        self._lines: list[socket.socket] = []
        self._listeners: list[socket.socket] = []
        self._lock = threading.Lock()
        self.port = self.to(target)

    def to(self, target: int) -> int:
        """Stand in front of another port as well (a data line's); return the port to call."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, target), daemon=True, name="cutter").start()
        port: int = listener.getsockname()[1]
        return port

    def arm(self, *, sent: int | None = None, answered: int | None = None) -> None:
        """Cut after so many bytes from now on; None: carry all."""
        with self._lock:
            self._most_sent, self._most_answered = sent, answered
            self.sent = self.answered = 0

    def stop(self) -> None:
        """Take no more lines and reset those there are."""
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
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

    def _accept(self, listener: socket.socket, target: int) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", target))
            except OSError:
                return
            with self._lock:
                self._lines += [near, far]
            for source, sink, is_answer in ((near, far, False), (far, near, True)):
                arguments = (source, sink, is_answer)
                threading.Thread(target=self._pump, args=arguments, daemon=True, name="cutter").start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                allowed = self._allowed(len(piece), is_answer)
                if not self.is_silent:
                    sink.sendall(piece[:allowed])
                if allowed < len(piece):
                    self.cut()
                    return
            sink.shutdown(socket.SHUT_WR)

    def _allowed(self, size: int, is_answer: bool) -> int:
        with self._lock:
            most, carried = (self._most_answered, self.answered) if is_answer else (self._most_sent, self.sent)
            allowed = size if most is None else min(size, max(0, most - carried))
            if is_answer:
                self.answered += allowed
            else:
                self.sent += allowed
            return allowed


@contextmanager
def cutter(target: int) -> Iterator[Cutter]:
    """Run a cutter in front of a port."""
    proxy = Cutter(target)
    try:
        yield proxy
    finally:
        proxy.stop()
