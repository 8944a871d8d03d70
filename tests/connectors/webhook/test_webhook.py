"""The webhook: who is let in, what is read, what is refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from connectors.webhook import Settings, Webhook
from connectors.webhook.simulator import Call, Sender
from hub.sdk import Incoming, Kit, Paused, Rejected, Request, Secret, Unverified

pytest_plugins = ["hub.testing.pytest_plugin"]
STANDARD = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
NOW = 1_767_603_600
"""2026-01-05 09:00 UTC, where the tests' clock stands."""


def webhook(kit: Kit, secret: str = "shared", **settings: Any) -> Webhook:
    return Webhook(Settings(secret=Secret(secret), **settings), kit)


def request(call: Call, **headers: str) -> Request:
    lower = {name.lower(): value for name, value in call.headers.items()}
    return Request(body=call.body, headers={**lower, **headers})


def test_a_signed_order_is_taken_as_it_is(hub_kit: Kit) -> None:
    call = Sender(secret="shared").call(b'{"id": "W-1",  "total": 1.10}', event_id="E-1")

    reception = webhook(hub_kit).receive(request(call))

    assert reception.messages == (
        Incoming(
            body=b'{"id": "W-1",  "total": 1.10}',
            kind="order",
            event_id="E-1",
            order_key="W-1",
            content_type="application/json",
        ),
    )


def test_the_signature_is_the_hmac_of_the_raw_body(hub_kit: Kit) -> None:
    body = b'{"id": 1}'
    signature = "90d07e3c101232097e97bef9ad3abff6703b04fa0f96b6f0cc2e323a08dde54e"

    reception = webhook(hub_kit).receive(Request(body=body, headers={"x-signature": signature}))

    assert reception.messages[0].order_key == "1"
    assert reception.messages[0].event_id == ""


def test_base64_and_a_header_of_their_own(hub_kit: Kit) -> None:
    call = Sender(secret="shared", scheme="base64", header="X-Shop-Hmac").call({"id": "W-1"}, event_id="E-1")
    account = webhook(hub_kit, scheme="base64", header="X-Shop-Hmac")

    assert account.receive(request(call)).messages[0].order_key == "W-1"


@pytest.mark.parametrize(
    "given",
    ["", "00", "Ω" * 32, "\udce4", "90D07E3C101232097E97BEF9AD3ABFF6703B04FA0F96B6F0CC2E323A08DDE54E"],
)
def test_a_signature_that_does_not_fit_is_unverified(hub_kit: Kit, given: str) -> None:
    with pytest.raises(Unverified, match="check the shared secret"):
        webhook(hub_kit).receive(Request(body=b'{"id": 1}', headers={"x-signature": given}))


def test_one_changed_byte_is_unverified(hub_kit: Kit) -> None:
    call = Sender(secret="shared").call(b'{"id": "W-1", "total": 10}', event_id="E-1")

    with pytest.raises(Unverified):
        webhook(hub_kit).receive(Request(body=call.body.replace(b"10", b"11"), headers=request(call).headers))


def test_another_senders_secret_is_unverified(hub_kit: Kit) -> None:
    with pytest.raises(Unverified):
        webhook(hub_kit).receive(request(Sender(secret="other").call({"id": "W-1"}, event_id="E-1")))


def test_nothing_is_read_before_it_is_verified(hub_kit: Kit) -> None:
    with pytest.raises(Unverified):
        webhook(hub_kit).receive(Request(body=b"not json", headers={"x-signature": "00"}))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"[]", b"3", b'"id"', b'{"number": "W-1"}', b'{"id": null}', b'{"id": ""}',
        b'{"id": {"a": 1}}', b"\xff\xfe", b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_names_no_order_is_refused_with_words(hub_kit: Kit, body: bytes) -> None:
    with pytest.raises(Rejected, match="must be a JSON object with the field 'id'"):
        webhook(hub_kit).receive(request(Sender(secret="shared").call(body, event_id="E-1")))


