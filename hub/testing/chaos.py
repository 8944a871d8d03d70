"""A TCP proxy that stands between two processes and can be told to misbehave: late, slow, cut, silent or down."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

PIECE = 16_384
POLL = 0.02


class Chaos:
    """A proxy on 127.0.0.1 in front of one address. Its fields may be changed while it runs.

    latency: seconds that every piece waits. rate: bytes per second each way, None for as fast as it goes.
    blackhole: bytes are taken and go nowhere. `cut()` resets what is open, within 20 ms; `down()` refuses new lines
    until `up()`.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self.latency = 0.0
        self.rate: float | None = None
        self.blackhole = False
        self.cut_after: int | None = None
        """Reset a line once so many bytes of answers went through it."""
        self.lines = 0
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._open: set[_Line] = set()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Take lines (again) on the same port."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
        self._run(self._accept, self._listener)

    def down(self) -> None:
        """Refuse new lines and cut the open ones."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def cut(self) -> None:
        """Reset every open line."""
        with self._lock:
            for line in self._open:
                line.is_cut.set()

    def stop(self) -> None:
        """End everything."""
        self._ended.set()
        self.down()
        for thread in self._threads:
            thread.join(5)

    def _run(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True, name="hub-testing-chaos")  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self.lines += 1
            self._run(self._carry, near)

    def _carry(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._target, timeout=5)
        except OSError:
            _reset(near)
            return
        far.settimeout(None)
        line = _Line(near, far)
        with self._lock:
            self._open.add(line)
        back = threading.Thread(target=self._pump, args=(line, far, near, self.cut_after), daemon=True)
        back.start()
        self._pump(line, near, far, None)
        back.join()
        with self._lock:
            self._open.discard(line)
        for sock in (near, far):
            _reset(sock) if line.is_cut.is_set() else sock.close()

    def _pump(self, line: _Line, source: socket.socket, sink: socket.socket, cut_after: int | None) -> None:
        """Carry one way until its end; a broken or cut line ends both ways."""
        passed = 0
        try:
            while not (self._ended.is_set() or line.is_cut.is_set()):
                if not select.select([source], [], [], POLL)[0]:
                    continue
                data = source.recv(PIECE)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                self._wait(len(data))
                if cut_after is not None and passed + len(data) > cut_after:
                    sink.sendall(data[: cut_after - passed])
                    line.is_cut.set()
                elif not self.blackhole:
                    sink.sendall(data)
                    passed += len(data)
        except OSError:
            line.is_cut.set()

    def _wait(self, size: int) -> None:
        seconds = self.latency + (size / self.rate if self.rate else 0.0)
        until = monotonic() + seconds
        while not self._ended.is_set() and (rest := until - monotonic()) > 0:
            sleep(min(rest, 0.1))


class _Line:
    """Two sockets and whether they are to be reset."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far = near, far
        self.is_cut = threading.Event()


def _reset(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextmanager
def chaos(host: str, port: int) -> Iterator[Chaos]:
    """Run a proxy in front of `host:port`; yield it."""
    proxy = Chaos(host, port)
    proxy.up()
    try:
        yield proxy
    finally:
        proxy.stop()
