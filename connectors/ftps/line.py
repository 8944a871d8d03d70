"""FTP over TLS by the standard library's ftplib: guarded lines, protected data, bytes as they are.

RFC 959 (FTP), RFC 4217 (TLS), RFC 3659 (MLST, MLSD, SIZE, MDTM).
"""

from __future__ import annotations

import contextlib
import ftplib
import socket
import ssl
from collections.abc import Callable, Generator, Iterator
from typing import Any

PIECE = 65_536
GOODBYE_SECONDS = 3.0
LONGEST_LINE = 8_192
Dial = Callable[[str, int], socket.socket]
"""Opens a guarded line to an address and port."""


class Line(ftplib.FTP_TLS):
    """One control line, and a data line at a time.

    Names cross it as the bytes that they are: it speaks Latin-1; `wire` and `unwired` turn UTF-8 into that and back.
    """

    def __init__(
        self, *, dial: Dial, context: ssl.SSLContext, host: str, deadline: float, reuses_session: bool
    ) -> None:
        super().__init__(context=context, timeout=deadline, encoding="latin-1")
        self.host = host
        self._dial, self._reuses_session = dial, reuses_session
        self.data: socket.socket | None = None
        self.prove: Callable[[ssl.SSLSocket], None] = lambda _: None
        """Looks at the certificate of every line that is encrypted."""

    def begin(self, port: int, *, is_implicit: bool) -> None:
        """Connect, turn TLS on and hear the greeting."""
        self.port = port
        self.sock = self._dial(self.host, port)
        self.af = self.sock.family
        if is_implicit:
            self.sock = self.context.wrap_socket(self.sock, server_hostname=self.host)
            self.prove(self.sock)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        if not is_implicit:
            self.auth()
            assert isinstance(self.sock, ssl.SSLSocket)
            self.prove(self.sock)

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Open a protected data line to the host of the control line, whatever address they name."""
        assert isinstance(self.sock, ssl.SSLSocket)
        _, port = self.makepasv()
        self.data = self._dial(str(self.sock.getpeername()[0]), port)
        try:
            answer = self.sendcmd(cmd)
            if answer[0] == "2":
                answer = self.getresp()
            if answer[0] != "1":
                raise ftplib.error_reply(answer)
            session = self.sock.session if self._reuses_session else None
            data = self.context.wrap_socket(self.data, server_hostname=self.host, session=session)
            self.data = data
            if not data.session_reused:
                self.prove(data)
        except BaseException:
            self.hang_up()
            raise
        return data, None

    def fetched(self, command: str) -> Generator[bytes, None, None]:
        """Yield what a command answers on a data line; raises where they do not confirm the end of it."""
        data, _ = self.ntransfercmd(command)
        is_whole = False
        try:
            while piece := data.recv(PIECE):
                yield piece
            is_whole = True
        finally:
            self.hang_up()
            if not is_whole:
                with contextlib.suppress(ftplib.Error, OSError, EOFError):
                    self.voidresp()
        self.voidresp()

    def lines(self, command: str) -> Iterator[str]:
        """Yield the lines that a command answers."""
        rest = b""
        for piece in self.fetched(command):
            *whole, rest = (rest + piece).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise ftplib.error_proto("a line of the list is too long")
            yield from (unwired(each.decode("latin-1").rstrip("\r")) for each in whole)
        if rest:
            yield unwired(rest.decode("latin-1").rstrip("\r"))

    def stored(self, command: str, body: bytes) -> None:
        """Send bytes on a data line; raises where they do not confirm them."""
        data, _ = self.ntransfercmd(command)
        try:
            data.sendall(body)
        except OSError:
            self.hang_up()
            with contextlib.suppress(OSError, EOFError):
                self.voidresp()  # what they refused it for says more than a broken line
            raise
        self.hang_up()
        self.voidresp()

    def hang_up(self) -> None:
        """Close the data line; TLS is ended properly first, since some take a bare end for a cut."""
        data, self.data = self.data, None
        if data is None:
            return
        if isinstance(data, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                data.settimeout(min(GOODBYE_SECONDS, self.timeout or GOODBYE_SECONDS))
                data.unwrap()
        data.close()

    def cut(self) -> None:
        """Close both lines under whoever waits for them. The sockets' own method: TLS must not notice before."""
        for sock in (self.data, self.sock):
            if sock is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def wire(path: str) -> str:
    """Return a path as it is handed to the line."""
    return path.encode("utf-8", "surrogateescape").decode("latin-1")


def unwired(text: str) -> str:
    """Return what a line said; what is not UTF-8 becomes characters that no pattern takes."""
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def code_of(error: Any) -> int:
    """Return the number that an answer begins with, 0 where it has none."""
    digits = str(error)[:3]
    return int(digits) if digits.isdecimal() else 0
