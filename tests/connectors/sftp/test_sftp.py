"""What is SFTP's own: who the server is, who we are, and what goes wrong on its disk."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path
from typing import Any

import paramiko  # type: ignore[import-untyped]
import pytest

from connectors.sftp.simulator import Partner, serve
from hub.sdk import Paused, RetryLater, Secret
from tests.connectors.cutter import cutter
from tests.connectors.file_exchange import There, looked, out

from .conftest import keygen, opening, running_sshd


def written(key: Any) -> Secret:
    """A key as a secret holds it."""
    text = io.StringIO()
    key.write_private_key(text)
    return Secret(text.getvalue())


def test_a_host_key_that_changed_stops_everything_before_anything_is_sent(
    partner: Partner, simulated: There, tmp_path: Path
) -> None:
    pinned = partner.fingerprint
    other = Partner(root=tmp_path / "impostor")
    with serve(other) as port, cutter(port) as line:
        account = simulated.old(port=line.port, host_keys=(pinned,))
        for act in (account.check, lambda: account.push(out()), lambda: looked(account)):
            with pytest.raises(Paused, match=r"which is not in host_keys; nothing was sent.*by another way") as caught:
                act()
            assert other.fingerprint in str(caught.value)
    assert other.sessions == 0
    assert list((tmp_path / "theirs/out").iterdir()) == []


def test_the_old_and_the_new_host_key_may_be_pinned_side_by_side(partner: Partner, simulated: There) -> None:
    new = paramiko.ECDSAKey.generate()

    simulated.old(host_keys=(f"SHA256:{'A' * 43}", partner.fingerprint)).check()
    simulated.old(host_keys=(f"{new.get_name()} {new.get_base64()}", partner.fingerprint.split()[1])).check()
    key = partner.host_key
    simulated.old(host_keys=(f"sftp.partner.example {key.get_name()} {key.get_base64()} them@there",)).check()


@pytest.mark.parametrize(("keys", "said"), [((), "host_keys is empty"), (("trust me",), "neither a fingerprint")])
def test_no_host_key_is_ever_taken_on_trust(simulated: There, keys: tuple[str, ...], said: str) -> None:
    with pytest.raises(Paused, match=said):
        simulated.old(host_keys=keys).check()


def test_a_server_of_a_kind_of_key_that_is_not_pinned_is_refused(simulated: There, tmp_path: Path) -> None:
    ours = keygen(tmp_path / "other").with_suffix(".pub").read_text()

    with pytest.raises(Paused, match="no common algorithm"):
        simulated.old(host_keys=(ours,)).check()


def test_a_wrong_password_pauses_and_is_not_shown(simulated: There) -> None:
    with pytest.raises(Paused, match="refused user northwind") as caught:
        simulated.old(password=Secret("not-their-password")).check()

    assert "not-their-password" not in str(caught.value)


def test_no_credentials_are_named(simulated: There) -> None:
    with pytest.raises(Paused, match="neither a password nor a private_key"):
        simulated.old(password=None).check()


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_each_kind_of_key_signs_in(partner: Partner, simulated: There, tmp_path: Path, kind: str) -> None:
    place = keygen(tmp_path / kind, "-t", kind)
    partner.authorized = (place.with_suffix(".pub").read_text().split()[1],)

    simulated.old(password=None, private_key=Secret(place.read_text())).check()


def test_a_key_with_a_password_is_opened_with_it(partner: Partner, simulated: There, tmp_path: Path) -> None:
    place = keygen(tmp_path / "locked", "-N", "open sesame")
    partner.authorized = (place.with_suffix(".pub").read_text().split()[1],)
    locked = {"password": None, "private_key": Secret(place.read_text())}

    simulated.old(**locked, private_key_password=Secret("open sesame")).check()
    with pytest.raises(Paused, match="private_key has a password"):
        simulated.old(**locked).check()
    with pytest.raises(Paused, match="private_key cannot be read"):
        simulated.old(**locked, private_key_password=Secret("wrong")).check()


def test_where_they_want_key_and_password_both_are_given(partner: Partner, simulated: There) -> None:
    key = paramiko.ECDSAKey.generate()
    partner.authorized, partner.wants_both = (key.get_base64(),), True

    simulated.old(private_key=written(key)).check()
    with pytest.raises(Paused, match="asks user northwind for publickey, password as well"):
        simulated.old(private_key=written(key), password=None).check()


def test_a_disk_that_is_full_leaves_no_half_document(partner: Partner, simulated: There) -> None:
    partner.full_after = 100_000

    with pytest.raises(RetryLater):
        simulated.old().push(out(body=bytes(200_000)))

    assert simulated.files("out") == {}
    partner.full_after = None
    assert simulated.old().push(out(body=bytes(200_000))).reference == "d-1-invoice.edi"


def test_a_folder_that_we_may_not_write_pauses_the_connection(partner: Partner, simulated: There) -> None:
    partner.read_only = True

    with pytest.raises(Paused, match="ask the partner for the right to it"):
        simulated.old().push(out())
    assert simulated.files("out") == {}


def test_a_file_that_cannot_be_put_away_is_stored_and_reported(partner: Partner, simulated: There) -> None:
    simulated.put("in/a.edi", b"x")
    partner.read_only = True
    pages = simulated.old().pull("order", "")

    assert next(pages).messages[0].body == b"x"
    with pytest.raises(Paused, match="ask the partner for the right"):
        next(pages)


def test_a_disk_without_links_is_served_by_posix_rename(partner: Partner, simulated: There) -> None:
    partner.links_work = False
    account = simulated.old()

    assert account.push(out()).reference == "d-1-invoice.edi"
    assert simulated.files("out") == {"d-1-invoice.edi": b"ISA*00"}


def test_a_server_that_stops_answering_is_left_at_the_deadline(partner: Partner, simulated: There) -> None:
    partner.deaf.set()

    with pytest.raises(RetryLater):
        simulated.old(deadline=1).push(out())

    partner.deaf.clear()
    assert simulated.files("out") == {}


@pytest.mark.peers
def test_openssh_refuses_old_algorithms_and_so_do_we(tmp_path: Path) -> None:
    with (
        running_sshd(tmp_path, ["Ciphers aes128-cbc"]) as there,
        pytest.raises(Paused, match="no common algorithm"),
    ):
        there.old().check()


@pytest.mark.peers
def test_questions_and_answers_are_not_given_to_openssh(tmp_path: Path) -> None:
    with running_sshd(tmp_path) as there, pytest.raises(Paused, match="refused user"):
        there.old(private_key=None, password=Secret("x")).check()


@pytest.mark.peers
def test_a_read_only_openssh_says_so(tmp_path: Path) -> None:
    with running_sshd(tmp_path, ["ForceCommand internal-sftp -R -d " + str(tmp_path / "theirs")]) as there:
        there.put("in/a.edi", b"x")
        with pytest.raises(Paused, match=r"Permission denied.*ask the partner for the right"):
            there.old().push(out())
        assert there.files("out") == {}


@pytest.mark.peers
def test_openssh_on_a_full_disk_keeps_no_half_document(tmp_path: Path, full_disk: Path) -> None:
    there: There
    with running_sshd(tmp_path) as there:
        account = there.old(outbox=str(full_disk))
        with pytest.raises(RetryLater):
            account.push(out(body=bytes(3_000_000)))
        assert list(full_disk.iterdir()) == []
        account.push(out("d-2", b"small"))
        assert [each.name for each in full_disk.iterdir()] == ["d-2-invoice.edi"]


def test_a_session_that_was_given_up_leaves_no_thread(partner: Partner, tmp_path: Path) -> None:
    account = {"user": partner.user, "password": Secret(partner.password), "host_keys": (partner.fingerprint,)}
    with serve(partner) as port, opening(tmp_path, partner.root, port, account) as there:
        there.put("in/a.edi", b"x")
        before = clients()
        pages = there.old().pull("order", "")
        next(pages)
        pages.close()
        until = time.monotonic() + 5
        while (ours := clients() - before) and time.monotonic() < until:
            time.sleep(0.01)

        assert ours == set()


def clients() -> set[Any]:
    """The threads of sessions of ours."""
    return {one for one in threading.enumerate() if isinstance(one, paramiko.Transport) and not one.server_mode}
