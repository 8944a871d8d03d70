"""The demo's mail server: a receiver of its own (RFC 5321, as much as smtplib asks for) that keeps mails as files."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from pathlib import Path
from uuid import uuid4

MOST_BYTES = 1_000_000
"""A mail may be so long; a longer one is refused with 552."""
MOST_RECIPIENTS = 100
MOST_SESSIONS = 32
MOST_COMMANDS = 1000
LONGEST_LINE = 2000
"""Twice of what the standard allows a line of text to have, its end included."""
SILENCE = 30.0
"""Seconds after which a session that says nothing is ended."""
_FROM = re.compile(rb"FROM: ?<([^<>\s]*)>( .*)?", re.IGNORECASE)
_TO = re.compile(rb"TO: ?<([^<>\s]+)>( .*)?", re.IGNORECASE)
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9@.-]")


class MailDrop:
    """Keeps each mail as `<Message-ID>.eml` in a folder: a mail that comes twice is one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def serve(self) -> Iterator[int]:
        """Listen on 127.0.0.1 and a free port; yield the port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with _Server(self.keep) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True, name="demo-mail")
            thread.start()
            try:
                yield server.server_address[1]
            finally:
                server.shutdown()
                thread.join(5)

    def keep(self, text: bytes) -> None:
        """Store one mail, whole or not at all."""
        identity = str(BytesHeaderParser().parsebytes(text).get("Message-ID", "")).strip(" <>.")
        name = _NOT_IN_NAME.sub("-", identity)[:150] or str(uuid4())
        beside = self.folder / f".{uuid4()}"
        beside.write_bytes(text)
        beside.replace(self.folder / f"{name}.eml")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, keep: Callable[[bytes], None]) -> None:
        self.keep, self.places = keep, threading.BoundedSemaphore(MOST_SESSIONS)
        super().__init__(("127.0.0.1", 0), _Session)


class _Session(socketserver.StreamRequestHandler):
    """One session: commands in their order, one mail after the other."""

    server: _Server
    timeout = SILENCE

    def setup(self) -> None:
        """Begin without a mail."""
        super().setup()
        self.sender: bytes | None = None
        self.recipients: list[bytes] = []

    def handle(self) -> None:
        """Talk until they quit, say nothing, or say too much."""
        if not self.server.places.acquire(blocking=False):
            self._say(421, "too many sessions, come back later")
            return
        try:
            self._talk()
        except OSError:
            return  # They hung up, or were silent for too long: nothing was promised.
        finally:
            self.server.places.release()

    def _talk(self) -> None:
        self._say(220, "demo.example ready")
        for _ in range(MOST_COMMANDS):
            line = self.rfile.readline(LONGEST_LINE + 1)
            if not line.endswith(b"\n"):
                if line:
                    self._say(500, "line too long")
                return
            verb, _, rest = line.strip().partition(b" ")
            answer = getattr(self, f"_on_{verb.decode('ascii', 'replace').lower()}", None)
            if answer is None:
                self._say(502, "command not implemented")
            elif answer(rest) is False:
                return
        self._say(421, "too many commands")

    def _on_ehlo(self, _: bytes) -> None:
        self._forget()
        self.wfile.write(f"250-demo.example\r\n250-SIZE {MOST_BYTES}\r\n250 8BITMIME\r\n".encode())

    def _on_helo(self, _: bytes) -> None:
        self._forget()
        self._say(250, "demo.example")

    def _on_mail(self, rest: bytes) -> None:
        if (found := _FROM.fullmatch(rest)) is None:
            self._say(501, "MAIL FROM:<address>")
        elif self.sender is not None:
            self._say(503, "one mail at a time")
        else:
            self.sender = found[1]
            self._say(250, "ok")

    def _on_rcpt(self, rest: bytes) -> None:
        if (found := _TO.fullmatch(rest)) is None:
            self._say(501, "RCPT TO:<address>")
        elif self.sender is None:
            self._say(503, "MAIL first")
        elif len(self.recipients) >= MOST_RECIPIENTS:
            self._say(452, "too many recipients")
        else:
            self.recipients.append(found[1])
            self._say(250, "ok")

    def _on_data(self, _: bytes) -> bool:
        if not self.recipients:
            self._say(503, "RCPT first")
            return True
        self._say(354, "end with a line of one dot")
        text = self._text()
        if text is None:
            return False
        self._forget()
        if len(text) > MOST_BYTES:
            self._say(552, f"more than {MOST_BYTES} bytes")
            return True
        try:
            self.server.keep(text)
        except OSError as error:
            self._say(451, f"cannot be kept now: {error.strerror}")
        else:
            self._say(250, "kept")
        return True

    def _text(self) -> bytes | None:
        """Read up to the line of one dot; past the cap nothing is kept. None where the session ends before it."""
        text, at_start = bytearray(), True
        while line := self.rfile.readline(LONGEST_LINE):
            if at_start and line == b".\r\n":
                return bytes(text)
            if len(text) <= MOST_BYTES:
                text += line[1:] if at_start and line.startswith(b".") else line
            at_start = line.endswith(b"\r\n")
        return None

    def _on_rset(self, _: bytes) -> None:
        self._forget()
        self._say(250, "ok")

    def _on_noop(self, _: bytes) -> None:
        self._say(250, "ok")

    def _on_quit(self, _: bytes) -> bool:
        self._say(221, "goodbye")
        return False

    def _forget(self) -> None:
        self.sender, self.recipients = None, []

    def _say(self, code: int, text: str) -> None:
        self.wfile.write(f"{code} {text}\r\n".encode())
