"""Outgoing mail: one message to all of its recipients or to none, with a Message-ID made from the delivery's key."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from time import monotonic

from hub.domain.errors import HubError, InDoubt, Paused, Problem, Rejected, RetryLater
from hub.domain.secret import Secret
from hub.kit.guard import Guard, Resolver, left, verifying
from hub.ports import Clock

IMPLICIT_TLS_PORT = 465
DEADLINE = 30.0
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.-]")
ACCEPTED = frozenset({250, 251})


class MailServer:
    """The kit's `Mail`. Each message takes one session; nothing is opened or revealed before the first."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        clock: Clock,
        connection: str = "",
        username: str = "",
        password: Secret | None = None,
        starttls: bool = True,
        networks: Sequence[str] = (),
        resolver: Resolver | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        at_once = port == IMPLICIT_TLS_PORT
        tls = "at once" if at_once else "later" if starttls else "never"
        self._guard = Guard(f"https://{host}:{port}", networks=networks, resolver=resolver, tls=tls)  # type: ignore[arg-type]
        self._starttls = starttls and not at_once
        self._name = f"{connection}: {host}:{port}" if connection else f"{host}:{port}"
        self._clock, self._username, self._password = clock, username, password
        self._deadline = deadline

    def send(self, *, key: str, sender: str, to: Sequence[str], subject: str, text: str, html: str = "") -> str:
        """Hand over one message and return its Message-ID.

        4xx is RetryLater, 5xx Rejected, refused credentials Paused; a line lost once the text was going out InDoubt.
        """
        message, identity = self._message(key, sender, to, subject, text, html)
        data = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
        session = _Session(self._guard, self._deadline)
        try:
            with session:
                self._converse(session, sender, to, data)
        except OSError as error:
            if not session.is_taken:
                raise self._ours(error, session) from error
        return identity

    def _converse(self, session: _Session, sender: str, to: Sequence[str], data: bytes) -> None:
        session.open()
        if self._starttls:
            session.starttls(context=verifying())
        session.ehlo_or_helo_if_needed()
        if self._username and self._password is not None:
            session.login(self._username, self._password.reveal())
        self._hand_over(session, parseaddr(sender)[1], [parseaddr(one)[1] for one in to], data)

    def _hand_over(self, session: _Session, sender: str, to: Sequence[str], data: bytes) -> None:
        self._demand(session.mail(sender), f"the sender {sender}")
        answers = [(one, session.rcpt(one)) for one in to]
        refused = [(one, answer) for one, answer in answers if answer[0] not in ACCEPTED]
        final = [self._refusal(answer, f"the recipient {one}") for one, answer in refused if answer[0] >= 500]
        if final:
            raise Rejected(final)
        for one, answer in refused:
            self._demand(answer, f"the recipient {one}")
        self._demand(session.data(data), "the message")
        session.is_taken = True

    def _demand(self, answer: tuple[int, bytes], what: str) -> None:
        if answer[0] not in ACCEPTED:
            raise self._refused(answer, what)

    def _refused(self, answer: tuple[int, bytes], what: str) -> HubError:
        problem = self._refusal(answer, what)
        return Rejected([problem]) if answer[0] >= 500 else RetryLater(problem.text)

    def _refusal(self, answer: tuple[int, bytes], what: str) -> Problem:
        said = answer[1].decode("utf-8", "replace")[:300]
        return Problem(
            code=f"smtp_{answer[0]}", text=f"{self._name} refused {what}: {answer[0]} {said}; nothing was sent"
        )

    def _ours(self, error: OSError, session: _Session) -> HubError:
        """Return our error for what smtplib (whose errors are OSErrors too) or the socket raised."""
        if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
            return Paused(
                f"{self._name} refused user {self._username} ({error.smtp_code}); check or renew the password"
            )
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return Paused(f"{self._name} does not offer what the settings ask for ({error})")
        if isinstance(error, ssl.SSLCertVerificationError):
            return Paused(f"{self._name}: its certificate is not trusted ({error.verify_message})")
        if isinstance(error, smtplib.SMTPResponseException):
            said = error.smtp_error
            return self._refused((error.smtp_code, said if isinstance(said, bytes) else said.encode()), "the session")
        if session.is_sending:
            return InDoubt(
                f"{self._name} was given the message but did not answer ({error}); look before sending again"
            )
        return RetryLater(f"{self._name} cannot be reached or hung up ({error}); nothing was sent")

    def _message(
        self, key: str, sender: str, to: Sequence[str], subject: str, text: str, html: str
    ) -> tuple[EmailMessage, str]:
        domain = parseaddr(sender)[1].rpartition("@")[2]
        if not to or not all("@" in parseaddr(one)[1] for one in (sender, *to)):
            raise Rejected(f"{self._name}: sender {sender!r} and recipients {list(to)!r} must be mail addresses")
        identity = f"<{_NOT_IN_ID.sub('-', key)}@{domain}>"
        message = EmailMessage()
        try:
            message["Message-ID"], message["Date"] = identity, format_datetime(self._clock.now())
            message["From"], message["To"], message["Subject"] = sender, ", ".join(to), subject
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(text)
            if html:
                message.add_alternative(html, subtype="html")
        except ValueError as error:
            raise Rejected(f"{self._name}: a mail header has a character that it cannot carry ({error})") from error
        return message, identity


class _Session(smtplib.SMTP):
    """One SMTP session on a guarded socket that is cut at the deadline, however slowly they talk."""

    def __init__(self, guard: Guard, deadline: float) -> None:
        super().__init__(local_hostname="localhost", timeout=deadline)
        self._guard, self._ends = guard, monotonic() + deadline
        self._cutter = threading.Timer(deadline, self._cut)
        self._cutter.daemon = True
        self._host = guard.host
        self.is_sending = False
        """The server has asked for the text and has not answered it yet."""
        self.is_taken = False

    def open(self) -> None:
        """Connect and hear the greeting."""
        self._cutter.start()
        code, said = self.connect(self._guard.host, self._guard.port)
        if code != 220:
            self.close()
            raise smtplib.SMTPConnectError(code, said)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = self._guard.connect(self._ends)
        sock.settimeout(left(self._ends))
        return sock

    def getreply(self) -> tuple[int, bytes]:
        """Read a reply; 354 means that the text goes out next."""
        code, said = super().getreply()
        self.is_sending = code == 354
        return code, said

    def close(self) -> None:
        """Close, and call off the cut."""
        self._cutter.cancel()
        super().close()

    def _cut(self) -> None:
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
