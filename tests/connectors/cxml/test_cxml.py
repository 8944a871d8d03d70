"""cXML over HTTP: who is let in, what is kept, what is answered, and what their answers mean."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from connectors.cxml import Cxml, Settings
from connectors.cxml.simulator import Network, requested
from hub.sdk import InDoubt, Kit, Outgoing, Paused, Rejected, Request, RetryLater, Secret, Unverified
from hub.testing.serve import Answer, handler

pytest_plugins = ["hub.testing.pytest_plugin"]
Serve = Callable[..., AbstractContextManager[str]]
ORDER = '<OrderRequest><OrderRequestHeader orderID="PO-1"/></OrderRequest>'
INVOICE = b'<Sender><Credential domain="NetworkId"><Identity>AN2</Identity></Credential></Sender>'


def opened(kit: Kit, **settings: Any) -> Cxml:
    return Cxml(Settings(**{"secret": Secret("s3cret-word"), **settings}), kit)


def test_an_order_is_taken_without_its_secret_and_answered_in_cxml(hub_kit: Kit) -> None:
    reception = opened(hub_kit).receive(Request(body=requested(ORDER, "s3cret-word", payload_id="7@a")))

    (message,) = reception.messages
    assert (message.kind, message.event_id, message.order_key) == ("order", "7@a", "PO-1")
    assert b"s3cret-word" not in message.body
    assert b"SharedSecret" not in message.body
    assert b'orderID="PO-1"' in message.body
    assert reception.answer_type == "text/xml"
    assert b'<Status code="201" text="Accepted"/>' in reception.answer


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ('<ConfirmationRequest><OrderReference orderID="PO-1"/></ConfirmationRequest>', "acknowledgement"),
        ("<ShipNoticeRequest/>", "shipment"), ("<InvoiceDetailRequest/>", "invoice"),
    ],
)  # fmt: skip
def test_what_it_is_stands_in_the_request(hub_kit: Kit, payload: str, kind: str) -> None:
    (message,) = opened(hub_kit).receive(Request(body=requested(payload, "s3cret-word"))).messages

    assert message.kind == kind


def test_another_request_is_answered_and_not_kept(hub_kit: Kit) -> None:
    reception = opened(hub_kit).receive(Request(body=requested("<ProfileRequest/>", "s3cret-word")))

    assert reception.messages == ()
    assert b'<Status code="450"' in reception.answer


@pytest.mark.parametrize(("secret", "sender"), [("wrong", ""), ("", ""), ("s3cret-word", "NetworkId:AN9")])
def test_whoever_does_not_know_the_secret_is_refused(hub_kit: Kit, secret: str, sender: str) -> None:
    with pytest.raises(Unverified) as refused:
        opened(hub_kit, sender=sender).receive(Request(body=requested(ORDER, secret)))

    assert "s3cret-word" not in str(refused.value)


def test_a_secret_that_is_written_oddly_is_taken_out_or_the_call_refused(hub_kit: Kit) -> None:
    plain = requested(ORDER, "s3cret-word")
    wrapped = plain.replace(b">s3cret-word<", b"><![CDATA[s3cret-word]]><")
    hidden = plain.replace(b"</cXML>", b"<!-- s3cret-word --></cXML>")

    (message,) = opened(hub_kit).receive(Request(body=wrapped)).messages
    assert b"s3cret-word" not in message.body
    with pytest.raises(Rejected, match="cannot be taken out"):
        opened(hub_kit).receive(Request(body=hidden))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "XML|tag|Document|expected"), (b"<Order/>", "cXML document"),
        (b'<!DOCTYPE cXML [<!ENTITY x SYSTEM "file:///etc/passwd">]><cXML>&x;</cXML>', "document type"),
    ],
)  # fmt: skip
def test_what_is_no_cxml_or_attacks_is_refused(hub_kit: Kit, body: bytes, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        opened(hub_kit).receive(Request(body=body))


def serving(network: Network) -> Any:
    """Their server."""
    return handler(lambda call: Answer(body=network.answer(call.body), content_type="text/xml"))


def test_ours_is_sent_with_our_secret_which_is_in_no_stored_byte(hub_serve: Serve, hub_kit: Kit) -> None:
    network = Network(secret="our &amp; word")
    out = Outgoing(key="d-1", kind="invoice", body=INVOICE)
    with hub_serve(serving(network)) as url:
        receipt = opened(hub_kit, base_url=url, our_secret=Secret("our & word")).push(out)

    assert network.taken == [
        INVOICE.replace(b"</Credential>", b"<SharedSecret>our &amp; word</SharedSecret></Credential>")
    ]
    assert receipt.reference == "9@network.example"
    assert b"our" not in out.body


@pytest.mark.parametrize(
    ("code", "error"), [(406, Rejected), (500, RetryLater), (560, RetryLater), (401, Paused), (450, Rejected)]
)
def test_the_status_in_their_answer_counts(hub_serve: Serve, hub_kit: Kit, code: int, error: type[Exception]) -> None:
    with hub_serve(serving(Network(secret="w", code=code))) as url:
        account = opened(hub_kit, base_url=url, our_secret=Secret("w"))
        with pytest.raises(error, match=str(code)):
            account.push(Outgoing(key="d-1", kind="invoice", body=INVOICE))


@pytest.mark.parametrize("said", [b"<html>ok", b"<cXML><Response/></cXML>", b""])
def test_an_answer_that_says_nothing_leaves_doubt(hub_serve: Serve, hub_kit: Kit, said: bytes) -> None:
    with hub_serve(handler(lambda _call: Answer(body=said))) as url, pytest.raises(InDoubt):
        opened(hub_kit, base_url=url).push(Outgoing(key="d-1", kind="invoice", body=INVOICE))


def test_without_their_address_nothing_is_sent(hub_kit: Kit) -> None:
    with pytest.raises(Paused, match="base_url"):
        opened(hub_kit).push(Outgoing(key="d-1", kind="invoice", body=INVOICE))
