"""What is FTPS's own: TLS of both lines, passive mode, old servers, and what goes wrong on their disk."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from connectors.ftps.simulator import Partner, serve
from hub.sdk import Paused, RetryLater, Secret
from tests.connectors.file_exchange import There, looked, names, out

from .conftest import certificate, opening, running


def fingerprint(place: Path) -> str:
    """What a partner reads out over the telephone."""
    found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(place.read_text())).hexdigest().upper()
    return ":".join(found[at : at + 2] for at in range(0, 64, 2))


def test_a_certificate_that_nobody_vouches_for_stops_before_anything_is_said_of_us(
    partner: Partner, simulated: There
) -> None:
    with pytest.raises(Paused, match="its certificate is not trusted"):
        simulated.old(authorities=()).push(out())

    assert partner.heard == ["AUTH TLS"]


def test_a_certificate_for_another_name_is_not_believed(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, address="127.0.0.9")
    partner = Partner(root=tmp_path / "theirs", certificate=cert, key=key)
    with (
        serve(partner) as port,
        opening(tmp_path, partner.root, port, cert) as there,
        pytest.raises(Paused, match="not trusted"),
    ):
        there.old().check()


def test_a_pinned_certificate_is_believed_and_a_changed_one_is_not(
    partner: Partner, simulated: There, tmp_path: Path
) -> None:
    other, _ = certificate(tmp_path, "other")
    pinned = fingerprint(partner.certificate)

    simulated.old(authorities=(), fingerprints=(fingerprint(other), pinned)).check()
    partner.heard.clear()
    with pytest.raises(Paused, match=r"not in fingerprints; nothing was sent") as caught:
        simulated.old(fingerprints=(fingerprint(other),)).check()

    assert pinned.replace(":", "").lower() in str(caught.value)
    assert partner.heard == ["AUTH TLS", "QUIT"]


def test_authorities_may_lie_on_disk(partner: Partner, simulated: There, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var/authority.pem").write_text(partner.certificate.read_text())

    simulated.old(authorities=("authority.pem",)).check()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"authorities": ("-----BEGIN nothing",)}, "in authorities is no certificate"),
        ({"fingerprints": ("AB:CD",)}, "not a SHA-256 fingerprint"),
        ({"password": None}, "there is no password"),
    ],
)
def test_what_cannot_be_used_is_named(simulated: There, settings: dict[str, object], said: str) -> None:
    with pytest.raises(Paused, match=said):
        simulated.old(**settings).check()


def test_a_wrong_password_pauses_and_is_not_shown(simulated: There) -> None:
    with pytest.raises(Paused, match=r"refused user northwind \(530") as caught:
        simulated.old(password=Secret("not-their-password")).check()

    assert "not-their-password" not in str(caught.value)


def test_the_session_is_taken_up_where_they_demand_it(partner: Partner, simulated: There) -> None:
    partner.demands_session = True
    simulated.put("in/a.edi", b"x")

    assert names(looked(simulated.old(after="leave", highest_tls="1.2"))) == ["a.edi"]
    assert names(looked(simulated.old(after="leave"))) == ["a.edi"]
    with pytest.raises(Paused, match="522 the session must be taken up"):
        looked(simulated.old(reuse_session=False))


def test_a_passive_address_that_leads_elsewhere_is_not_followed(partner: Partner, simulated: There) -> None:
    partner.passive_host = "10,1,2,3"
    simulated.put("in/a.edi", b"x")

    assert names(looked(simulated.old())) == ["a.edi"]


def test_an_old_server_without_exact_lists_is_served(partner: Partner, simulated: There) -> None:
    partner.knows_lists = False
    simulated.put("in/a.edi", b"x")
    simulated.put("in/folder/b.edi", b"x")
    account = simulated.old()

    assert names(looked(account)) == ["a.edi"]
    assert simulated.files("in/taken") == {"a.edi": b"x"}
    assert account.push(out()).reference == "d-1-invoice.edi"


def test_names_beyond_ascii_arrive_and_others_than_utf8_are_left_alone(simulated: There) -> None:
    simulated.put("in/übergabe.edi", b"x")
    (simulated.root / "in").joinpath(b"\xfcbel.edi".decode("utf-8", "surrogateescape")).write_bytes(b"x")

    assert names(looked(simulated.old())) == ["übergabe.edi"]
    assert simulated.files("in/taken") == {"übergabe.edi": b"x"}


def test_a_disk_that_is_full_leaves_no_half_document(partner: Partner, simulated: There) -> None:
    partner.full_after = 100_000

    with pytest.raises(RetryLater, match="452 Insufficient storage"):
        simulated.old().push(out(body=bytes(5_000_000)))

    assert simulated.files("out") == {}
    partner.full_after = None
    assert simulated.old().push(out(body=bytes(200_000))).reference == "d-1-invoice.edi"


def test_a_folder_that_we_may_not_write_pauses_the_connection(partner: Partner, simulated: There) -> None:
    partner.read_only = True

    with pytest.raises(Paused, match=r"550 Permission denied.*ask the partner for the right"):
        simulated.old().push(out())


def test_a_server_that_stops_answering_is_left_at_the_deadline(partner: Partner, simulated: There) -> None:
    partner.is_deaf = True

    with pytest.raises(RetryLater):
        simulated.old(deadline=1).check()


@pytest.mark.peers
def test_tls_from_the_first_byte_with_pyftpdlib(tmp_path: Path) -> None:
    with running(tmp_path, "implicit") as there:
        there.put("in/a.edi", b"x")
        account = there.old(mode="implicit")

        assert names(looked(account)) == ["a.edi"]
        assert account.push(out()).reference == "d-1-invoice.edi"


@pytest.mark.peers
def test_a_pyftpdlib_that_lets_us_only_read_says_so(tmp_path: Path) -> None:
    with running(tmp_path, rights="elr") as there:
        there.put("in/a.edi", b"x")
        with pytest.raises(Paused, match=r"550 Not enough privileges.*ask the partner for the right"):
            there.old().push(out())
        assert names(looked(there.old(after="leave"))) == ["a.edi"]


def test_tls_from_the_first_byte(partner: Partner, tmp_path: Path) -> None:
    partner.is_implicit = True
    with serve(partner) as port, opening(tmp_path, partner.root, port, partner.certificate) as there:
        there.old(mode="implicit").check()

    assert partner.heard[0] == "USER northwind"
