"""A partner's FTPS server in this process, for tests and sandbox mode. The connector never imports it.

Speaks what RFC 959, 3659 and 4217 ask for, in passive mode; a rename replaces what has the name, as most servers do.
"""

from __future__ import annotations

import os
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

PIECE = 65_536


class Refused(Exception):
    """An answer that refuses."""


@dataclass(kw_only=True)
class Partner:
    """Their server: folders below `root`, one account, TLS by `certificate` and `key` (files)."""

    root: Path
    certificate: Path
    key: Path
    user: str = "northwind"
    password: str = "correct horse"
    is_implicit: bool = False
    demands_session: bool = False
    """Data lines must take up the TLS session of the control line."""
    passive_host: str = "127,0,0,1"
    """The address that PASV names; a partner behind a wall names one that cannot be reached."""
    knows_lists: bool = True
    """False: an old server without MLST and MLSD."""
    full_after: int | None = None
    """A file may have so many bytes; then the disk is full."""
    read_only: bool = False
    is_deaf: bool = False
    """Nothing is answered any more."""
    heard: list[str] = field(default_factory=list)
    """Every command, the password left out."""


@contextmanager
def serve(partner: Partner) -> Iterator[int]:
    """Serve on 127.0.0.1; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(partner.certificate, partner.key)
    listener = socket.create_server(("127.0.0.1", 0))
    lines: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            lines.append(line)
            threading.Thread(target=_Session(partner, context, line).run, daemon=True, name="ftps-partner").start()

    threading.Thread(target=accept, daemon=True, name="ftps-partner").start()
    try:
        yield listener.getsockname()[1]
    finally:
        for each in (listener, *lines):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


class _Session:
    """One control line."""

    def __init__(self, partner: Partner, context: ssl.SSLContext, line: socket.socket) -> None:
        self.partner, self.context, self.line = partner, context, line
        self.user, self.cwd, self.renamed = "", "/", ""
        self.is_in = self.is_protected = False
        self.passive: socket.socket | None = None

    def run(self) -> None:
        """Answer until they sign off."""
        with suppress(OSError, ValueError), self.line:
            if self.partner.is_implicit:
                self._encrypt()
            self._say("220 ready")
            buffer = b""
            while piece := self.line.recv(4096):
                *commands, buffer = (buffer + piece).split(b"\r\n")
                for command in commands:
                    self._answer(command.decode("utf-8", "surrogateescape"))
        if self.passive is not None:
            self.passive.close()
        self.line.close()

    def _encrypt(self) -> None:
        self.line = self.context.wrap_socket(self.line, server_side=True)

    def _say(self, text: str) -> None:
        if not self.partner.is_deaf:
            self.line.sendall(f"{text}\r\n".encode("utf-8", "surrogateescape"))

    def _answer(self, command: str) -> None:
        verb, _, rest = command.partition(" ")
        verb = verb.upper()
        self.partner.heard.append(verb if verb == "PASS" else command)
        act: Callable[[str], str] | None = getattr(self, f"_{verb.lower()}", None)
        try:
            if act is None or (verb.startswith("ML") and not self.partner.knows_lists):
                raise Refused("502 not known here")
            if verb in ("USER", "PASS") and not isinstance(self.line, ssl.SSLSocket):
                raise Refused("550 TLS first")
            if not self.is_in and verb not in ("AUTH", "USER", "PASS", "QUIT", "PBSZ", "PROT", "FEAT"):
                raise Refused("530 sign in first")
            self._say(act(rest))
        except Refused as error:
            self._say(str(error))
        except FileNotFoundError:
            self._say("550 No such file or directory.")
        except OSError as error:
            self._say(f"550 {error.strerror}.")
        if verb == "AUTH":
            self._encrypt()

    def _place(self, path: str, *, changes: bool = False) -> str:
        if changes and self.partner.read_only:
            raise Refused("550 Permission denied.")
        return f"{self.partner.root}{os.path.normpath(os.path.join(self.cwd, path)) if path else self.cwd}"

    def _auth(self, kind: str) -> str:
        return "234 go on"

    def _user(self, name: str) -> str:
        self.user = name
        return "331 and the password"

    def _pass(self, password: str) -> str:
        if (self.user, password) != (self.partner.user, self.partner.password):
            raise Refused("530 Login incorrect.")
        self.is_in = True
        return "230 welcome"

    def _pbsz(self, size: str) -> str:
        return "200 done"

    def _prot(self, level: str) -> str:
        self.is_protected = level == "P"
        return "200 done"

    def _type(self, kind: str) -> str:
        return "200 done"

    def _feat(self, nothing: str) -> str:
        lists = " MLST type*;size*;modify*;\r\n" if self.partner.knows_lists else ""
        return f"211-Features:\r\n{lists} SIZE\r\n MDTM\r\n UTF8\r\n211 End"

    def _opts(self, what: str) -> str:
        return "200 done"

    def _pwd(self, nothing: str) -> str:
        return f'257 "{self.cwd}" is here'

    def _cwd(self, path: str) -> str:
        if not os.path.isdir(self._place(path)):
            raise Refused("550 No such directory.")
        self.cwd = os.path.normpath(os.path.join(self.cwd, path))
        return "250 done"

    def _pasv(self, nothing: str) -> str:
        if self.passive is not None:
            self.passive.close()
        self.passive = socket.create_server(("127.0.0.1", 0))
        high, low = divmod(self.passive.getsockname()[1], 256)
        return f"227 Entering Passive Mode ({self.partner.passive_host},{high},{low})"

    def _data(self) -> ssl.SSLSocket:
        if not self.is_protected or self.passive is None:
            raise Refused("521 data must be protected, in passive mode")
        listener, self.passive = self.passive, None
        self._say("150 here it comes")
        with listener:
            listener.settimeout(10)
            raw, _ = listener.accept()
        data = self.context.wrap_socket(raw, server_side=True)
        if self.partner.demands_session and not data.session_reused:
            data.close()
            raise Refused("522 the session must be taken up")
        return data

    def _give(self, body: bytes) -> str:
        with self._data() as data:
            data.sendall(body)
            with suppress(OSError):
                data.unwrap()
        return "226 done"

    def _mlsd(self, path: str) -> str:
        place = self._place(path)
        rows = [f"{_facts(f'{place}/{name}')} {name}\r\n" for name in sorted(os.listdir(place))]
        return self._give("".join(rows).encode("utf-8", "surrogateescape"))

    def _nlst(self, path: str) -> str:
        return self._give("".join(f"{name}\r\n" for name in sorted(os.listdir(self._place(path)))).encode())

    def _mlst(self, path: str) -> str:
        return f"250-Listing\r\n {_facts(self._place(path))} {path}\r\n250 End"

    def _size(self, path: str) -> str:
        return f"213 {_regular(self._place(path)).st_size}"

    def _mdtm(self, path: str) -> str:
        return f"213 {_stamp(_regular(self._place(path)))}"

    def _retr(self, path: str) -> str:
        return self._give(Path(self._place(path)).read_bytes())

    def _stor(self, path: str) -> str:
        place = self._place(path, changes=True)
        written = 0
        with open(place, "wb") as file, self._data() as data:
            while piece := data.recv(PIECE):
                written += len(piece)
                if self.partner.full_after is not None and written > self.partner.full_after:
                    raise Refused("452 Insufficient storage space.")
                file.write(piece)
            with suppress(OSError):
                data.unwrap()
        return "226 done"

    def _rnfr(self, path: str) -> str:
        os.lstat(self._place(path))
        self.renamed = self._place(path, changes=True)
        return "350 and its new name"

    def _rnto(self, path: str) -> str:
        os.replace(self.renamed, self._place(path, changes=True))
        return "250 done"

    def _dele(self, path: str) -> str:
        os.remove(self._place(path, changes=True))
        return "250 done"

    def _mkd(self, path: str) -> str:
        os.mkdir(self._place(path, changes=True))
        return f'257 "{path}" made'

    def _quit(self, nothing: str) -> str:
        return "221 goodbye"


def _regular(place: str) -> os.stat_result:
    found = os.lstat(place)
    if not stat.S_ISREG(found.st_mode):
        raise Refused("550 not a file")
    return found


def _stamp(found: os.stat_result) -> str:
    return datetime.fromtimestamp(found.st_mtime, UTC).strftime("%Y%m%d%H%M%S")


def _facts(place: str) -> str:
    found = os.lstat(place)
    kind = "file" if stat.S_ISREG(found.st_mode) else "dir" if stat.S_ISDIR(found.st_mode) else "OS.unix=slink"
    return f"type={kind};size={found.st_size};modify={_stamp(found)};"
