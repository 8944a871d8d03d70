"""A partner's SFTP server in this process, for tests and sandbox mode. The connector never imports it.

Keeps what draft-ietf-secsh-filexfer-02 says: a rename onto a file that is there fails. It can be full, refuse, or hang.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko  # type: ignore[import-untyped]


@dataclass(kw_only=True)
class Partner:
    """Their server: folders below `root`, one account."""

    root: Path
    user: str = "northwind"
    password: str = "correct horse"
    authorized: tuple[str, ...] = ()
    """Public keys that may sign in, in base64."""
    wants_both: bool = False
    """A key is not enough: the password is asked for as well."""
    host_key: Any = field(default_factory=lambda: paramiko.ECDSAKey.generate())
    full_after: int | None = None
    """A file may have so many bytes; then the disk is full."""
    read_only: bool = False
    links_work: bool = True
    """False: their disk has no hard links, so a plain rename is refused and only posix-rename works."""
    deaf: threading.Event = field(default_factory=threading.Event)
    """Once set, nothing is answered any more until it is cleared."""
    sessions: int = 0

    @property
    def fingerprint(self) -> str:
        """The host key as `host_keys` spells it."""
        return f"{self.host_key.get_name()} {self.host_key.fingerprint}"

    def put(self, path: str, body: bytes, *, changed: int = 1_700_000_000) -> Path:
        """Put a file there as they would: whole, and changed at an instant."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        os.utime(place, (changed, changed))
        return place


@contextmanager
def serve(partner: Partner) -> Iterator[int]:
    """Serve on 127.0.0.1; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    transports: list[Any] = []

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(line)
            transport.daemon = True
            transports.append(transport)
            transport.add_server_key(partner.host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Disk, partner)
            with suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(event=threading.Event(), server=_Door(partner))

    thread = threading.Thread(target=accept, daemon=True, name="sftp-partner")
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        partner.deaf.clear()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for transport in transports:
            transport.close()


class _Door(paramiko.ServerInterface):  # type: ignore[misc]
    """Who may come in."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == (self.partner.user, self.partner.password)
        return int(paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED)

    def check_auth_publickey(self, username: str, key: Any) -> int:
        if username != self.partner.user or key.get_base64() not in self.partner.authorized:
            return int(paramiko.AUTH_FAILED)
        return int(paramiko.AUTH_PARTIALLY_SUCCESSFUL if self.partner.wants_both else paramiko.AUTH_SUCCESSFUL)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.partner.sessions += 1
        return int(paramiko.OPEN_SUCCEEDED)


class _Disk(paramiko.SFTPServerInterface):  # type: ignore[misc]
    """The folders, as the account sees them."""

    def __init__(self, server: Any, partner: Partner) -> None:
        super().__init__(server)
        self.partner = partner

    def _place(self, path: str) -> str:
        while self.partner.deaf.is_set():
            threading.Event().wait(0.05)
        return f"{self.partner.root}{self.canonicalize(path)}"

    def canonicalize(self, path: str) -> str:
        return os.path.normpath(f"/{path}")

    def list_folder(self, path: str) -> Any:
        place = self._place(path)
        return _answer(lambda: [_attributes(f"{place}/{name}", name) for name in os.listdir(place)])

    def lstat(self, path: str) -> Any:
        place = self._place(path)
        return _answer(lambda: _attributes(place, os.path.basename(place)))

    stat = lstat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        place = self._place(path)
        if flags & (os.O_WRONLY | os.O_RDWR) and self.partner.read_only:
            return paramiko.SFTP_PERMISSION_DENIED
        return _answer(lambda: _opened(self.partner, place, flags))

    def remove(self, path: str) -> int:
        return self._changed(lambda: os.remove(self._place(path)))

    def rename(self, oldpath: str, newpath: str) -> int:
        old, new = self._place(oldpath), self._place(newpath)
        if os.path.lexists(new) or not self.partner.links_work:
            return int(paramiko.SFTP_FAILURE)
        return self._changed(lambda: os.rename(old, new))

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        return self._changed(lambda: os.replace(self._place(oldpath), self._place(newpath)))

    def mkdir(self, path: str, attr: Any) -> int:
        return self._changed(lambda: os.mkdir(self._place(path)))

    def _changed(self, change: Any) -> int:
        if self.partner.read_only:
            return int(paramiko.SFTP_PERMISSION_DENIED)
        answer = _answer(change)
        return int(paramiko.SFTP_OK if answer is None else answer)


class _Handle(paramiko.SFTPHandle):  # type: ignore[misc]
    """One open file, on a disk that may be full."""

    def __init__(self, partner: Partner, flags: int) -> None:
        super().__init__(flags)
        self.partner = partner

    def stat(self) -> Any:
        return _answer(lambda: paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno())))

    def write(self, offset: int, data: bytes) -> int:
        while self.partner.deaf.is_set():
            threading.Event().wait(0.05)
        if self.partner.full_after is not None and offset + len(data) > self.partner.full_after:
            return int(paramiko.SFTP_FAILURE)
        return int(super().write(offset, data))


def _opened(partner: Partner, place: str, flags: int) -> _Handle:
    number = os.open(place, flags, 0o640)
    handle = _Handle(partner, flags)
    handle.readfile = handle.writefile = os.fdopen(number, "wb" if flags & os.O_WRONLY else "rb")
    return handle


def _attributes(place: str, name: str) -> Any:
    return paramiko.SFTPAttributes.from_stat(os.lstat(place), name)


def _answer(act: Any) -> Any:
    try:
        return act()
    except OSError as error:
        return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)
