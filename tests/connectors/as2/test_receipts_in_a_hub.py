"""Receipts for what a hub sent: at once or later, good, bad, forged, too early or never."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.as2.simulator import Later
from hub.pipeline.verdicts import mark_overdue

from .conftest import certificate_pem
from .trade import Trade, purchase

Found = Callable[..., Trade]
ASYNC = ('receipt = "async"', 'receipt_url = "https://hub.example/as2"')


def expected(north: Trade) -> list[tuple[Any, ...]]:
    return north.rows("SELECT kind, state FROM expected_receipts ORDER BY kind")


def ordered(trade: Found, *settings: str, **changes: Any) -> Trade:
    """Found a hub whose answer to an order went out."""
    north = trade(*settings, **changes)
    north.post(north.partner.send(purchase("P1"), identity="<1@north>"))
    north.work()
    return north


def test_a_later_receipt_acknowledges_the_delivery_as_a_997_does(trade: Found) -> None:
    north = ordered(trade, *ASYNC)
    assert (north.deliveries(), expected(north)) == ([("acknowledgement", "delivered")], [("mdn", "due")])

    answer = north.post(north.partner.later[0])
    assert (answer.status_code, answer.data) == (200, b"")
    north.work()

    assert (north.deliveries(), expected(north)) == ([("acknowledgement", "acknowledged")], [("mdn", "received")])
    assert north.count("delivery.acknowledged") == 1
    assert north.post(north.partner.later[0]).status_code == 200
    north.work()
    assert north.count("delivery.acknowledged") == 1
    assert [row for row in north.messages() if row[:2] == ("in", "mdn")] == [("in", "mdn", "applied")]


@pytest.mark.parametrize(("behaviour", "words"), [("wrong_mic", "not what we sent"), ("negative", "decryption-failed")])
def test_a_later_receipt_that_refuses_is_an_incident(trade: Found, behaviour: str, words: str) -> None:
    north = ordered(trade, *ASYNC, behaviour=behaviour)
    north.post(north.partner.later[0])
    north.work()

    assert (north.deliveries(), expected(north)) == ([("acknowledgement", "refused")], [("mdn", "refused")])
    ((title, action),) = north.rows("SELECT title, next_action FROM incidents")
    assert words in title
    assert action.startswith("mend what they name")
    assert [row for row in north.messages() if row[:2] == ("in", "mdn")] == [("in", "mdn", "applied")]


def test_a_later_receipt_that_is_forged_changes_nothing(trade: Found) -> None:
    north = ordered(trade, *ASYNC, behaviour="bad_signature")

    north.post(north.partner.later[0])
    north.work()

    assert (north.deliveries(), expected(north)) == ([("acknowledgement", "delivered")], [("mdn", "due")])
    assert north.incidents() == ["exchange/north/integrity-check-failed"]


def test_a_later_receipt_for_nothing_of_ours_is_an_incident(trade: Found) -> None:
    north = ordered(trade, *ASYNC, behaviour="foreign")

    assert north.post(north.partner.later[0]).status_code == 200
    north.work()

    assert north.incidents() == ["exchange/north/unknown-receipt"]
    assert north.deliveries() == [("acknowledgement", "delivered")]


def test_a_receipt_that_does_not_come_is_asked_for_by_sending_again_and_then_a_person_is_told(trade: Found) -> None:
    north = ordered(trade, *ASYNC, behaviour="no_receipt")

    for attempt in (2, 3):
        run_out(north)
        assert north.rows("SELECT attempts, state FROM deliveries") == [(attempt, "delivered")]
        assert (north.incidents(), expected(north)) == ([], [("mdn", "due")])
    run_out(north)

    assert north.rows("SELECT attempts, state FROM deliveries") == [(3, "delivered")]
    assert (north.incidents(), expected(north)) == (["unacknowledged/north/mdn"], [("mdn", "overdue")])
    ids = [call.headers["message-id"] for call in north.partner.calls]
    assert (len(ids), len(set(ids)), len(north.partner.received)) == (3, 1, 1)
    north.partner.behaviour = "good"
    north.partner.answers.clear()
    north.hub.ledger.transact(lambda unit: unit.again(unit.deliveries([delivery(north)])))
    north.work()
    north.post(north.partner.later[0])
    north.work()
    assert (north.deliveries(), north.incidents()) == ([("acknowledgement", "acknowledged")], [])


def run_out(north: Trade) -> None:
    """The clocks of what is owed run out."""
    north.hub.store.write(lambda db: db.run("UPDATE expected_receipts SET due_us = 1"))
    mark_overdue(north.hub.services)
    north.work()


def delivery(north: Trade) -> str:
    return str(north.rows("SELECT id FROM deliveries WHERE send = 'acknowledgement'")[0][0])


def test_a_receipt_that_is_quicker_than_our_record_waits_for_it(trade: Found) -> None:
    north = ordered(trade, *ASYNC)
    north.hub.store.write(lambda db: db.run("UPDATE deliveries SET state = 'begun'"))

    north.post(north.partner.later[0])
    north.work()
    assert north.deliveries() == [("acknowledgement", "begun")]
    north.hub.store.write(lambda db: db.run("UPDATE deliveries SET state = 'delivered'"))
    north.again()

    assert north.deliveries() == [("acknowledgement", "acknowledged")]


def test_a_receipt_for_what_is_in_doubt_ends_the_doubt(trade: Found) -> None:
    north = ordered(trade, behaviour="empty")
    assert north.rows("SELECT state FROM deliveries") == [("in_doubt",)]

    receipt = north.partner.answers[north.partner.calls[0].headers["message-id"]]
    later = Later(url="", body=receipt.body, headers={**receipt.headers, "Content-Type": receipt.content_type})
    north.post(later)
    north.again()

    assert north.deliveries() == [("acknowledgement", "acknowledged")]
    assert north.rows("SELECT count(*) FROM work") == [(0,)]
    assert len(north.partner.calls) == 1


def test_no_receipt_in_the_answer_is_tried_again_under_the_same_id(trade: Found) -> None:
    north = ordered(trade, behaviour="empty")
    north.partner.behaviour = "good"
    north.again()

    assert north.deliveries() == [("acknowledgement", "acknowledged")]
    assert (len(north.partner.calls), north.partner.repeats, len(north.partner.received)) == (2, 1, 1)


@pytest.mark.parametrize("behaviour", ["wrong_mic", "bad_signature", "negative"])
def test_a_bad_receipt_in_the_answer_refuses_the_delivery_and_is_kept(trade: Found, behaviour: str) -> None:
    north = ordered(trade, behaviour=behaviour)

    assert north.deliveries() == [("acknowledgement", "refused")]
    (row,) = north.rows(
        "SELECT d.subject_id, d.reference, m.state FROM documents d JOIN messages m ON m.id = d.message_id "
        "WHERE d.set_id = 'mdn'"
    )
    assert row == (delivery(north), "refused", "applied")
    assert [each.startswith("out/north/acknowledgement/") for each in north.incidents()] == [True]


def test_a_997_that_never_comes_is_missed_although_a_receipt_came(trade: Found) -> None:
    north = ordered(trade)
    with_clock = ("INSERT INTO expected_receipts (delivery_id, kind, connection, partner, control_key, due_us, state) "
                  f"VALUES ('{delivery(north)}', '997', 'north', 'north', '', 1, 'due')")  # fmt: skip
    north.hub.store.write(lambda db: db.run(with_clock))

    assert mark_overdue(north.hub.services) == 1
    assert north.incidents() == ["unacknowledged/north/997"]


def test_a_certificate_that_runs_out_is_an_incident_that_a_new_one_closes(trade: Found) -> None:
    north = trade()
    north.change(their_certificates=[certificate_pem("ending", days=1)])
    north.hub.tick()
    assert north.incidents() == ["soon/north"]
    assert "CN=ending" in north.rows("SELECT title FROM incidents")[0][0]

    north.change(their_certificates=["north.pem"])
    north.hub.tick()
    north.hub.tick()

    assert north.incidents() == []
