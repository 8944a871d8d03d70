"""The generic JSON destination, one by one and in lists, against its simulator and partners that misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from connectors.rest import Rest, Settings
from connectors.rest.simulator import RestSink
from hub.sdk import InDoubt, Kit, Outgoing, Paused, Receipt, Rejected, RetryLater, Secret
from hub.testing.scripted import Hang, Reset, Say, Scripted
from hub.testing.serve import Answer, Call, handler, serve

pytest_plugins = ["hub.testing.pytest_plugin"]
Serve = Callable[..., AbstractContextManager[str]]
Play = Callable[..., AbstractContextManager[Scripted]]


def rest(url: str, kit: Kit, **settings: Any) -> Rest:
    return Rest(Settings(base_url=url, **{"path": "/{kind}", "find_path": "/by-key/{key}", **settings}), kit)


def out(key: str = "d-1", kind: str = "order", **document: Any) -> Outgoing:
    body = json.dumps({"reference": key, **document}).encode()
    return Outgoing(key=key, kind=kind, body=body, content_type="application/json")


def refuse_without_total(document: Any) -> str:
    return "" if "total" in document else "total is missing"


def test_a_document_goes_to_the_path_of_its_kind(hub_serve: Serve, hub_kit: Kit) -> None:
    sink = RestSink()
    with hub_serve(sink.app()) as url:
        receipt = rest(url, hub_kit).push(out("d-1", "shipment", tracking="CX1"))

    assert receipt == Receipt(reference="R-1", body=b'{"id":"R-1"}')
    assert sink.documents("shipment") == [{"reference": "d-1", "tracking": "CX1"}]


def test_an_agreement_may_name_a_path_of_its_own(hub_serve: Serve, hub_kit: Kit) -> None:
    sink = RestSink()
    document = Outgoing(key="d-1", kind="order", body=b"{}", meta={"path": "/import"})
    with hub_serve(sink.app()) as url:
        rest(url, hub_kit).push(document)

    assert sink.documents("import") == [{}]


def test_the_bytes_and_the_key_go_out_as_they_are(hub_scripted: Play, hub_kit: Kit) -> None:
    document = Outgoing(key="d-1", kind="order", body=b"<order/>", content_type="application/xml")
    with hub_scripted(Say(body=b'{"id": 7}')) as partner:
        receipt = rest(partner.url, hub_kit, token=Secret("abc")).push(document)

    (call,) = partner.calls
    assert (call.method, call.path, call.body) == ("POST", "/order", b"<order/>")
    assert call.headers["content-type"] == "application/xml"
    assert call.headers["idempotency-key"] == "d-1"
    assert call.headers["authorization"] == "Bearer abc"
    assert receipt.reference == "7"


def test_a_document_that_is_sent_twice_has_one_effect(hub_serve: Serve, hub_kit: Kit) -> None:
    sink = RestSink()
    with hub_serve(sink.app()) as url:
        account = rest(url, hub_kit)
        receipts = [account.push(out()), account.push(out())]

    assert [each.reference for each in receipts] == ["R-1", "R-1"]
    assert (len(sink.kept), sink.repeats) == (1, 1)


def test_in_doubt_it_is_looked_up_by_our_key(hub_serve: Serve, hub_kit: Kit) -> None:
    with hub_serve(RestSink().app()) as url:
        account = rest(url, hub_kit)
        account.push(out("d-1"))
        found, missing = account.find(out("d-1")), account.find(out("d-2"))

    assert found is not None
    assert found.reference == "R-1"
    assert missing is None


def test_without_a_look_up_nothing_is_found_and_nobody_is_called(hub_kit: Kit) -> None:
    assert rest("http://127.0.0.1:9", hub_kit, find_path="").find(out()) is None


def test_a_look_up_that_is_refused_is_not_taken_for_nothing(hub_scripted: Play, hub_kit: Kit) -> None:
    with hub_scripted(Say(status=400)) as partner, pytest.raises(Rejected):
        rest(partner.url, hub_kit).find(out())


@pytest.mark.parametrize("step", [Hang(), Reset()])
def test_a_line_that_breaks_after_the_request_leaves_doubt(hub_scripted: Play, hub_kit: Kit, step: Any) -> None:
    with hub_scripted(step) as partner, pytest.raises(InDoubt):
        rest(partner.url, hub_kit, deadline=1).push(out())


def test_a_destination_that_is_not_there_is_tried_later(hub_kit: Kit) -> None:
    with pytest.raises(RetryLater):
        rest("http://127.0.0.1:9", hub_kit).push(out())


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_pauses_the_connection(hub_scripted: Play, hub_kit: Kit, status: int) -> None:
    with hub_scripted(Say(status=status)) as partner, pytest.raises(Paused):
        rest(partner.url, hub_kit).push(out())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_destination_is_tried_later_and_when_it_says(hub_scripted: Play, hub_kit: Kit, status: int) -> None:
    with hub_scripted(Say(status=status, headers={"Retry-After": "9"})) as partner, pytest.raises(RetryLater) as busy:
        rest(partner.url, hub_kit).push(out())

    assert busy.value.after == 9


def test_a_refusal_is_final_and_in_their_words(hub_serve: Serve, hub_kit: Kit) -> None:
    with (
        hub_serve(RestSink(judge=refuse_without_total).app()) as url,
        pytest.raises(Rejected, match="total is missing") as no,
    ):
        rest(url, hub_kit).push(out())

    assert [problem.code for problem in no.value.problems] == ["http_422"]


def test_an_answer_that_is_not_json_leaves_doubt_unless_anything_will_do(hub_scripted: Play, hub_kit: Kit) -> None:
    with hub_scripted(Say(body=b"<html>Welcome</html>")) as partner:
        with pytest.raises(InDoubt, match="not JSON"):
            rest(partner.url, hub_kit).push(out())
        receipt = rest(partner.url, hub_kit, answers="anything").push(out())

    assert receipt == Receipt(body=b"<html>Welcome</html>")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"number": 1}', b'{"id": null}', b'{"id": {"a": 1}}', b"3"])
def test_an_answer_without_an_id_is_a_receipt_without_a_reference(
    hub_scripted: Play, hub_kit: Kit, body: bytes
) -> None:
    with hub_scripted(Say(body=body)) as partner:
        receipt = rest(partner.url, hub_kit).push(out())

    assert receipt.reference == ""


def test_a_list_goes_in_one_call_and_each_entry_has_its_id(hub_serve: Serve, hub_kit: Kit) -> None:
    sink = RestSink()
    with hub_serve(sink.app()) as url:
        results = rest(url, hub_kit, bulk_path="/bulk/order").push_many([out("d-1"), out("d-2")])

    assert [each.reference for each in results if isinstance(each, Receipt)] == ["R-1", "R-2"]
    assert sink.documents("order") == [{"reference": "d-1"}, {"reference": "d-2"}]


def test_a_list_that_is_sent_twice_has_one_effect(hub_serve: Serve, hub_kit: Kit) -> None:
    sink = RestSink()
    with hub_serve(sink.app()) as url:
        account = rest(url, hub_kit, bulk_path="/bulk/order")
        account.push_many([out("d-1"), out("d-2")])
        account.push_many([out("d-2"), out("d-3")])

    assert sorted(sink.kept) == ["d-1", "d-2", "d-3"]


def test_one_refused_document_does_not_stop_the_list(hub_serve: Serve, hub_kit: Kit) -> None:
    sink = RestSink(judge=refuse_without_total)
    with hub_serve(sink.app()) as url:
        results = rest(url, hub_kit, bulk_path="/bulk/order").push_many([out("d-1"), out("d-2", total="1.00")])

    assert isinstance(results[0], Rejected)
    assert "total is missing" in str(results[0])
    assert isinstance(results[1], Receipt)
    assert sorted(sink.kept) == ["d-2"]


def test_a_list_that_is_refused_as_a_whole_goes_one_by_one(hub_scripted: Play, hub_kit: Kit) -> None:
    steps = [Say(status=422), Say(body=b"[]"), Say(status=422, body=b"bad total"), Say(status=503)]
    with hub_scripted(*steps) as partner:
        account = rest(partner.url, hub_kit, bulk_path="/bulk")
        results = account.push_many([out("d-1"), out("d-2"), out("d-3")])

    assert [type(each) for each in results] == [Receipt, Rejected, RetryLater]
    assert [call.headers["idempotency-key"] for call in partner.calls] == ["d-1,d-2,d-3", "d-1", "d-2", "d-3"]


def test_a_list_that_breaks_leaves_doubt_about_all_of_it(hub_scripted: Play, hub_kit: Kit) -> None:
    with hub_scripted(Hang()) as partner, pytest.raises(InDoubt):
        rest(partner.url, hub_kit, bulk_path="/bulk", deadline=1).push_many([out("d-1"), out("d-2")])


def test_an_answer_of_another_length_is_taken_for_the_whole(hub_scripted: Play, hub_kit: Kit) -> None:
    with hub_scripted(Say(body=b'{"results": [{"id": 1}]}')) as partner:
        results = rest(partner.url, hub_kit, bulk_path="/bulk").push_many([out("d-1"), out("d-2")])

    assert results == [Receipt(), Receipt()]


def test_without_a_path_for_lists_each_goes_alone_and_has_its_own_end(hub_serve: Serve, hub_kit: Kit) -> None:
    sink = RestSink(judge=refuse_without_total)
    with hub_serve(sink.app()) as url:
        account = rest(url, hub_kit)
        documents = [out("d-1"), out("d-2", total=1), out("d-3", "shipment", total=1), out("d-4", total=1)]
        results = account.push_many(documents)

        assert [type(each) for each in results] == [Rejected, Receipt, Receipt, Receipt]
        assert results[1:] == [account.push(each) for each in documents[1:]]
    assert {key: kept["kind"] for key, kept in sink.kept.items()} == {"d-2": "order", "d-3": "shipment", "d-4": "order"}
    assert sink.repeats == 3


def test_side_by_side_an_answer_that_is_not_json_leaves_doubt_about_its_own_document(
    hub_scripted: Play, hub_kit: Kit
) -> None:
    with hub_scripted(Say(body=b"<html>"), Say(body=b'{"id": 2}')) as partner:
        results = rest(partner.url, hub_kit, lines=1).push_many([out("d-1"), out("d-2")])

    assert [type(each) for each in results] == [InDoubt, Receipt]


@pytest.mark.parametrize(("lines", "most"), [(1, 1), (0, 1), (99, 8)])
def test_no_more_calls_are_under_way_than_the_settings_say(hub_kit: Kit, lines: int, most: int) -> None:
    under_way, found, guard = 0, 0, threading.Lock()

    def answer(_: Call) -> Answer:
        nonlocal under_way, found
        with guard:
            under_way += 1
            found = max(found, under_way)
        with guard:
            under_way -= 1
        return Answer(body=b"{}")

    with serve(handler(answer), threads=12) as url:
        rest(url, hub_kit, lines=lines).push_many([out(f"d-{at}") for at in range(60)])

    assert 1 <= found <= most


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        (b'\xef\xbb\xbf{"id": "A1"}', "A1"),
        (b'{"id": 1.50}', "1.50"),
        (b'{"id": 12345678901234567890123}', "12345678901234567890123"),
    ],
)
def test_an_id_is_taken_as_they_write_it(hub_scripted: Play, hub_kit: Kit, body: bytes, reference: str) -> None:
    with hub_scripted(Say(body=body)) as partner:
        assert rest(partner.url, hub_kit).push(out()).reference == reference


def test_the_account_is_tried_without_effect(hub_serve: Serve, hub_kit: Kit) -> None:
    sink = RestSink(token="right")
    with hub_serve(sink.app()) as url:
        rest(url, hub_kit, token=Secret("right")).check()
        with pytest.raises(Paused):
            rest(url, hub_kit, token=Secret("old")).check()

    assert sink.kept == {}


class NotingKit:
    """Notes how the client was asked for."""

    connection = "erp"

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def http(self, base_url: str, **settings: Any) -> Any:
        self.asked = settings


@pytest.mark.parametrize(("given", "asked"), [(0, None), (5, 5)])
def test_their_limit_is_handed_to_the_kit(given: int, asked: int | None) -> None:
    kit: Any = NotingKit()

    rest("http://127.0.0.1:9", kit, per_second=given)

    assert kit.asked["per_second"] == asked
