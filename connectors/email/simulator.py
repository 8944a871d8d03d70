"""A mailbox: a mail server in this process that keeps what it is given. For tests and the demo."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

_Controller: Any = Controller


class Mailbox:
    """Keeps mails by Message-ID: one that comes twice is one mail, as careful servers have it."""

    def __init__(self) -> None:
        self.mails: dict[str, EmailMessage] = {}
        self.recipients: dict[str, list[str]] = {}
        self.repeats = 0
        self.refuse: dict[str, str] = {}
        """Recipient -> what is said instead of 250, such as `550 no such box`."""
        self.hangs_up = False
        """Keep the next mails and cut the line before saying so: the sender is in doubt."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """Take a recipient, or refuse it."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep a mail."""
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        identity = str(mail["Message-ID"])
        self.repeats += identity in self.mails
        self.mails[identity], self.recipients[identity] = mail, list(envelope.rcpt_tos)
        if self.hangs_up:
            server.transport.abort()
        return "250 taken"


class _OnFreePort(_Controller):  # type: ignore[misc]
    """Listens on a free port, and looks there for itself."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """Run a mailbox on 127.0.0.1; yield it and its port."""
    box = Mailbox()
    controller = _OnFreePort(box, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()
