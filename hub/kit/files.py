"""Folders for files that go in and out: regular files only, read when stable, written whole."""

from __future__ import annotations

import errno
import fnmatch
import hashlib
import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from hub.domain.errors import Paused, Rejected, RetryLater, TooLarge
from hub.kit.steady import Steady
from hub.ports import Clock, Folder

SETTLED_SECONDS = 10.0
"""A file that was not written to for so long is taken at the first look."""
_SAFE_NAME = re.compile(r"[^A-Za-z0-9._ ()+=,@-]")
LONGEST_NAME = 150
PART = ".hub-part"


class DiskFolder:
    """The kit's `Folder` on a local or mounted disk.

    No look waits: size and time of each file are remembered, and a file is stable when a later look finds the same,
    or when it is older than `settled` seconds by the clock.
    """

    def __init__(self, path: str | Path, *, clock: Clock, settled: float = SETTLED_SECONDS) -> None:
        self.path = Path(path)
        self._clock, self._steady = clock, Steady(settled)

    def stable(self, pattern: str = "*") -> Iterator[str]:
        """Yield names of regular files that are not being written any more, oldest first."""

        def asked(name: str) -> bool:
            return fnmatch.fnmatchcase(name, pattern)

        found = ((name, (look.st_size, look.st_mtime_ns)) for name, look in self._regular() if asked(name))
        yield from self._steady.ready(found, self._clock.now().timestamp(), asked)

    def read(self, name: str, *, cap: int) -> bytes:
        """Return a file's bytes; larger than `cap` raises TooLarge, a link or a missing file is Rejected."""
        return read_regular(self._place(name), cap=cap)

    def write(self, name: str, body: bytes) -> None:
        """Write beside, fsync, rename. Characters that a name cannot safely have become `_`."""
        self._make()
        place = self.path / safe_name(name)
        part = (
            self.path
            / f".{hashlib.sha256(place.name.encode()).hexdigest()[:16]}.{os.getpid()}.{threading.get_ident()}{PART}"
        )
        with _ours(f"{place} cannot be written"):
            try:
                _write_whole(part, body)
                os.replace(part, place)
                _sync_folder(self.path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    def stamp(self, name: str) -> str:
        """Return size and time of change; a link or a missing file is Rejected."""
        with _ours(f"{name} cannot be looked at"):
            found = os.lstat(self._place(name))
        if not stat.S_ISREG(found.st_mode):
            raise Rejected(f"{self.path / name} is not a regular file")
        return f"{found.st_size}-{found.st_mtime_ns}"

    def move(self, name: str, to: Folder) -> None:
        """Move a file that was taken in to another folder on the same disk; it replaces one of its name there."""
        if not isinstance(to, DiskFolder):
            raise Rejected(f"{name!r} can be moved to another folder on this disk only")
        to._make()
        with _ours(f"{name} cannot be moved to {to.path}"):
            os.replace(self._place(name), to._place(name))
        self._steady.forget(name)

    def exists(self, name: str) -> bool:
        """Say whether a regular file of that name (as `write` would spell it) is there."""
        try:
            return stat.S_ISREG(os.lstat(self.path / safe_name(name)).st_mode)
        except OSError:
            return False

    def _regular(self) -> Iterator[tuple[str, os.stat_result]]:
        self._make()
        with _ours(f"{self.path} cannot be listed"), os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                try:
                    if entry.is_file(follow_symlinks=False):
                        yield entry.name, entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue

    def _place(self, name: str) -> Path:
        """Return the path of a name that stands directly in this folder."""
        if not name or name in (".", "..") or "/" in name or "\0" in name:
            raise Rejected(f"{name[:80]!r} is not the name of a file in {self.path}")
        return self.path / name

    def _make(self) -> None:
        with _ours(f"{self.path} cannot be made"):
            self.path.mkdir(parents=True, exist_ok=True)


class _ours:
    """Turns an OSError into our error, by what recovers from it."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            raise Paused(f"{self._what} ({error.strerror}); give the hub the right to it") from error
        if error.errno in (errno.ENOENT, errno.EXDEV, errno.EISDIR, errno.ELOOP):
            raise Rejected(f"{self._what} ({error.strerror})") from error
        raise RetryLater(f"{self._what} ({error.strerror})") from error


def safe_name(name: str) -> str:
    """Return a file name without path, control or shell characters, at most 150 long; never empty or hidden.

    A name that is cut keeps its end and gets a mark of the whole, so that two names stay two files.
    """
    cleaned = _SAFE_NAME.sub("_", name.strip()).lstrip(".") or "_"
    if len(cleaned) <= LONGEST_NAME:
        return cleaned
    mark = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{cleaned[:60]}-{mark}-{cleaned[-60:]}"


def read_regular(path: str | Path, *, cap: int) -> bytes:
    """Return the bytes of a regular file; a link, a device or a missing file is Rejected, more than `cap` TooLarge."""
    with _ours(f"{path} cannot be read; links are not followed"):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Rejected(f"{path} is not a regular file")
    with os.fdopen(handle, "rb") as file:
        body = file.read(cap + 1)
    if len(body) > cap:
        raise TooLarge(f"{path} has more than {cap} bytes")
    return body


def _write_whole(part: Path, body: bytes) -> None:
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
