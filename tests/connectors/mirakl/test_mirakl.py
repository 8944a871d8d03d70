"""A marketplace with a state machine: what is fetched, answered, shipped, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.mirakl import Mirakl
from connectors.mirakl.simulator import Market
from hub.sdk import InDoubt, Kit, Outgoing, Page, Paused, Rejected, RetryLater, Secret
from hub.testing.fakes import FakeClock
from hub.testing.scripted import Reset, Say, scripted
from hub.testing.serve import Answer, answer_json, serve
from tests.connectors.mirakl.sandbox import ONE, open_market, sample

pytest_plugins = ["hub.testing.pytest_plugin"]
Make = Callable[..., Outgoing]
SINCE = "2026-11-20T08:00:00Z"


def answer(**lines: bool) -> dict[str, Any]:
    given = lines or {"1": True, "2": True}
    return {"order_id": ONE, "order_lines": [{"id": f"{ONE}-{n.strip('_')}", "accepted": a} for n, a in given.items()]}


def order(number: int, updated: str = "2026-11-20T08:30:00Z", **fields: Any) -> dict[str, Any]:
    created = f"2026-11-20T07:{number // 60:02}:{number % 60:02}Z"
    return {
        **sample("order-waiting.json"), "order_id": f"N{number:04}", "created_date": created,
        "last_updated_date": updated, **fields,
    }  # fmt: skip


def keys(pages: list[Page]) -> list[str]:
    return [message.order_key for page in pages for message in page.messages]


def states(market: Market) -> list[str]:
    return [line["order_line_state"] for line in market.orders[ONE]["order_lines"]]


def accepted(market: Market, opened: Mirakl, outgoing: Make) -> None:
    opened.push(outgoing("acknowledgement", answer()))
    market.pay(ONE)


# Orders


def test_a_waiting_order_is_taken_in_with_the_last_change_as_cursor(opened: Mirakl) -> None:
    (page,) = opened.pull("order", SINCE)

    (message,) = page.messages
    assert (message.kind, message.order_key, page.cursor) == ("order", ONE, "2026-11-20T08:20:00Z")
    assert json.loads(message.body)["order_state"] == "WAITING_ACCEPTANCE"


def test_the_same_order_comes_again_with_its_address_once_it_is_paid(
    market: Market, opened: Mirakl, outgoing: Make
) -> None:
    (first,) = opened.pull("order", SINCE)
    opened.push(outgoing("acknowledgement", answer()))
    assert keys(list(opened.pull("order", first.cursor))) == []  # It waits for the money.

    market.pay(ONE)
    (second,) = opened.pull("order", first.cursor)

    assert keys([second]) == [ONE]
    assert second.messages[0].event_id != first.messages[0].event_id
    assert json.loads(second.messages[0].body)["customer"]["shipping_address"]["city"] == "Hamburg"


def test_an_order_that_is_seen_again_unchanged_has_the_same_event_id(opened: Mirakl) -> None:
    (first,), (second,) = opened.pull("order", SINCE), opened.pull("order", SINCE)

    assert first.messages[0].event_id == second.messages[0].event_id


def test_many_orders_come_by_pages_and_the_watermark_moves_with_the_last(market: Market, opened: Mirakl) -> None:
    market.orders.clear()
    for number in range(230):
        market.place(order(number, updated="2026-11-20T09:30:00Z" if number == 0 else "2026-11-20T08:30:00Z"))

    pages = list(opened.pull("order", SINCE))

    assert [len(page.messages) for page in pages] == [100, 100, 30]
    assert [page.cursor for page in pages] == [SINCE, SINCE, "2026-11-20T09:30:00Z"]


def test_orders_that_leave_the_list_between_two_pages_hide_no_others(market: Market, opened: Mirakl) -> None:
    market.orders.clear()
    for number in range(150):
        market.place(order(number))

    pages = opened.pull("order", SINCE)
    seen = keys([next(pages)])
    for number in range(20):
        del market.orders[f"N{number:04}"]
    seen += keys(list(pages))

    assert set(seen) == {f"N{number:04}" for number in range(150)}


def test_the_watermark_overlaps(market: Market, opened: Mirakl) -> None:
    market.orders.clear()
    market.place(order(1, updated="2026-11-20T08:50:00Z"))
    market.place(order(2, updated="2026-11-20T08:49:59Z"))

    assert keys(list(opened.pull("order", "2026-11-20T09:00:00Z"))) == ["N0001"]


def test_nothing_new_keeps_the_watermark(market: Market, opened: Mirakl) -> None:
    market.orders.clear()

    (page,) = opened.pull("order", SINCE)

    assert (page.messages, page.cursor) == ((), SINCE)


def test_several_shops_are_told_apart(hub_kit: Kit) -> None:
    with scripted(Say(body=b'{"orders": [], "total_count": 0}')) as partner:
        list(open_market(partner.url, hub_kit, shop_id="2042").pull("order", SINCE))

    assert partner.calls[0].query["shop_id"] == "2042"


# Answers


def test_every_line_is_answered(market: Market, opened: Mirakl, outgoing: Make) -> None:
    opened.push(outgoing("acknowledgement", answer(_1=True, _2=False)))

    assert states(market) == ["WAITING_DEBIT_PAYMENT", "REFUSED"]


def test_an_order_whose_lines_are_all_refused_is_refused(market: Market, opened: Mirakl, outgoing: Make) -> None:
    opened.push(outgoing("acknowledgement", answer(_1=False, _2=False)))

    assert market.orders[ONE]["order_state"] == "REFUSED"


def test_a_second_answer_changes_nothing(market: Market, opened: Mirakl, outgoing: Make) -> None:
    opened.push(outgoing("acknowledgement", answer()))
    opened.push(outgoing("acknowledgement", answer()))

    assert sum(call.endswith("/accept") for call in market.calls) == 1


def test_an_answer_after_the_deadline_is_refused_by_line(
    opened: Mirakl, outgoing: Make, market_clock: FakeClock
) -> None:
    market_clock.advance(hours=25)

    with pytest.raises(Rejected, match="deadline") as refused:
        opened.push(outgoing("acknowledgement", answer()))

    assert [problem.value for problem in refused.value.problems] == [f"{ONE}-1", f"{ONE}-2"]


def test_a_refusal_that_the_marketplace_made_itself_is_no_error(
    opened: Mirakl, outgoing: Make, market_clock: FakeClock
) -> None:
    market_clock.advance(hours=25)

    assert opened.push(outgoing("acknowledgement", answer(_1=False, _2=False))).reference == ONE


def test_a_line_that_the_order_lacks_is_named(opened: Mirakl, outgoing: Make) -> None:
    with pytest.raises(Rejected, match="no line M1001-A-9"):
        opened.push(outgoing("acknowledgement", answer(_1=True, _2=True, _9=True)))


def test_what_the_marketplace_refuses_comes_in_its_words(opened: Mirakl, outgoing: Make) -> None:
    with pytest.raises(Rejected, match="All lines of the order must be answered: M1001-A-2"):
        opened.push(outgoing("acknowledgement", answer(_1=True)))


def test_a_doubted_answer_is_read_from_the_order(opened: Mirakl, outgoing: Make) -> None:
    out = outgoing("acknowledgement", answer())
    assert opened.find(out) is None

    opened.push(out)

    found = opened.find(out)
    assert found is not None
    assert found.reference == ONE


# Shipments


def test_a_paid_order_is_shipped_with_its_tracking(market: Market, opened: Mirakl, outgoing: Make) -> None:
    accepted(market, opened, outgoing)

    opened.push(outgoing("shipment", sample("shipment.json")))

    shipped = market.orders[ONE]
    assert (shipped["order_state"], shipped["shipping_tracking"]) == ("SHIPPED", "00340434161094000001")
    assert market.calls[-2:] == [f"PUT /api/orders/{ONE}/tracking", f"PUT /api/orders/{ONE}/ship"]


def test_a_second_shipment_changes_nothing(market: Market, opened: Mirakl, outgoing: Make) -> None:
    accepted(market, opened, outgoing)
    opened.push(outgoing("shipment", sample("shipment.json")))

    opened.push(outgoing("shipment", sample("shipment.json")))

    assert sum(call.endswith("/ship") for call in market.calls) == 1


def test_a_shipment_whose_answer_was_lost_is_found(market: Market, opened: Mirakl, outgoing: Make) -> None:
    accepted(market, opened, outgoing)
    out = outgoing("shipment", sample("shipment.json"))
    assert opened.find(out) is None

    opened.push(out)

    assert opened.find(out) is not None


def test_a_shipment_that_stopped_after_the_tracking_goes_on(market: Market, opened: Mirakl, outgoing: Make) -> None:
    accepted(market, opened, outgoing)
    out = outgoing("shipment", sample("shipment.json"))
    market.orders[ONE]["shipping_tracking"] = "00340434161094000001"

    opened.push(out)

    assert market.orders[ONE]["order_state"] == "SHIPPED"


def test_an_order_that_is_not_paid_is_shipped_later(opened: Mirakl, outgoing: Make) -> None:
    opened.push(outgoing("acknowledgement", answer()))

    with pytest.raises(RetryLater, match="WAITING_DEBIT_PAYMENT") as waits:
        opened.push(outgoing("shipment", sample("shipment.json")))

    assert waits.value.after == 900.0


def test_a_cancelled_order_is_not_shipped(market: Market, opened: Mirakl, outgoing: Make) -> None:
    accepted(market, opened, outgoing)
    market.cancel(ONE)

    with pytest.raises(Rejected, match="CANCELED; stop the parcel"):
        opened.push(outgoing("shipment", sample("shipment.json")))


def test_a_part_of_an_order_is_not_shipped(market: Market, opened: Mirakl, outgoing: Make) -> None:
    accepted(market, opened, outgoing)
    body = sample("shipment.json")

    with pytest.raises(Rejected, match="line M1001-A-2: 1 are missing"):
        opened.push(outgoing("shipment", {**body, "lines": body["lines"][:1]}))

    assert market.orders[ONE]["order_state"] == "SHIPPING"


def test_a_refused_line_is_not_missed_in_a_shipment(market: Market, opened: Mirakl, outgoing: Make) -> None:
    opened.push(outgoing("acknowledgement", answer(_1=True, _2=False)))
    market.pay(ONE)
    body = sample("shipment.json")

    opened.push(outgoing("shipment", {**body, "lines": body["lines"][:1]}))

    assert states(market) == ["SHIPPED", "REFUSED"]


def test_an_order_that_was_shipped_under_another_number_is_for_a_person(
    market: Market, opened: Mirakl, outgoing: Make
) -> None:
    accepted(market, opened, outgoing)
    opened.push(outgoing("shipment", sample("shipment.json")))
    body = sample("shipment.json")

    with pytest.raises(Rejected, match="not OTHER"):
        opened.push(outgoing("shipment", {**body, "tracking": {"carrier_name": "DHL", "tracking_number": "OTHER"}}))


def test_an_unknown_order_is_named(opened: Mirakl, outgoing: Make) -> None:
    with pytest.raises(Rejected, match="no order X"):
        opened.push(outgoing("shipment", {**sample("shipment.json"), "order_id": "X"}))


# Parts of an order


@pytest.fixture
def parts(market: Market, address: str, hub_kit: Kit, opened: Mirakl, outgoing: Make) -> Mirakl:
    """A marketplace with multiple shipments, and a paid order."""
    accepted(market, opened, outgoing)
    return open_market(address, hub_kit, multiple_shipments=True)


def part(number: str, **lines: int) -> dict[str, Any]:
    tracking = {"carrier_name": "DHL", "tracking_number": number} if number else {}
    given = [{"id": f"{ONE}-{key.strip('_')}", "quantity": quantity} for key, quantity in lines.items()]
    return {"order_id": ONE, "tracking": tracking, "lines": given}


def test_an_order_leaves_in_parts(market: Market, parts: Mirakl, outgoing: Make) -> None:
    first = parts.push(outgoing("shipment", part("T-1", _1=1)))
    assert market.orders[ONE]["order_state"] == "SHIPPING"
    second = parts.push(outgoing("shipment", part("T-2", _1=1, _2=1)))

    assert (first.reference, second.reference) == ("shipment-1", "shipment-2")
    assert market.orders[ONE]["order_state"] == "SHIPPED"


def test_a_part_goes_once(market: Market, parts: Mirakl, outgoing: Make) -> None:
    out = outgoing("shipment", part("T-1", _1=1))
    assert parts.find(out) is None

    parts.push(out)
    parts.push(out)

    found = parts.find(out)
    assert found is not None
    assert (found.reference, len(market.shipments)) == ("shipment-1", 1)


def test_a_doubted_part_without_tracking_number_is_for_a_person(parts: Mirakl, outgoing: Make) -> None:
    parts.push(outgoing("shipment", part("", _1=1)))

    with pytest.raises(InDoubt, match="no tracking number"):
        parts.find(outgoing("shipment", part("", _1=1)))


def test_too_much_of_a_line_is_refused_in_their_words(parts: Mirakl, outgoing: Make) -> None:
    with pytest.raises(Rejected, match="Too many of the lines M1001-A-1"):
        parts.push(outgoing("shipment", part("T-1", _1=3)))


def test_a_part_of_a_cancelled_order_is_not_shipped(market: Market, parts: Mirakl, outgoing: Make) -> None:
    market.cancel(ONE)

    with pytest.raises(Rejected, match="CANCELED"):
        parts.push(outgoing("shipment", part("T-1", _1=1)))


# Answers of the marketplace


@pytest.mark.parametrize(
    ("said", "kind", "text"),
    [
        (Answer(status=429, headers={"Retry-After": "30"}), RetryLater, "429"),
        (Answer(status=500), RetryLater, "500"),
        (Answer(status=503), RetryLater, "503"),
        (answer_json({"status": 401, "message": "Unauthorized"}, 401), Paused, "401"),
        (Answer(status=403), Paused, "403"),
        (Answer(status=400, body=b"no"), Rejected, "400"),
        (Answer(status=200, body=b"<html>", content_type="text/html"), RetryLater, "JSON"),
    ],
)
def test_every_answer_has_its_remedy(market: Market, opened: Mirakl, said: Answer, kind: type, text: str) -> None:
    market.faults.append(said)

    with pytest.raises(kind, match=text):
        list(opened.pull("order", SINCE))


def test_retry_after_is_kept(market: Market, opened: Mirakl) -> None:
    market.faults.append(Answer(status=429, headers={"Retry-After": "30"}))

    with pytest.raises(RetryLater) as waits:
        opened.check()

    assert waits.value.after == 30.0


def test_a_field_that_is_refused_is_a_problem_with_its_path(market: Market, opened: Mirakl, outgoing: Make) -> None:
    accepted(market, opened, outgoing)
    body = sample("shipment.json")

    with pytest.raises(Rejected) as refused:
        opened.push(outgoing("shipment", {**body, "tracking": {"tracking_number": "T"}}))

    (problem,) = refused.value.problems
    assert (problem.code, problem.path, problem.text) == ("mirakl_missing", "carrier_name", "is missing")


def test_a_wrong_key_pauses_the_connection(market: Market, hub_kit: Kit) -> None:
    with serve(market.app) as address, pytest.raises(Paused):
        open_market(address, hub_kit, api_key=Secret("wrong")).check()


def test_a_ship_call_that_is_cut_off_is_in_doubt(hub_kit: Kit, outgoing: Make) -> None:
    paid = json.dumps({"orders": [sample("order-shipping.json")], "total_count": 1}).encode()
    with scripted(Say(body=paid), Say(status=204, body=b""), Reset()) as partner, pytest.raises(InDoubt):
        open_market(partner.url, hub_kit).push(outgoing("shipment", sample("shipment.json")))


def test_what_is_not_done_here_is_said(opened: Mirakl, outgoing: Make) -> None:
    with pytest.raises(Rejected, match="'invoice'"):
        opened.push(outgoing("invoice", b"{}"))
    with pytest.raises(Rejected, match="'stock'"):
        list(opened.pull("stock", ""))
