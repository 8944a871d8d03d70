"""One session with a server, each step of it within a deadline, however slowly they talk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.ports.files import Files, RemoteFile

Opener = Callable[[], Files]
"""Makes a session without touching anything; `open` connects."""


class Session:
    """The `Files` of a protocol, whose line is cut where a step takes longer than `deadline` seconds."""

    def __init__(self, files: Files, deadline: float) -> None:
        self._files, self._deadline = files, deadline

    def open(self) -> None:
        """Connect and sign in."""
        with self._timed():
            self._files.open()

    def entries(self, folder: str) -> Iterator[RemoteFile]:
        """Yield files; the deadline is for the whole list."""
        with self._timed():
            yield from self._files.entries(folder)

    def look(self, path: str) -> RemoteFile | None:
        """Return what a file is now."""
        with self._timed():
            return self._files.look(path)

    def read(self, path: str, *, cap: int) -> bytes:
        """Return a file's bytes."""
        with self._timed():
            return self._files.read(path, cap=cap)

    def write(self, path: str, body: bytes) -> None:
        """Write a file."""
        with self._timed():
            self._files.write(path, body)

    def rename(self, path: str, to: str) -> None:
        """Move a file."""
        with self._timed():
            self._files.rename(path, to)

    def remove(self, path: str) -> None:
        """Delete a file."""
        with self._timed():
            self._files.remove(path)

    def make(self, folder: str) -> None:
        """Make a folder."""
        with self._timed():
            self._files.make(folder)

    def cut(self) -> None:
        """Hang up."""
        self._files.cut()

    def close(self) -> None:
        """Sign off."""
        with self._timed():
            self._files.close()

    @contextmanager
    def _timed(self) -> Iterator[None]:
        cutter = threading.Timer(self._deadline, self._files.cut)
        cutter.daemon = True
        cutter.start()
        try:
            yield
        finally:
            cutter.cancel()


@contextmanager
def signed_in(opener: Opener, deadline: float) -> Iterator[Session]:
    """Open a session, and sign off in the end."""
    session = Session(opener(), deadline)
    try:
        session.open()
        yield session
    finally:
        session.close()


def joined(folder: str, name: str) -> str:
    """Return the path of a name in a folder; an empty folder is the one after sign-in."""
    return f"{folder.rstrip('/') or ''}/{name}" if folder else name
