"""The carrier, against its simulator: labels once, voids, scans, and every way in which it can go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from connectors.carrier import Carrier, Settings
from connectors.carrier.simulator import CarrierSimulator
from hub.sdk import InDoubt, Kit, Outgoing, Paused, Rejected, RetryLater, Secret
from hub.testing.scripted import Hang, Say, Scripted

pytest_plugins = ["hub.testing.pytest_plugin"]
Serve = Callable[..., AbstractContextManager[str]]
Play = Callable[..., AbstractContextManager[Scripted]]
SAMPLES = Path(__file__).parents[3] / "mappings/carrier/samples"
REQUEST = (SAMPLES / "label-request.json").read_bytes()


def carrier(url: str, kit: Kit, token: str = "token", **settings: Any) -> Carrier:
    return Carrier(Settings(base_url=url, token=Secret(token), **settings), kit)


def label_request(key: str = "d-1", body: bytes = REQUEST) -> Outgoing:
    return Outgoing(key=key, kind="label_request", body=body, content_type="application/json")


def test_a_label_comes_back_as_a_document(hub_serve: Serve, hub_kit: Kit) -> None:
    with hub_serve(CarrierSimulator().app()) as url:
        receipt = carrier(url, hub_kit).push(label_request())

    assert (receipt.reference, receipt.kind, receipt.content_type) == ("CS-1", "label", "application/json")
    assert json.loads(receipt.body) == json.loads((SAMPLES / "label.json").read_bytes())


def test_a_label_that_is_asked_for_twice_is_bought_once(hub_serve: Serve, hub_kit: Kit) -> None:
    simulator = CarrierSimulator()
    with hub_serve(simulator.app()) as url:
        account = carrier(url, hub_kit)
        receipts = [account.push(label_request()), account.push(label_request()), account.push(label_request("d-2"))]

    assert [receipt.reference for receipt in receipts] == ["CS-1", "CS-1", "CS-2"]
    assert receipts[0] == receipts[1]
    assert len(simulator.labels) == 2


def test_in_doubt_the_label_is_found_by_our_key_and_nothing_else_is(hub_serve: Serve, hub_kit: Kit) -> None:
    with hub_serve(CarrierSimulator().app()) as url:
        account = carrier(url, hub_kit)
        sent = account.push(label_request("d-1"))

        assert account.find(label_request("d-1")) == sent
        assert account.find(label_request("d-2")) is None


def test_a_line_that_breaks_after_the_request_leaves_doubt(hub_scripted: Play, hub_kit: Kit) -> None:
    with hub_scripted(Hang()) as partner, pytest.raises(InDoubt):
        carrier(partner.url, hub_kit, deadline=1).push(label_request())


def test_an_answer_without_an_id_leaves_doubt(hub_scripted: Play, hub_kit: Kit) -> None:
    with (
        hub_scripted(Say(status=201, body=b'{"ok": true}')) as partner,
        pytest.raises(InDoubt, match="not a JSON object with an id"),
    ):
        carrier(partner.url, hub_kit).push(label_request())


def test_an_address_that_they_refuse_is_final_and_in_their_words(hub_serve: Serve, hub_kit: Kit) -> None:
    with hub_serve(CarrierSimulator().app()) as url, pytest.raises(Rejected, match=r"to\.postal_code is missing") as no:
        carrier(url, hub_kit).push(label_request(body=b'{"reference": "SH-1", "to": {"name": "Jo"}}'))

    assert [problem.code for problem in no.value.problems] == ["http_422"]


def test_a_busy_carrier_is_tried_later_and_when_it_says(hub_scripted: Play, hub_kit: Kit) -> None:
    with hub_scripted(Say(status=429, headers={"Retry-After": "7"})) as partner, pytest.raises(RetryLater) as busy:
        carrier(partner.url, hub_kit).push(label_request())

    assert busy.value.after == 7


def test_a_refused_token_pauses_the_connection(hub_serve: Serve, hub_kit: Kit) -> None:
    with hub_serve(CarrierSimulator().app()) as url:
        carrier(url, hub_kit).check()
        with pytest.raises(Paused):
            carrier(url, hub_kit, token="old").check()


def test_a_look_up_that_is_refused_is_not_taken_for_nothing(hub_scripted: Play, hub_kit: Kit) -> None:
    with hub_scripted(Say(status=400)) as partner, pytest.raises(Rejected):
        carrier(partner.url, hub_kit).find(label_request())


def test_a_label_is_voided_once(hub_serve: Serve, hub_kit: Kit) -> None:
    simulator = CarrierSimulator()
    out = Outgoing(key="v-1", kind="void_request", body=b'{"reference": "SH-000007"}', content_type="application/json")
    with hub_serve(simulator.app()) as url:
        account = carrier(url, hub_kit)
        account.push(label_request())
        receipts = [account.push(out), account.push(out), account.find(out)]

    assert [(each.reference, each.kind) for each in receipts if each] == [("CV-1", "")] * 3
    assert len(simulator.voids) == 1


def test_a_void_of_what_was_never_bought_is_refused(hub_serve: Serve, hub_kit: Kit) -> None:
    out = Outgoing(key="v-1", kind="void_request", body=b'{"reference": "SH-9"}', content_type="application/json")
    with hub_serve(CarrierSimulator().app()) as url, pytest.raises(Rejected, match="no label for SH-9"):
        carrier(url, hub_kit).push(out)


def test_scans_come_once_in_order_and_page_by_page(hub_serve: Serve, hub_kit: Kit) -> None:
    simulator = CarrierSimulator()
    with hub_serve(simulator.app()) as url:
        account = carrier(url, hub_kit, page=2)
        account.push(label_request())
        for hour, status in enumerate(("collected", "in_transit", "delivered"), 9):
            simulator.scan("SH-000007", status, f"2026-11-24T{hour:02}:00:00Z")
        pages = list(account.pull("tracking", ""))
        again = list(account.pull("tracking", pages[-1].cursor))

    assert [page.cursor for page in pages] == ["2", "3"]
    messages = [message for page in pages for message in page.messages]
    assert [(m.event_id, m.order_key, m.kind) for m in messages] == [
        ("T-1", "SH-000007", "tracking"),
        ("T-2", "SH-000007", "tracking"),
        ("T-3", "SH-000007", "tracking"),
    ]
    assert json.loads(messages[2].body)["status"] == "delivered"
    assert again == []


@pytest.mark.parametrize("body", [b'{"events": 3}', b"[]", b"<html>"])
def test_tracking_that_cannot_be_read_is_tried_later(hub_scripted: Play, hub_kit: Kit, body: bytes) -> None:
    with hub_scripted(Say(body=body)) as partner, pytest.raises(RetryLater):
        list(carrier(partner.url, hub_kit).pull("tracking", ""))


def test_a_cursor_that_does_not_move_ends_the_pull(hub_scripted: Play, hub_kit: Kit) -> None:
    with hub_scripted(Say(body=b'{"events": [{"id": "T-1"}], "next": "1"}')) as partner:
        pages = list(carrier(partner.url, hub_kit).pull("tracking", ""))

    assert len(pages) == 1


def test_other_documents_are_refused_with_words(hub_kit: Kit) -> None:
    with pytest.raises(Rejected, match="not invoice"):
        carrier("http://127.0.0.1:9", hub_kit).push(Outgoing(key="d-1", kind="invoice", body=b"{}"))
