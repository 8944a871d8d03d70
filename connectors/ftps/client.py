"""One FTPS session: signed in over TLS, data protected, every answer one of our errors."""

from __future__ import annotations

import contextlib
import ftplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from connectors.ftps.line import Line, code_of, unwired, wire
from connectors.ftps.trust import context_for, is_pinned, shown
from hub.sdk import HubError, Kit, Paused, RemoteFile, RetryLater, Secret, TooLarge

FULL = frozenset({422, 452, 552})
NO_SUCH = 550
_DENIED = ("denied", "permission", "permitted", "not allowed", "forbidden", "read-only", "read only", "privilege")


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who we are there, and who they must prove to be."""

    user: str
    password: Secret | None
    is_implicit: bool
    authorities: tuple[str, ...]
    fingerprints: tuple[str, ...]
    reuses_session: bool
    highest_tls: Literal["1.2", "1.3"]
    deadline: float


class FtpsFiles:
    """The kit's `Files` over FTP."""

    def __init__(self, host: str, port: int, account: Account, kit: Kit) -> None:
        self._host, self._port, self._account, self._kit = host, port, account, kit
        self._name = f"{kit.connection}: {host}:{port}"
        self._line: Line | None = None
        self._features = ""
        self._home = ""
        self._made: set[str] = set()

    def open(self) -> None:
        """Connect, turn TLS on, prove the server, then sign in: nothing is said of us before."""
        account = self._account
        if account.password is None:
            raise Paused(f"{self._name}: there is no password to sign in with; enter one")
        line = self._line = Line(
            dial=lambda host, port: self._kit.endpoint(host, port).connect(account.deadline),
            context=context_for(account.authorities, account.fingerprints, account.highest_tls, self._kit),
            host=self._host,
            deadline=account.deadline,
            reuses_session=account.reuses_session,
        )
        line.prove = self._prove
        with self._ours("no TLS session"):
            line.begin(self._port, is_implicit=account.is_implicit)
        self._sign_in(line, account.password)
        with self._ours("data lines cannot be protected"):
            line.prot_p()
            self._home = line.pwd()
            line.voidcmd("TYPE I")
            self._features = self._learned(line).upper()
            if "UTF8" in self._features:
                with contextlib.suppress(ftplib.error_perm):
                    line.sendcmd("OPTS UTF8 ON")

    def entries(self, folder: str) -> Iterator[RemoteFile]:
        """Yield the regular files of a folder."""
        with self._ours(f"{folder or '.'} cannot be listed"):
            if "MLS" in self._features:
                for text in self._open.lines(f"MLSD {wire(folder)}".rstrip()):
                    facts, _, name = text.partition(" ")
                    if (found := _file(name, facts)) is not None:
                        yield found
            else:
                yield from self._by_names(folder)

    def look(self, path: str) -> RemoteFile | None:
        """Return what a file is; a folder or a link is none."""
        with self._ours(f"{path} cannot be looked at"):
            try:
                return self._looked(path)
            except ftplib.error_perm as error:
                if code_of(error) == NO_SUCH and not _is_denied(error):
                    return None
                raise

    def read(self, path: str, *, cap: int) -> bytes:
        """Return a file's bytes."""
        parts: list[bytes] = []
        got = 0
        with self._ours(f"{path} cannot be read"), contextlib.closing(self._open.fetched(f"RETR {wire(path)}")) as data:
            for piece in data:
                got += len(piece)
                if got > cap:
                    raise TooLarge(f"{path} has more than {cap} bytes")
                parts.append(piece)
        return b"".join(parts)

    def write(self, path: str, body: bytes) -> None:
        """Write a file; it is done when they have confirmed it."""
        with self._ours(f"{path} cannot be written"):
            self._open.stored(f"STOR {wire(path)}", body)

    def rename(self, path: str, to: str) -> None:
        """Move a file. Servers replace what has the name, so whoever calls has looked."""
        with self._ours(f"{path} cannot be renamed to {to}"):
            self._open.rename(wire(path), wire(to))

    def remove(self, path: str) -> None:
        """Delete a file; one that is gone is deleted."""
        with self._ours(f"{path} cannot be deleted"):
            try:
                self._open.delete(wire(path))
            except ftplib.error_perm:
                if self.look(path) is not None:
                    raise

    def make(self, folder: str) -> None:
        """Make a folder where it is missing."""
        if folder in self._made:
            return
        with self._ours(f"{folder} cannot be made"):
            try:
                self._open.mkd(wire(folder))
            except ftplib.error_perm as refused:
                try:
                    self._open.cwd(wire(folder))
                except ftplib.error_perm:
                    raise refused from None
                self._open.cwd(self._home)
        self._made.add(folder)

    def cut(self) -> None:
        """Close the lines under whoever waits for them."""
        if self._line is not None:
            self._line.cut()

    def close(self) -> None:
        """Sign off, where the line still stands."""
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(ftplib.Error, OSError, EOFError, ValueError, AttributeError):
                line.quit()
            line.hang_up()
            line.close()

    @property
    def _open(self) -> Line:
        assert self._line is not None, "the session is not open"
        return self._line

    def _sign_in(self, line: Line, password: Secret) -> None:
        with self._ours(f"user {self._account.user} cannot sign in"):
            try:
                line.login(wire(self._account.user), wire(password.reveal()), secure=False)
            except ftplib.error_perm as error:
                said = unwired(str(error)).replace(password.reveal(), "***")
                text = f"{self._name} refused user {self._account.user} ({said[:200]}); check or renew the password"
                raise Paused(text) from None

    def _prove(self, sock: ssl.SSLSocket) -> None:
        pinned = self._account.fingerprints
        if pinned and not is_pinned(sock, pinned):
            raise Paused(
                f"{self._name} shows the certificate {shown(sock)} (SHA-256), which is not in fingerprints; nothing "
                "was sent. It may be somebody else: ask the partner by another way whether they changed it"
            )

    def _learned(self, line: Line) -> str:
        try:
            return line.sendcmd("FEAT")
        except ftplib.error_perm:
            return ""

    def _looked(self, path: str) -> RemoteFile | None:
        name = path.rpartition("/")[2]
        if "MLS" in self._features:
            answer = self._open.sendcmd(f"MLST {wire(path)}").splitlines()
            facts = next((each.strip() for each in answer[1:-1] if "=" in each), "")
            return _file(name, facts.partition(" ")[0])
        size = self._open.size(wire(path))
        stamp = self._open.sendcmd(f"MDTM {wire(path)}").partition(" ")[2]
        return RemoteFile(name=name, size=size or 0, changed=_instant(stamp))

    def _by_names(self, folder: str) -> Iterator[RemoteFile]:
        """Ask for each name: their server cannot say more in a list."""
        for name in [each.rpartition("/")[2] for each in self._open.lines(f"NLST {wire(folder)}".rstrip())]:
            found = self.look(f"{folder}/{name}" if folder else name) if name else None
            if found is not None:
                yield found

    def _ours(self, what: str) -> _Ours:
        return _Ours(f"{self._name}: {what}")


