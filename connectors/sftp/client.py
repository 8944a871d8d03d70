"""One SFTP session by paramiko: a pinned host key, today's algorithms, our errors."""

from __future__ import annotations

import contextlib
import errno
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import paramiko  # type: ignore[import-untyped]

from connectors.sftp.keys import algorithms_of, is_pinned, offered, read_private_key
from hub.sdk import Endpoint, HubError, Paused, RemoteFile, RetryLater, Secret, TooLarge

CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
DIGESTS = (
    "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512",
)  # fmt: skip
KEX = (
    "mlkem768x25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512", "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)  # fmt: skip
READ_AHEAD = 64
LIST_AHEAD = 4


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who we are there, and who they must prove to be."""

    user: str
    host_keys: tuple[str, ...]
    password: Secret | None
    private_key: Secret | None
    private_key_password: Secret | None
    deadline: float


class SftpFiles:
    """The kit's `Files` over SFTP version 3."""

    def __init__(self, endpoint: Endpoint, account: Account, connection: str) -> None:
        self._endpoint, self._account = endpoint, account
        self._name = f"{connection}: {endpoint.host}:{endpoint.port}"
        self._sock: socket.socket | None = None
        self._transport: Any = None
        self._sftp: Any = None
        self._made: set[str] = set()

    def open(self) -> None:
        """Connect, compare the host key, then sign in: nothing is sent to a server that is not the one we know."""
        key_types = algorithms_of(self._account.host_keys, self._name)
        self._sock = self._endpoint.connect(self._account.deadline)
        try:
            with self._ours("no SSH session"):
                self._transport = self._negotiated(key_types)
            self._prove()
            self._sign_in()
            with self._ours("no SFTP session"):
                channel = self._transport.open_session(timeout=self._account.deadline)
                channel.settimeout(self._account.deadline)
                channel.invoke_subsystem("sftp")
                self._sftp = paramiko.SFTPClient(channel)
        except BaseException:
            self.close()
            raise

    def entries(self, folder: str) -> Iterator[RemoteFile]:
        """Yield the regular files of a folder."""
        with self._ours(f"{folder or '.'} cannot be listed"):
            for entry in self._sftp.listdir_iter(folder or ".", read_aheads=LIST_AHEAD):
                if _is_regular(entry):
                    yield _file(entry.filename, entry)

    def look(self, path: str) -> RemoteFile | None:
        """Return what a file is; a link counts as the file that it is not."""
        with self._ours(f"{path} cannot be looked at"):
            try:
                return _file(path.rpartition("/")[2], self._sftp.lstat(path))
            except FileNotFoundError:
                return None

    def read(self, path: str, *, cap: int) -> bytes:
        """Return a file's bytes, asked for many at a time."""
        with self._ours(f"{path} cannot be read"), self._sftp.open(path, "rb") as file:
            size = file.stat().st_size or 0
            if size > cap:
                raise TooLarge(f"{path} has more than {cap} bytes")
            if size:
                file.prefetch(size, max_concurrent_requests=READ_AHEAD)
            body: bytes = file.read(size)
            return body

    def write(self, path: str, body: bytes) -> None:
        """Write a file; it is done when the server has said so for each part of it."""
        with self._ours(f"{path} cannot be written"), self._sftp.open(path, "wb") as file:
            file.set_pipelined(True)
            file.write(body)

    def rename(self, path: str, to: str) -> None:
        """Move a file by the plain request, which fails where `to` is there (draft-ietf-secsh-filexfer-02, 6.5).

        Servers on disks without hard links refuse that; where they have posix-rename, it is asked after a look.
        """
        with self._ours(f"{path} cannot be renamed to {to}"):
            try:
                self._sftp.rename(path, to)
            except OSError as refused:
                if not self._transport.is_active() or self.look(to) is not None or self.look(path) is None:
                    raise
                try:
                    self._sftp.posix_rename(path, to)
                except OSError as error:
                    raise (refused if "nsupported" in str(error) else error) from error

    def remove(self, path: str) -> None:
        """Delete a file; one that is gone is deleted."""
        with self._ours(f"{path} cannot be deleted"), contextlib.suppress(FileNotFoundError):
            self._sftp.remove(path)

    def make(self, folder: str) -> None:
        """Make a folder where it is missing."""
        if folder in self._made:
            return
        with self._ours(f"{folder} cannot be made"):
            try:
                self._sftp.stat(folder)
            except FileNotFoundError:
                self._sftp.mkdir(folder)
        self._made.add(folder)

    def cut(self) -> None:
        """Close the line under whoever waits for it."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Sign off."""
        with contextlib.suppress(Exception):
            if self._transport is not None:
                self._transport.close()
        if self._sock is not None:
            self._sock.close()

    def _negotiated(self, key_types: tuple[str, ...]) -> Any:
        deadline = self._account.deadline
        transport = paramiko.Transport(self._sock)
        transport.daemon = True
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = deadline
        options = transport.get_security_options()
        options.ciphers = CIPHERS
        options.digests = DIGESTS
        options.kex = tuple(each for each in KEX if each in options.kex)
        if key_types:
            options.key_types = key_types
        self._transport = transport
        try:
            transport.start_client(timeout=deadline)
            transport.get_remote_server_key()
        except paramiko.IncompatiblePeer as error:
            raise Paused(
                f"{self._name} and the hub have no common algorithm ({error}); old ones and host keys of a kind that "
                "is not in host_keys are not taken. Ask them for today's, or pin the key of that kind"
            ) from error
        return transport

    def _prove(self) -> None:
        key = self._transport.get_remote_server_key()
        if not is_pinned(key, self._account.host_keys):
            raise Paused(
                f"{self._name} shows the host key {offered(key)}, which is not in host_keys; nothing was sent. It may "
                "be somebody else: ask the partner by another way whether they changed it, and add it only if they did"
            )

    def _sign_in(self) -> None:
        """Sign in with the key, the password, or both where they ask for both; never by questions and answers."""
        account = self._account
        if account.private_key is None and account.password is None:
            raise Paused(f"{self._name}: there is neither a password nor a private_key to sign in with; enter one")
        key = read_private_key(account.private_key, account.private_key_password, self._name)
        password = account.password.reveal() if account.password is not None else ""
        with self._ours(f"user {account.user} cannot sign in"):
            try:
                wanted = self._transport.auth_publickey(account.user, key) if key is not None else ["password"]
                if wanted and password:
                    wanted = self._transport.auth_password(account.user, password, fallback=False)
            except paramiko.AuthenticationException as error:
                if not _is_refusal(error):
                    raise
                text = f"{self._name} refused user {account.user} ({error}); check or renew the credentials"
                raise Paused(text) from error
        if wanted:
            asked = ", ".join(wanted)
            raise Paused(f"{self._name} asks user {account.user} for {asked} as well, which the settings do not have")

    def _ours(self, what: str) -> _Ours:
        return _Ours(f"{self._name}: {what}")


class _Ours:
    """Turns what paramiko raises into our error, by what recovers from it."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, (HubError, GeneratorExit)):
            return
        said = f"{self._what} ({_said(error)})"
        if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
            raise Paused(
                f"{said}; ask the partner for the right to it, or correct the folder in the settings"
            ) from error
        if isinstance(error, FileNotFoundError):
            raise Paused(f"{said}; is the folder in the settings right? They have to make what is missing") from error
        if isinstance(error, UnicodeDecodeError):
            raise Paused(f"{said}; a file name there is not UTF-8: have it renamed") from error
        if isinstance(error, (OSError, EOFError, paramiko.SSHException, paramiko.SFTPError)):
            raise RetryLater(said) from error


def _said(error: BaseException) -> str:
    silent = "the line was lost" if isinstance(error, EOFError) else "no answer in time"
    known = isinstance(error, (EOFError, TimeoutError))
    return (str(error) or (silent if known else type(error).__name__))[:300]


def _is_refusal(error: Exception) -> bool:
    """Say whether they refused us; a line that broke or a server that was silent is no refusal."""
    return not any(word in str(error).lower() for word in ("timeout", "timed out", "eof", "shut down"))


def _is_regular(entry: Any) -> bool:
    if entry.st_mode is not None:
        return stat.S_ISREG(entry.st_mode)
    return str(getattr(entry, "longname", "-")).startswith("-")


def _file(name: str, entry: Any) -> RemoteFile:
    return RemoteFile(name=name, size=entry.st_size or 0, changed=int(entry.st_mtime or 0))
