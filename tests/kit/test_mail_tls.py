"""Mail over STARTTLS, against a real mail server in this process."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from hub.domain.errors import Paused
from hub.kit.mail import MailServer
from hub.testing.fakes import LOOPBACK, FakeClock


class Box:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append((session.ssl is not None, envelope.mail_from, envelope.rcpt_tos))
        return "250 taken"


_Controller: Any = Controller


class OnFreePort(_Controller):  # type: ignore[misc]
    """Listens on a free port, and looks there for itself."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def server(certificate: Callable[[str], tuple[Path, Path]]) -> Iterator[tuple[Box, int, Path]]:
    cert, key = certificate("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    box = Box()
    controller = OnFreePort(box, hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True)
    controller.start()
    yield box, controller.port, cert
    controller.stop()


def send(port: int) -> str:
    mail = MailServer("127.0.0.1", port, clock=FakeClock(), networks=LOOPBACK, deadline=5)
    return mail.send(key="d1", sender="hub@shop.example", to=["ann@supplier.example"], subject="Order", text="Two.")


def test_a_message_goes_out_encrypted(server: tuple[Box, int, Path], trust: Callable[[Path], None]) -> None:
    box, port, cert = server
    trust(cert)
    assert send(port) == "<d1@shop.example>"
    assert box.taken == [(True, "hub@shop.example", ["ann@supplier.example"])]


def test_a_mail_server_that_nobody_vouches_for_pauses_the_connection(server: tuple[Box, int, Path]) -> None:
    box, port, _ = server
    with pytest.raises(Paused, match="not trusted"):
        send(port)
    assert box.taken == []