class _Ours:
    """Turns what ftplib and the lines raise into our error, by what recovers from it."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, (HubError, GeneratorExit)):
            return
        said = f"{self._what} ({_said(error)})"
        if isinstance(error, ssl.SSLCertVerificationError):
            raise Paused(
                f"{self._what}: its certificate is not trusted ({error.verify_message}); name its authority or pin it"
            ) from error
        if isinstance(error, ftplib.error_perm) and code_of(error) not in FULL:
            raise Paused(
                f"{said}; ask the partner for the right to it, or correct the folder in the settings"
            ) from error
        if isinstance(error, (ftplib.Error, OSError, EOFError, ValueError)):
            raise RetryLater(said) from error


def _said(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, ftplib.Error):
        text = unwired(text).encode("utf-8", "replace").decode()
    return (text or ("the line was lost" if isinstance(error, EOFError) else type(error).__name__))[:300]


def _is_denied(error: Exception) -> bool:
    return any(word in str(error).lower() for word in _DENIED)


def _file(name: str, facts: str) -> RemoteFile | None:
    """Return the file that MLSD or MLST describes; None for what is not a regular file (RFC 3659, 7.5)."""
    known = {key.lower(): value for key, _, value in (each.partition("=") for each in facts.split(";")) if key}
    if known.get("type", "").lower() != "file":
        return None
    size = known.get("size", "0")
    return RemoteFile(name=name, size=int(size) if size.isdecimal() else 0, changed=_instant(known.get("modify", "")))


def _instant(stamp: str) -> int:
    """Return seconds since 1970 of a time-val, which is UTC (RFC 3659, 2.3); 0 where there is none."""
    try:
        return int(datetime.strptime(stamp[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
