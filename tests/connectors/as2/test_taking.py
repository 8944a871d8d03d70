"""In: what is taken, what is refused and in which words, and the receipts that we give."""

from __future__ import annotations

import email
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest

from connectors.as2 import As2
from connectors.as2.algorithms import digest_of
from connectors.as2.simulator import Partner
from connectors.as2.wrapping import Means, Step
from hub.sdk import Kit, Outgoing, Rejected, Request, Secret
from hub.testing.serve import handler

from .conftest import certificate, identity, pem
from .partnership import EDI, answered, never, north, request, settings
from .test_wrapping_by_openssl import ORDERS

pytest_plugins = ["hub.testing.pytest_plugin"]

Serve = Callable[..., AbstractContextManager[str]]


@pytest.mark.parametrize("steps", ORDERS, ids="-".join)
def test_a_message_is_taken_in_every_order_and_answered_with_its_mic(hub_kit: Kit, steps: tuple[Step, ...]) -> None:
    partner = north()
    sent = partner.send(EDI, identity="<1@north>", steps=steps)

    found = As2(settings(require=()), hub_kit).exchange(request(sent), never)

    (message,) = found.messages
    assert (message.body, message.name, message.content_type) == (EDI, "order.edi", "application/edi-x12")
    assert (message.kind, message.event_id) == ("order", "<1@north>")
    assert found.kept is not None
    assert found.kept.body.endswith(sent.body)
    assert found.kept.event_id == "as2 <1@north>"
    report = partner.read(*answered(found))
    assert (report.original_id, report.disposition, report.digest) == ("<1@north>", "processed", "sha256")
    assert report.mic == digest_of(sent.checked, "sha256")


def test_our_receipt_is_signed_dated_and_addressed(hub_kit: Kit) -> None:
    found = As2(settings(), hub_kit).exchange(request(north().send(EDI, identity="<1@north>")), never)

    headers, body = answered(found)
    assert headers["content-type"].startswith(
        'multipart/signed; protocol="application/pkcs7-signature"; micalg="sha-256"'
    )
    assert (headers["as2-from"], headers["as2-to"]) == ("HUB", '"North Stores"')
    assert headers["date"] == "Mon, 05 Jan 2026 09:00:00 GMT"
    parsed = email.message_from_bytes(b"Content-Type: " + headers["content-type"].encode() + b"\r\n\r\n" + body)
    report, signature = parsed.get_payload()
    assert (report.get_content_type(), signature.get_content_type()) == (  # type: ignore[union-attr]
        "multipart/report", "application/pkcs7-signature",
    )  # fmt: skip
    kinds = [part.get_content_type() for part in report.get_payload()]  # type: ignore[union-attr]
    assert kinds == ["text/plain", "message/disposition-notification"]


def test_no_receipt_is_given_where_none_is_asked_for(hub_kit: Kit) -> None:
    sent = north().send(EDI, identity="<1@north>", fields={"Disposition-Notification-To": ""})

    found = As2(settings(), hub_kit).exchange(request(sent), never)

    assert (len(found.messages), found.answer) == (1, b"")


def test_an_unsigned_receipt_is_given_where_no_signature_is_asked_for(hub_kit: Kit) -> None:
    sent = north().send(EDI, identity="<1@north>", fields={"Disposition-Notification-Options": ""})

    headers, _ = answered(As2(settings(), hub_kit).exchange(request(sent), never))

    assert headers["content-type"].startswith("multipart/report")


def test_a_receipt_for_later_says_where_it_goes(hub_kit: Kit) -> None:
    sent = north().send(EDI, identity="<1@north>", fields={"Receipt-Delivery-Option": "https://north.example/mdn"})

    found = As2(settings(), hub_kit).exchange(request(sent), never)

    assert found.is_delivered
    assert found.answer.startswith(b"Hub-Deliver-To: https://north.example/mdn\r\nAS2-Version")


def test_our_later_receipt_goes_where_it_is_allowed_to_and_nowhere_else(hub_kit: Kit, hub_serve: Serve) -> None:
    partner, got = north(), []
    with hub_serve(handler(lambda call: got.append(call) or partner.take(call))) as url:
        account = As2(settings(url=f"{url}/as2", password=Secret("p"), user="u"), hub_kit)
        sent = partner.send(EDI, identity="<1@north>", fields={"Receipt-Delivery-Option": f"{url}/receipts"})
        answer = account.exchange(request(sent), never).answer
        account.push(Outgoing(key="1", kind="mdn", body=answer))
        elsewhere = answer.replace(url.encode(), b"http://169.254.169.254")
        with pytest.raises(Rejected, match="receipt_hosts"):
            account.push(Outgoing(key="2", kind="mdn", body=elsewhere))

    (call,) = got
    assert (call.path, "hub-deliver-to" in call.headers) == ("/receipts", False)
    assert partner.read(call.headers, call.body).disposition == "processed"


