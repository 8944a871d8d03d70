"""Settings, keys and certificates: what can work, what runs out, and what is said about it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, pkcs12

from connectors.as2 import As2, Settings
from connectors.as2.simulator import BEHAVIOURS
from hub.kit.fields import read_settings
from hub.sdk import Kit, Paused, Rejected, Secret
from hub.testing.fakes import FakeClock

from .conftest import certificate, certificate_pem, identity, pem
from .partnership import settings

pytest_plugins = ["hub.testing.pytest_plugin"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": ["encrypt", "sign"]}, "encrypt the last"),
        ({"steps": ["sign", "sign"]}, "at most once"),
        ({"our_key": None}, "our_key is needed"),
        ({"their_certificates": []}, "a certificate is needed"),
        ({"receipt": "async"}, "receipt_url"),
        ({"receipt_within": "4h"}, "PT4H"),
        ({"digest": "sha1"}, "Digest of our signatures"),
        ({"cipher": "3des"}, "Cipher of what we encrypt"),
        ({"our_id": ""}, "must not be empty"),
        ({"our_key": "-----BEGIN PRIVATE KEY-----"}, "never the secret itself"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    given = {
        "our_id": "HUB", "their_id": "N", "our_key": "env:KEY", "their_certificates": ["x"], **changes,
    }  # fmt: skip
    with pytest.raises(Rejected, match=words):
        read_settings(Settings, given, lambda _reference: "")


def test_a_partner_without_any_protection_needs_no_key() -> None:
    given = {
        "our_id": "HUB", "their_id": "N", "our_key": "", "their_certificates": [], "steps": [], "require": [],
        "receipt_signed": False,
    }  # fmt: skip
    assert read_settings(Settings, given, lambda _reference: "").our_key is None


def test_certificates_may_lie_in_files(hub_kit: Kit, tmp_path: Any) -> None:
    (tmp_path / "north.pem").write_text(certificate_pem("north"))

    As2(settings(their_certificates=("north.pem",)), hub_kit).check()
    with pytest.raises(Rejected, match="no file"):
        As2(settings(their_certificates=("gone.pem",)), hub_kit).check()
    with pytest.raises(Rejected, match="outside"):
        As2(settings(their_certificates=("/etc/passwd",)), hub_kit).check()


@pytest.mark.parametrize("kind", ["pkcs12", "encrypted", "bundle"])
def test_keys_come_as_pem_or_pkcs12_with_a_password(hub_kit: Kit, kind: str) -> None:
    account = As2(settings(our_key=Secret(packed(kind)), our_key_password=Secret("geheim")), hub_kit)

    account.check()
    assert str(account.keyring.ours()[0].certificate) == str(certificate("hub"))
    if kind != "bundle":
        wrong = As2(settings(our_key=Secret(packed(kind)), our_key_password=Secret("falsch")), hub_kit)
        with pytest.raises(Paused, match="password"):
            wrong.check()


def packed(kind: str) -> str:
    mine, locked = identity("hub"), BestAvailableEncryption(b"geheim")
    if kind == "pkcs12":
        raw = pkcs12.serialize_key_and_certificates(b"hub", mine.key, mine.certificate.x509, None, locked)
        return base64.encodebytes(raw).decode()
    if kind == "encrypted":
        return mine.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked).decode() + certificate_pem("hub")
    return pem("hub") + pem("hub-next")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "neither PEM nor PKCS#12"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "cannot be read"),
        (certificate_pem("hub"), "no private key"),
    ],
)
def test_a_key_that_cannot_be_used_pauses_with_the_reason(hub_kit: Kit, text: str, words: str) -> None:
    with pytest.raises(Paused, match=words):
        As2(settings(our_key=Secret(text)), hub_kit).check()


def test_a_key_without_its_certificate_and_a_short_one_pause(hub_kit: Kit) -> None:
    alone = pem("hub")[: pem("hub").index("-----BEGIN CERT")] + certificate_pem("north")
    with pytest.raises(Paused, match="without its certificate"):
        As2(settings(our_key=Secret(alone)), hub_kit).check()
    with pytest.raises(Paused, match="at least 2048"):
        As2(settings(their_certificates=(certificate_pem("short", bits=1024),)), hub_kit).check()


def test_certificates_that_run_out_are_foreseen_a_month_before(hub_kit: Kit, hub_clock: FakeClock) -> None:
    given = {
        "our_key": Secret(pem("hub-60", days=60)),
        "their_certificates": (certificate_pem("north-20", days=20), certificate_pem("north-90", days=90)),
    }
    account = As2(settings(**given), hub_kit)

    assert account.foresee() == []
    hub_clock.advance(days=31)
    (soon,) = account.foresee()
    assert (soon.code, soon.path) == ("certificate_ends", "settings.our_key")
    assert "CN=hub-60" in soon.text
    hub_clock.advance(days=30)
    assert [(each.code, each.path) for each in account.foresee()] == [
        ("certificate_ended", "settings.our_key"),
        ("certificate_ends", "settings.their_certificates"),
    ]
    with pytest.raises(Paused):
        account.check()


def test_a_secret_that_changes_is_read_anew(hub_kit: Kit) -> None:
    values = [pem("hub")]

    class Changing(Secret):
        def reveal(self) -> str:
            return values[-1]

    account = As2(settings(our_key=Changing("")), hub_kit)
    before = account.keyring.ours()
    values.append(pem("hub-next"))

    assert (str(before[0].certificate), str(account.keyring.ours()[0].certificate)) == (
        str(certificate("hub")), str(certificate("hub-next")),
    )  # fmt: skip


def test_every_misbehaviour_of_the_simulator_is_tried() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))

    assert [each for each in BEHAVIOURS if f'"{each}"' not in text and each != "good"] == []