def test_the_field_that_names_the_order_is_a_setting(hub_kit: Kit) -> None:
    call = Sender(secret="shared").call({"order_no": 77}, event_id="E-1")

    assert webhook(hub_kit, id_field="order_no").receive(request(call)).messages[0].order_key == "77"


def test_a_repeat_carries_the_id_of_the_first(hub_kit: Kit) -> None:
    call = Sender(secret="shared").call({"id": "W-1"}, event_id="E-1")
    account = webhook(hub_kit)

    ids = [account.receive(request(call)).messages[0].event_id for _ in range(2)]

    assert ids == ["E-1", "E-1"]


def test_a_header_may_name_the_document(hub_kit: Kit) -> None:
    sender, account = Sender(secret="shared"), webhook(hub_kit, kind_header="X-Document")

    stock = account.receive(request(sender.call({"items": []}, event_id="E-1", kind="stock"))).messages[0]
    shipment = account.receive(request(sender.call({"id": "S-1"}, event_id="E-2", kind="shipment"))).messages[0]

    assert (stock.kind, stock.order_key) == ("stock", "")
    assert (shipment.kind, shipment.order_key) == ("shipment", "S-1")


@pytest.mark.parametrize("kind", ["", "payroll"])
def test_a_document_that_is_not_known_is_refused(hub_kit: Kit, kind: str) -> None:
    call = Sender(secret="shared").call({"id": "W-1"}, event_id="E-1", kind=kind)

    with pytest.raises(Rejected, match="X-Document is"):
        webhook(hub_kit, kind_header="X-Document").receive(request(call))


def test_a_standard_webhook_is_taken_within_five_minutes(hub_kit: Kit) -> None:
    sender, account = Sender(secret=STANDARD, scheme="standard"), webhook(hub_kit, STANDARD, scheme="standard")

    message = account.receive(request(sender.call({"id": "W-1"}, event_id="msg_1", at=NOW - 299))).messages[0]

    assert (message.event_id, message.order_key) == ("msg_1", "W-1")


@pytest.mark.parametrize("at", [NOW - 301, NOW + 301, 0])
def test_an_old_or_early_standard_webhook_is_unverified(hub_kit: Kit, at: int) -> None:
    call = Sender(secret=STANDARD, scheme="standard").call({"id": "W-1"}, event_id="msg_1", at=at)

    with pytest.raises(Unverified, match="webhook-timestamp"):
        webhook(hub_kit, STANDARD, scheme="standard").receive(request(call))


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_no_part_of_a_standard_webhook_can_be_changed(hub_kit: Kit, header: str) -> None:
    call = Sender(secret=STANDARD, scheme="standard").call({"id": "W-1"}, event_id="msg_1", at=NOW)

    with pytest.raises(Unverified):
        webhook(hub_kit, STANDARD, scheme="standard").receive(request(call, **{header: "1"}))


def test_while_a_secret_changes_one_of_several_signatures_is_enough(hub_kit: Kit) -> None:
    call = Sender(secret=STANDARD, scheme="standard").call({"id": "W-1"}, event_id="msg_1", at=NOW)
    both = f"v1,AAAA v1a,BBBB {call.headers['Webhook-Signature']}"

    reception = webhook(hub_kit, STANDARD, scheme="standard").receive(request(call, **{"webhook-signature": both}))

    assert len(reception.messages) == 1


def test_the_signature_of_a_standard_webhook_covers_id_time_and_body(hub_kit: Kit) -> None:
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1767603600",
        "webhook-signature": "v1,HqnRhAQ82BW6TQoE3F02HJaaCP090yMkL5ElMpuk3OA=",
    }
    account = webhook(hub_kit, STANDARD, scheme="standard")

    assert account.receive(Request(body=b'{"id": 1}', headers=headers)).messages[0].order_key == "1"


def test_a_standard_secret_that_is_not_base64_pauses(hub_kit: Kit) -> None:
    with pytest.raises(Paused, match="whsec_"):
        webhook(hub_kit, "whsec_!", scheme="standard").receive(Request(body=b"{}"))
