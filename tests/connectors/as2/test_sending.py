"""Out: what is sent, what receipt is believed, and what becomes of one that comes later."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from connectors.as2 import As2, mime
from connectors.as2.mdn import Report
from connectors.as2.wrapping import Step
from hub.sdk import InDoubt, Kit, Outgoing, Paused, Rejected, Request, RetryLater
from hub.testing.fakes import FakeClock
from hub.testing.serve import handler

from .conftest import certificate_pem
from .partnership import EDI, OUT, north, request, settings
from .test_wrapping_by_openssl import ORDERS

pytest_plugins = ["hub.testing.pytest_plugin"]

Serve = Callable[..., AbstractContextManager[str]]


@pytest.mark.parametrize("steps", [*ORDERS, ()], ids="-".join)
def test_a_document_arrives_whole_in_every_order(hub_kit: Kit, hub_serve: Serve, steps: tuple[Step, ...]) -> None:
    partner = north()
    with hub_serve(handler(partner.take)) as url:
        receipt = As2(settings(url=f"{url}/as2", steps=steps), hub_kit).push(OUT)

    assert [(each.body, mime.file_name(each)) for each in partner.received] == [(EDI, "a-855.edi")]
    assert re.fullmatch(r"<0190-abc\.[0-9a-f]{12}@HUB>", receipt.reference)
    assert b"multipart/signed" in receipt.proof
    assert f"Original-Message-ID: {receipt.reference}".encode() in receipt.proof
    assert receipt.owed == {}


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("cipher", ["aes128-cbc", "aes192-cbc", "aes256-gcm"])
@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_the_algorithms_are_settings(hub_kit: Kit, hub_serve: Serve, cipher: str, digest: str, encoding: str) -> None:
    partner = north()
    given = {"cipher": cipher, "digest": digest, "transfer_encoding": encoding, "key_transport": "oaep"}
    with hub_serve(handler(partner.take)) as url:
        As2(settings(url=url, **given), hub_kit).push(OUT)

    assert partner.received[0].content == EDI


def test_the_header_fields_are_those_of_as2(hub_kit: Kit, hub_serve: Serve) -> None:
    partner = north()
    with hub_serve(handler(partner.take)) as url:
        As2(
            settings(url=f"{url}/as2?x=1", subject="{kind} of ours", receipt_digests=("sha512", "sha256")), hub_kit
        ).push(OUT)

    call = partner.calls[0]
    assert call.path == "/as2"
    expected = {
        "as2-version": "1.2",
        "as2-from": "HUB",
        "as2-to": '"North Stores"',
        "subject": "acknowledgement of ours",
        "mime-version": "1.0",
        "date": "Mon, 05 Jan 2026 09:00:00 GMT",
        "ediint-features": "AS2-Reliability",
        "disposition-notification-to": "HUB",
        "disposition-notification-options": "signed-receipt-protocol=optional, pkcs7-signature; "
        "signed-receipt-micalg=optional, sha-512, sha-256",
        "content-type": "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
    }
    assert {name: call.headers[name] for name in expected} == expected
    assert "receipt-delivery-option" not in call.headers


def test_every_attempt_has_the_same_message_id_and_a_document_written_anew_another(
    hub_kit: Kit, hub_serve: Serve
) -> None:
    partner = north()
    with hub_serve(handler(partner.take)) as url:
        account = As2(settings(url=url), hub_kit)
        account.push(OUT)
        account.push(OUT)
        account.push(Outgoing(key=OUT.key, kind=OUT.kind, body=EDI + b"more", content_type=OUT.content_type))

    ids = [call.headers["message-id"] for call in partner.calls]
    assert (ids[0] == ids[1], ids[1] == ids[2]) == (True, False)
    assert (len(partner.received), partner.repeats) == (2, 1)


@pytest.mark.parametrize("steps", [(), ("compress", "sign")])
def test_what_is_not_encrypted_is_the_same_bytes_over_all_attempts(
    hub_kit: Kit, hub_serve: Serve, steps: tuple[Step, ...]
) -> None:
    partner = north()
    with hub_serve(handler(partner.take)) as url:
        account = As2(settings(url=url, steps=steps), hub_kit)
        account.push(OUT)
        account.push(OUT)

    assert partner.calls[0].body == partner.calls[1].body


@pytest.mark.parametrize(
    ("behaviour", "code", "words"),
    [
        ("wrong_mic", "mic_mismatch", "not what we sent"),
        ("no_mic", "mic_missing", "does not prove"),
        ("bad_signature", "mdn_unverified", "integrity-check-failed"),
        ("unsigned", "mdn_unsigned", "receipt_signed"),
        ("foreign", "mdn_foreign", "<another@message>"),
        ("negative", "mdn_refused", "decryption-failed"),
    ],
)
def test_a_receipt_that_proves_nothing_is_a_refusal_with_its_words(
    hub_kit: Kit, hub_serve: Serve, behaviour: str, code: str, words: str
) -> None:
    with hub_serve(handler(north(behaviour=behaviour).take)) as url:
        account = As2(settings(url=url), hub_kit)
        with pytest.raises(Rejected, match=re.escape(words)) as refused:
            account.push(OUT)

    assert refused.value.problems[0].code == code
    assert b"disposition-notification" in refused.value.proof


@pytest.mark.parametrize(
    "disposition",
    ["processed/Error: authentication-failed", "failed/Failure: unsupported format", "processed/warning: strange"],
)
def test_every_other_disposition_is_a_refusal(hub_kit: Kit, hub_serve: Serve, disposition: str) -> None:
    with hub_serve(handler(north(behaviour="negative", modifier=disposition).take)) as url:
        account = As2(settings(url=url), hub_kit)
        with pytest.raises(Rejected, match=disposition.partition(": ")[2]):
            account.push(OUT)


def test_a_partner_who_says_that_they_had_it_before_has_it(hub_kit: Kit, hub_serve: Serve) -> None:
    with hub_serve(handler(north(behaviour="duplicate_warning").take)) as url:
        assert As2(settings(url=url), hub_kit).push(OUT).proof


def test_an_unsigned_receipt_is_enough_where_no_signature_is_asked_for(hub_kit: Kit, hub_serve: Serve) -> None:
    partner = north()
    with hub_serve(handler(partner.take)) as url:
        receipt = As2(settings(url=url, receipt_signed=False), hub_kit).push(OUT)

    assert b"multipart/report" in receipt.proof
    assert partner.calls[0].headers["disposition-notification-options"] == "signed-receipt-micalg=optional, sha-256"


@pytest.mark.parametrize("behaviour", ["empty", "no_receipt"])
def test_an_answer_without_the_receipt_is_a_doubt(hub_kit: Kit, hub_serve: Serve, behaviour: str) -> None:
    partner = north(behaviour=behaviour)
    with hub_serve(handler(partner.take)) as url:
        account = As2(settings(url=url), hub_kit)
        with pytest.raises(InDoubt, match="same Message-ID"):
            account.push(OUT)
        partner.behaviour = "good"
        if behaviour == "empty":
            assert account.push(OUT).proof

    assert len(partner.received) == 1


def test_a_busy_partner_is_tried_later(hub_kit: Kit, hub_serve: Serve) -> None:
    with hub_serve(handler(north(behaviour="busy").take)) as url:
        account = As2(settings(url=url), hub_kit)
        with pytest.raises(RetryLater):
            account.push(OUT)


def test_no_receipt_is_asked_for_where_none_is_wanted(hub_kit: Kit, hub_serve: Serve) -> None:
    partner = north()
    with hub_serve(handler(partner.take)) as url:
        receipt = As2(settings(url=url, receipt="none"), hub_kit).push(OUT)

    assert (receipt.proof, dict(receipt.owed)) == (b"", {})
    assert "disposition-notification-to" not in partner.calls[0].headers


def test_the_next_of_two_certificates_takes_over_when_the_first_has_run_out(
    hub_kit: Kit, hub_serve: Serve, hub_clock: FakeClock
) -> None:
    both = (certificate_pem("north-old", days=5), certificate_pem("north", days=365))
    partner = north()
    with hub_serve(handler(partner.take)) as url:
        account = As2(settings(url=url, their_certificates=both), hub_kit)
        with pytest.raises(Rejected, match="decryption-failed"):
            account.push(OUT)
        hub_clock.advance(days=6)
        partner.at = hub_clock.now()
        again = Outgoing(key="0190-def", kind=OUT.kind, body=EDI, content_type=OUT.content_type)
        assert account.push(again).proof


def test_without_a_valid_certificate_the_connection_pauses(hub_kit: Kit, hub_clock: FakeClock) -> None:
    account = As2(settings(url="http://127.0.0.1:1"), hub_kit)
    hub_clock.advance(days=400)

    with pytest.raises(Paused, match="not valid today"):
        account.push(OUT)
    with pytest.raises(Paused, match="not valid today"):
        account.check()


def test_whoever_has_no_address_gets_nothing(hub_kit: Kit) -> None:
    with pytest.raises(Rejected, match="has no url"):
        As2(settings(), hub_kit).push(OUT)


def test_a_later_receipt_is_owed_and_then_judged(hub_kit: Kit, hub_serve: Serve) -> None:
    partner = north()
    with hub_serve(handler(partner.take)) as url:
        given = {"receipt": "async", "receipt_url": "https://hub.example/as2", "receipt_within": "PT2H"}
        account = As2(settings(url=url, **given), hub_kit)
        receipt = account.push(OUT)

    assert (dict(receipt.owed), receipt.proof) == ({"mdn": "PT2H"}, b"")
    assert partner.calls[0].headers["receipt-delivery-option"] == "https://hub.example/as2"
    (later,) = partner.later
    came = Request(body=later.body, headers={name.lower(): value for name, value in later.headers.items()})
    found = account.exchange(came, lambda key: OUT if key == "0190-abc" else None)
    (message,) = found.messages
    assert (message.kind, found.problem, found.answer) == ("mdn", None, b"")
    assert message.body.startswith(b"Hub-Delivery: 0190-abc\r\nHub-Judged: received\r\n")
    assert message.body.endswith(later.body)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [("wrong_mic", "not what we sent"), ("negative", "decryption-failed"), ("bad_signature", "integrity")],
)
def test_a_later_receipt_that_proves_nothing_is_a_refusal(
    hub_kit: Kit, hub_serve: Serve, behaviour: str, words: str
) -> None:
    partner = north(behaviour=behaviour)
    with hub_serve(handler(partner.take)) as url:
        account = As2(settings(url=url, receipt="async", receipt_url="https://hub.example/as2"), hub_kit)
        account.push(OUT)
    came = Request(
        body=partner.later[0].body, headers={name.lower(): value for name, value in partner.later[0].headers.items()}
    )

    found = account.exchange(came, lambda _key: OUT)

    if behaviour == "bad_signature":
        assert found.problem is not None
        assert (found.problem.code, found.messages) == ("integrity-check-failed", ())
    else:
        head = found.messages[0].body.partition(b"\r\n\r\n")[0].decode()
        assert "Hub-Judged: refused " in head
        assert words in head


def test_a_receipt_for_nothing_of_ours_is_a_problem(hub_kit: Kit) -> None:
    partner = north()
    sent = partner.send(b"", identity="<x@y>")
    receipt = partner.receipt(report_of("<0190-zzz.abc@HUB>"))
    came = Request(body=receipt.body, headers={**request(sent).headers, "content-type": receipt.field("content-type")})

    found = As2(settings(), hub_kit).exchange(came, lambda _key: None)

    assert found.problem is not None
    assert (found.problem.code, found.problem.value) == ("unknown-receipt", "<0190-zzz.abc@HUB>")


def report_of(original: str) -> Any:
    return Report(original_id=original, mic=b"m", digest="sha256")


def test_what_a_partner_writes_into_our_notes_does_not_count(hub_kit: Kit) -> None:
    partner = north(behaviour="negative")
    receipt = partner.receipt(report_of("<0190-abc.1@HUB>"))
    headers = {"as2-from": "x", "content-type": receipt.field("content-type"), "hub-judged": "received"}

    found = As2(settings(), hub_kit).exchange(Request(body=receipt.body, headers=headers), lambda _key: OUT)

    head = found.messages[0].body.partition(b"\r\n\r\n")[0].decode()
    assert re.findall(r"(?m)^Hub-Judged: (\w+)", head) == ["refused"]