@pytest.mark.parametrize(
    ("change", "code", "disposition", "action"),
    [
        ("foreign_key", "decryption-failed", "processed/Error: decryption-failed", "our_other_key"),
        ("stranger", "authentication-failed", "processed/Error: authentication-failed", "their_certificates"),
        ("changed", "integrity-check-failed", "processed/Error: integrity-check-failed", "proxy"),
        ("unsigned", "insufficient-message-security", "processed/Error: insufficient-message-security", "require"),
        ("plain", "insufficient-message-security", "processed/Error: insufficient-message-security", "require"),
        ("bomb", "decompression-failed", "processed/Error: decompression-failed", "largest_content"),
        ("no_id", "unexpected-processing-error", "processed/Error: unexpected-processing-error", "partner"),
        ("md5", "unsupported-MIC-algorithms", "failed/Failure: unsupported MIC-algorithms", "SHA-256"),
        ("junk", "unsupported-format", "failed/Failure: unsupported format", "partner"),
    ],
)
def test_what_cannot_be_taken_is_answered_with_its_reason(
    hub_kit: Kit, change: str, code: str, disposition: str, action: str
) -> None:
    partner = north()
    found = As2(settings(largest_content=1_000_000), hub_kit).exchange(refusable(partner, change), never)

    assert found.problem is not None
    assert (found.problem.code, found.messages) == (code, ())
    assert action in found.action
    report = partner.read(*answered(found))
    assert (report.disposition, report.mic) == (disposition, b"")
    assert "certificate of" not in report.words
    assert found.kept is not None
    assert found.kept.body.endswith(refusable(partner, change).body[-20:]) or change != "junk"


def refusable(partner: Partner, change: str) -> Request:
    stranger = Means(identity=identity("stranger"), certificates=[certificate("hub")])
    sends: dict[str, dict[str, Any]] = {
        "foreign_key": {"means": Means(identity=identity("north"), certificates=[certificate("stranger")])},
        "stranger": {"means": stranger},
        "changed": {"steps": ("sign",)},
        "unsigned": {"steps": ("encrypt",)},
        "plain": {"steps": ()},
        "bomb": {"steps": ("compress", "sign", "encrypt")},
        "md5": {
            "fields": {
                "Disposition-Notification-Options": "signed-receipt-protocol=required, pkcs7-signature; "
                "signed-receipt-micalg=required, md5, sha1"
            }
        },
    }
    body = EDI * 40_000 if change == "bomb" else EDI
    sent = partner.send(body, identity="<1@north>", **sends.get(change, {}))
    if change == "changed":
        sent = replace(sent, body=sent.body.replace(b"GS*PR", b"GS*PO"))
    if change == "junk":
        sent = replace(sent, body=b"\x30\x82 junk" * 10)
    asked = request(sent)
    return Request(body=asked.body, headers={**asked.headers, "message-id": ""}) if change == "no_id" else asked


def test_weak_signatures_are_taken_where_they_are_allowed_and_answered_with_strong_ones(hub_kit: Kit) -> None:
    partner = north()
    weak = Means(identity=identity("north"), certificates=[certificate("hub")], digest="sha1")
    sent = partner.send(EDI, identity="<1@north>", means=weak)

    refused = As2(settings(), hub_kit).exchange(request(sent), never)
    taken = As2(settings(accept_weak=("sha1",)), hub_kit).exchange(request(sent), never)

    assert refused.problem is not None
    assert refused.problem.code == "unsupported-format"
    assert partner.read(*answered(taken)).digest == "sha256"


def test_the_key_before_and_the_next_still_open_messages(hub_kit: Kit) -> None:
    account = As2(settings(our_other_key=Secret(pem("hub-next") + pem("hub-old"))), hub_kit)
    for name in ("hub", "hub-next", "hub-old"):
        means = Means(identity=identity("north"), certificates=[certificate(name)])
        sent = north().send(EDI, identity=f"<{name}@north>", means=means)
        assert account.exchange(request(sent), never).messages


def test_a_failure_of_ours_is_told_by_a_receipt_too(hub_kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    account = As2(settings(), hub_kit)
    monkeypatch.setattr(account.receiver, "_check", None)

    found = account.exchange(request(north().send(EDI, identity="<1@north>")), never)

    assert found.problem is not None
    assert found.problem.code == "unexpected-processing-error"
    assert north().read(*answered(found)).disposition == "processed/Error: unexpected-processing-error"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('"../../etc/passwd"', "passwd"),
        ('"C:\\\\boot.ini"', "boot.ini"),
        ("orders.edi", "orders.edi"),
        ('"a\x00b<c>.edi"', "a_b_c_.edi"),
        ('"\'; drop.edi"', "_ drop.edi"),
        ('""', ""),
    ],
)
def test_the_file_name_is_kept_and_made_harmless(hub_kit: Kit, given: str, kept: str) -> None:
    sent = north().send(EDI, identity="<1@north>", steps=(), fields={"Content-Disposition": f"x; filename={given}"})

    found = As2(settings(require=()), hub_kit).exchange(request(sent), never)

    assert found.messages[0].name == kept


def test_a_password_is_not_kept(hub_kit: Kit) -> None:
    sent = north().send(EDI, identity="<1@north>", fields={"Authorization": "Basic c2VjcmV0", "Cookie": "s=1"})

    found = As2(settings(), hub_kit).exchange(request(sent), never)

    assert found.kept is not None
    assert b"c2VjcmV0" not in found.kept.body
    assert b"Cookie" not in found.kept.body
