"""The demo's mail server against the standard library's client, and against one that misbehaves."""

from __future__ import annotations

import email
import email.policy
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from hub.cli.demoing import mail
from hub.cli.demoing.mail import MailDrop

PROBE = """
import sys
sys.modules["aiosmtpd"] = None
import hub.cli.demoing.partners
"""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with MailDrop(tmp_path / "mail").serve() as port:
        yield port


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "mail"


def letter(text: str = "Good day", identity: str = "<d-1@shop.example>") -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"], message["From"], message["To"] = identity, "a@shop.example", "b@customer.example"
    message["Subject"] = "Your order"
    message.set_content(text)
    return message


def read(file: Path) -> EmailMessage:
    found = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def talk(port: int, *lines: bytes) -> list[bytes]:
    """Say lines as they are; return all that is answered until the server hangs up or QUIT."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(b"".join(lines))
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as file:
            return [line.rstrip(b"\r\n") for line in file]


def codes(port: int, *lines: bytes) -> list[int]:
    return [int(line[:3]) for line in talk(port, *lines) if line[3:4] == b" "]


def test_a_mail_is_one_file_that_reads_as_it_was_written(port: int, kept: Path) -> None:
    text = "Guten Tag,\n.\n..zwei Punkte\nGrüße\n"
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(letter(text))

    [file] = kept.iterdir()
    assert file.name == "d-1@shop.example.eml"
    assert read(file).get_content() == text.replace("\n", "\r\n")


def test_one_session_takes_many_mails_and_a_repeat_is_no_second_file(port: int, kept: Path) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        for identity in ("<d-1@shop.example>", "<d-2@shop.example>", "<d-1@shop.example>"):
            client.send_message(letter(identity=identity))
        assert client.noop()[0] == client.rset()[0] == 250

    assert sorted(file.name for file in kept.iterdir()) == ["d-1@shop.example.eml", "d-2@shop.example.eml"]


@pytest.mark.parametrize("identity", ["../../up", "/etc/x", ".hidden", "a" * 500, ""])
def test_whatever_the_id_is_the_file_stays_in_its_folder(port: int, kept: Path, tmp_path: Path, identity: str) -> None:
    message = f"Message-ID: <{identity}>\r\n\r\nx".encode()
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("a@shop.example", ["b@customer.example"], message)

    assert [file.suffix for file in kept.iterdir()] == [".eml"]
    assert [file.name for file in tmp_path.iterdir()] == ["mail"]


def test_commands_in_the_wrong_order_are_refused(port: int, kept: Path) -> None:
    said = codes(
        port, b"EHLO x\r\n", b"DATA\r\n", b"RCPT TO:<b@c.example>\r\n", b"MAIL FROM:<a@b.example> SIZE=9\r\n",
        b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:nobody\r\n", b"RCPT TO:<b@c.example>\r\n", b"RSET\r\n",
        b"DATA\r\n", b"TURN\r\n", b"QUIT\r\n",
    )  # fmt: skip

    assert said == [220, 250, 503, 503, 250, 503, 501, 250, 250, 503, 502, 221]
    assert list(kept.iterdir()) == []


BEGUN = (b"HELO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<b@c.example>\r\n", b"DATA\r\n")


def test_only_a_line_of_its_own_ends_a_mail(port: int, kept: Path) -> None:
    smuggled = b"one\n.\r\nMAIL FROM:<x@y.example>\r\n" + b"z" * (mail.LONGEST_LINE + 1) + b".\r\nend\r\n.\r\n"

    assert codes(port, *BEGUN, smuggled, b"QUIT\r\n") == [220, 250, 250, 250, 354, 250, 221]
    [file] = kept.iterdir()
    assert file.read_bytes() == smuggled.removesuffix(b".\r\n")


def test_a_mail_that_is_too_long_is_not_kept_and_the_session_goes_on(port: int, kept: Path) -> None:
    long = (b"x" * 998 + b"\r\n") * (mail.MOST_BYTES // 1000 + 1)

    assert codes(port, *BEGUN, long, b".\r\n", b"NOOP\r\n", b"QUIT\r\n")[-3:] == [552, 250, 221]
    assert list(kept.iterdir()) == []


def test_too_many_recipients_are_refused_one_by_one(port: int) -> None:
    more = [b"RCPT TO:<b@c.example>\r\n"] * mail.MOST_RECIPIENTS

    assert codes(port, *BEGUN[:3], *more, b"QUIT\r\n")[-3:] == [250, 452, 221]


def test_a_line_without_end_and_a_half_mail_end_the_session(port: int, kept: Path) -> None:
    assert codes(port, b"EHLO " + b"x" * 2 * mail.LONGEST_LINE) == [220, 500]
    assert codes(port, *BEGUN, b"half a mail") == [220, 250, 250, 250, 354]
    assert list(kept.iterdir()) == []


def test_more_sessions_than_places_are_told_to_come_back(port: int) -> None:
    open_ = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(mail.MOST_SESSIONS)]
    try:
        assert {sock.recv(4) for sock in open_} == {b"220 "}
        assert talk(port)[0].startswith(b"421")
    finally:
        for sock in open_:
            sock.close()


def test_the_demo_needs_no_mail_server_from_the_tests() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
