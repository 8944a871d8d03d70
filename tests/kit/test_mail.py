"""Mail against a scripted server on the loopback interface."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest

from hub.domain.errors import InDoubt, Paused, Rejected, RetryLater
from hub.domain.secret import Secret
from hub.kit.mail import MailServer
from hub.testing.fakes import LOOPBACK, FakeClock

MESSAGE: dict[str, Any] = {
    "key": "01JD-delivery/7",
    "sender": "Hub <hub@shop.example>",
    "to": ["ann@supplier.example"],
    "subject": "Order ä 7",
    "text": "Two boxes.\n.\nThanks",
}


class Server:
    """An SMTP server that answers each command by its first word; None hangs up, '' says nothing."""

    def __init__(self, answers: Mapping[str, str | None]) -> None:
        self._answers: dict[str, str | None] = {
            "": "220 ready", "EHLO": "250-here\r\n250 AUTH PLAIN", "MAIL": "250 ok", "RCPT": "250 ok",
            "DATA": "354 go on", ".": "250 taken", "QUIT": "221 bye", "RSET": "250 ok", "AUTH": "235 ok", **answers,
        }  # fmt: skip
        self.heard: list[str] = []
        self.text = ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._thread.join(5)
        self._listener.close()

    def _run(self) -> None:
        sock, _ = self._listener.accept()
        with sock, sock.makefile("rb") as lines:
            try:
                self._talk(sock, lines)
            except OSError:
                return

    def _talk(self, sock: socket.socket, lines: Any) -> None:
        if not self._say(sock, ""):
            return
        while line := lines.readline().decode().rstrip("\r\n"):
            self.heard.append(line)
            word = line.split()[0].upper()
            if not self._say(sock, line if line in self._answers else word):
                return
            if word == "DATA" and (self._answers["DATA"] or "").startswith("354"):
                while (part := lines.readline().decode()) not in (".\r\n", ""):
                    self.text += part
                if not self._say(sock, "."):
                    return

    def _say(self, sock: socket.socket, word: str) -> bool:
        answer = self._answers.get(word, "502 what")
        if answer is None:
            return False
        if answer:
            sock.sendall(f"{answer}\r\n".encode())
        return True


@contextmanager
def server(answers: Mapping[str, str | None] | None = None) -> Iterator[Server]:
    running = Server(answers or {})
    try:
        yield running
    finally:
        running.stop()


def mail(running: Server, **settings: Any) -> MailServer:
    settings = {"starttls": False, "networks": LOOPBACK, "deadline": 3.0, **settings}
    return MailServer("127.0.0.1", running.port, clock=FakeClock(), connection="acme", **settings)


def test_a_message_goes_out_with_an_id_made_from_its_key() -> None:
    with server() as running:
        identity = mail(running, username="ann", password=Secret("pw")).send(**MESSAGE, html="<p>Two boxes.</p>")

    assert identity == "<01JD-delivery-7@shop.example>"
    assert [line.split()[0].upper() for line in running.heard] == ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    assert "Message-ID: <01JD-delivery-7@shop.example>" in running.text
    assert "Date: Mon, 05 Jan 2026 09:00:00 +0000" in running.text
    assert "\r\n..\r\n" in running.text
    assert "<p>Two boxes.</p>" in running.text


@pytest.mark.parametrize("word", ["", "MAIL", "RCPT", "DATA", "."])
def test_a_4xx_is_tried_later(word: str) -> None:
    with server({word: "451 later please"}) as running, pytest.raises(RetryLater):
        mail(running).send(**MESSAGE)


@pytest.mark.parametrize("word", ["", "MAIL", "RCPT", "DATA", "."])
def test_a_5xx_is_rejected_with_their_words(word: str) -> None:
    with server({word: "550 no such box"}) as running, pytest.raises(Rejected, match="550 no such box"):
        mail(running).send(**MESSAGE)


def test_one_refused_recipient_means_that_nobody_gets_it() -> None:
    bad = "rcpt TO:<bob@supplier.example>"
    with server({bad: "550 unknown bob"}) as running, pytest.raises(Rejected, match=r"recipient bob@supplier\.example"):
        mail(running).send(**{**MESSAGE, "to": ["ann@supplier.example", "bob@supplier.example"]})
    assert running.text == ""


@pytest.mark.parametrize("word", ["", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_line_lost_before_the_text_is_tried_later(word: str) -> None:
    with server({word: None}) as running, pytest.raises(RetryLater, match="nothing was sent"):
        mail(running).send(**MESSAGE)


def test_a_line_lost_after_the_text_is_in_doubt() -> None:
    with server({".": None}) as running, pytest.raises(InDoubt):
        mail(running).send(**MESSAGE)


def test_silence_after_the_text_is_in_doubt_at_the_deadline() -> None:
    began = monotonic()
    with server({".": ""}) as running, pytest.raises(InDoubt):
        mail(running, deadline=0.3).send(**MESSAGE)
    assert monotonic() - began < 2


def test_a_line_lost_at_goodbye_does_no_harm() -> None:
    with server({"QUIT": None}) as running:
        assert mail(running).send(**MESSAGE) == "<01JD-delivery-7@shop.example>"
    with server({"QUIT": "451 busy"}) as running:
        assert mail(running).send(**MESSAGE) == "<01JD-delivery-7@shop.example>"


def test_a_refused_password_pauses_the_connection() -> None:
    with server({"AUTH": "535 wrong"}) as running, pytest.raises(Paused, match="renew the password") as caught:
        mail(running, username="ann", password=Secret("s3cret-pw")).send(**MESSAGE)
    assert "s3cret" not in str(caught.value)


def test_a_server_without_tls_pauses_the_connection_that_asks_for_it() -> None:
    with server() as running, pytest.raises(Paused, match="STARTTLS"):
        mail(running, starttls=True).send(**MESSAGE)
    assert running.text == ""


@pytest.mark.parametrize(
    "wrong", [{"to": []}, {"to": ["nobody"]}, {"sender": "hub"}, {"subject": "a\r\nBcc: eve@evil.example"}]
)
def test_a_message_that_cannot_be_meant_is_rejected_unsent(wrong: dict[str, Any]) -> None:
    server_that_is_never_called = MailServer("127.0.0.1", 1, clock=FakeClock(), networks=LOOPBACK)
    with pytest.raises(Rejected):
        server_that_is_never_called.send(**{**MESSAGE, **wrong})


def test_a_private_address_is_refused() -> None:
    with pytest.raises(Rejected, match="not permitted"):
        MailServer("10.0.0.5", 587, clock=FakeClock()).send(**MESSAGE)


def test_nothing_listening_is_tried_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(RetryLater):
        MailServer("127.0.0.1", port, clock=FakeClock(), networks=LOOPBACK, starttls=False).send(**MESSAGE)
