"""What a person decides about work that waits: each decision has its effect, its event, and its line in the audit."""

from __future__ import annotations

from typing import Any

from hub.store import resolve
from hub.testing.serve import Answer

REFUSED = Answer(status=422, body=b'{"error": "unknown customer"}')


def refused(office: Any) -> tuple[str, str]:
    """An order whose delivery was refused: (order, delivery)."""
    office.answers[:] = [REFUSED]
    order_id = office.order("W-1")
    ((delivery_id, state),) = office.rows("SELECT id, state FROM deliveries")
    assert state == "refused"
    return order_id, delivery_id


def doubted(office: Any) -> tuple[str, str]:
    """The same, but nobody knows whether they have it."""
    order_id, delivery_id = refused(office)
    office.hub.store.write(lambda db: db.run("UPDATE deliveries SET state = 'in_doubt'"))
    office.hub.store.write(lambda db: db.run("UPDATE work SET status = 'in_doubt'"))
    return order_id, delivery_id


def audited(office: Any) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = office.rows("SELECT who, what FROM audit WHERE who LIKE '%@%' ORDER BY no")
    return rows


def test_a_refused_delivery_is_built_anew_and_sent(office: Any, owner: Any) -> None:
    order_id, delivery_id = refused(office)
    before = office.rows("SELECT message_id FROM deliveries")

    owner.get(f"/console/deliveries/{delivery_id}")
    owner.post(f"/console/deliveries/{delivery_id}/retry", {"rebuild": "1"})
    office.work()

    assert office.rows("SELECT state, reference FROM deliveries") == [("delivered", "WH-1")]
    assert office.rows("SELECT message_id FROM deliveries") != before
    assert office.rows("SELECT state FROM incidents") == [("resolved",)]
    assert audited(office) == [("owner@company.example", "delivery.retried")]
    assert "delivery.retried" in owner.get(f"/console/orders/{order_id}").get_data(as_text=True)


def test_a_retry_of_the_same_bytes_keeps_the_message(office: Any, owner: Any) -> None:
    _, delivery_id = refused(office)
    before = office.rows("SELECT message_id FROM deliveries")

    owner.get(f"/console/deliveries/{delivery_id}")
    owner.post(f"/console/deliveries/{delivery_id}/retry")
    office.work()

    assert office.rows("SELECT message_id FROM deliveries") == before
    assert office.rows("SELECT state, attempts FROM deliveries") == [("delivered", 2)]


def test_a_retry_that_is_refused_again_opens_a_new_incident(office: Any, owner: Any) -> None:
    _, delivery_id = refused(office)
    office.answers[:] = [REFUSED]

    owner.get(f"/console/deliveries/{delivery_id}")
    owner.post(f"/console/deliveries/{delivery_id}/retry", {"rebuild": "1"})
    office.work()

    assert office.rows("SELECT state FROM incidents ORDER BY id") == [("resolved",), ("open",)]


def test_a_skip_needs_a_reason_and_lets_the_next_go_on(office: Any, owner: Any) -> None:
    _, delivery_id = refused(office)
    owner.get(f"/console/deliveries/{delivery_id}")

    owner.post(f"/console/deliveries/{delivery_id}/skip", {"reason": "  "})
    unmoved = office.rows("SELECT state FROM deliveries")
    owner.post(f"/console/deliveries/{delivery_id}/skip", {"reason": "sent by mail"})

    assert unmoved == [("refused",)]
    assert office.rows("SELECT state, problem FROM deliveries") == [
        ("skipped", "skipped by owner@company.example: sent by mail")
    ]
    assert office.rows("SELECT count(*) FROM work") == [(0,)]


def test_marking_as_sent_keeps_their_id_as_a_link(office: Any, owner: Any) -> None:
    order_id, delivery_id = doubted(office)
    owner.get(f"/console/deliveries/{delivery_id}")

    owner.post(f"/console/deliveries/{delivery_id}/sent", {"reason": "they said so", "reference": "WH-77"})

    assert office.rows("SELECT state, reference FROM deliveries") == [("delivered", "WH-77")]
    assert office.rows("SELECT our_id FROM links WHERE external_id = 'WH-77'") == [(order_id,)]
    assert office.rows("SELECT count(*) FROM work") == [(0,)]


def test_what_is_in_doubt_is_resent_as_it_was_and_never_rebuilt(office: Any, owner: Any) -> None:
    _, delivery_id = doubted(office)
    before = office.rows("SELECT message_id FROM deliveries")
    owner.get(f"/console/deliveries/{delivery_id}")

    owner.post(f"/console/deliveries/{delivery_id}/retry", {"rebuild": "1"})
    unmoved = office.rows("SELECT status FROM work")
    owner.post(f"/console/deliveries/{delivery_id}/retry")
    office.work()

    assert unmoved == [("in_doubt",)]
    assert office.rows("SELECT state FROM deliveries") == [("delivered",)]
    assert office.rows("SELECT message_id FROM deliveries") == before


def test_the_second_of_two_people_changes_nothing_and_is_told(office: Any, owner: Any) -> None:
    _, delivery_id = refused(office)
    owner.get(f"/console/deliveries/{delivery_id}")
    owner.post(f"/console/deliveries/{delivery_id}/skip", {"reason": "first"})

    owner.post(f"/console/deliveries/{delivery_id}/retry")
    page = owner.get(f"/console/deliveries/{delivery_id}").get_data(as_text=True)

    assert "Nothing was changed" in page
    assert office.rows("SELECT state FROM deliveries") == [("skipped",)]


def test_a_delivery_that_a_worker_holds_is_left_alone(office: Any) -> None:
    _, delivery_id = refused(office)
    office.hub.store.write(lambda db: db.run("UPDATE work SET status = 'running'"))

    assert not office.hub.store.write(lambda db: resolve.skip(db, delivery_id, who="tests", reason="why not"))


def test_all_that_wait_for_one_cause_are_retried_at_once(office: Any, owner: Any) -> None:
    office.answers[:] = [REFUSED] * 3
    for number in ("W-1", "W-2", "W-3"):
        office.order(number)
    incident_id = office.rows("SELECT id FROM incidents")[0][0]
    page = owner.get(f"/console/incidents/{incident_id}").get_data(as_text=True)
    chosen = [row[0] for row in office.rows("SELECT id FROM deliveries")]

    owner.post("/console/deliveries/retry", {"id": chosen, "rebuild": "1"})
    office.work()

    assert "Retry all 3 with" in page
    assert office.rows("SELECT DISTINCT state FROM deliveries") == [("delivered",)]
    assert office.rows("SELECT state FROM incidents") == [("resolved",)]


def test_a_hold_is_released_by_a_person_and_the_order_goes_out(office: Any, owner: Any) -> None:
    order_id = office.order("W-1", total_price="26.00")
    owner.get(f"/console/orders/{order_id}")

    owner.post(f"/console/orders/{order_id}/release", {"code": "totals_mismatch"})
    office.work()

    assert office.rows("SELECT phase FROM orders") != [("on_hold",)]
    assert office.rows("SELECT state FROM deliveries") == [("delivered",)]
    assert office.rows("SELECT count(*) FROM holds") == [(0,)]
    assert audited(office) == [("owner@company.example", "order.release")]


def test_an_incident_gets_an_owner_and_then_an_end(office: Any, owner: Any) -> None:
    refused(office)
    incident_id = office.rows("SELECT id FROM incidents")[0][0]
    owner.get(f"/console/incidents/{incident_id}")

    owner.post(f"/console/incidents/{incident_id}/acknowledged", {"note": "calling them"})
    seen = office.rows("SELECT state, owner FROM incidents")
    owner.post(f"/console/incidents/{incident_id}/resolved")

    assert seen == [("acknowledged", "owner@company.example")]
    assert office.rows("SELECT state FROM incidents") == [("resolved",)]
    assert [what for _, what in audited(office)] == ["incident.acknowledged", "incident.resolved"]


def test_a_rejected_message_is_taken_in_again(office: Any, owner: Any) -> None:
    office.order("W-1", line_items=[{"quantity": 1}])
    message_id = office.rows("SELECT id FROM messages")[0][0]
    owner.get(f"/console/messages/{message_id}")

    owner.post(f"/console/messages/{message_id}/replay")

    assert office.rows("SELECT task, status FROM work") == [("ingest", "queued")]
    assert audited(office) == [("owner@company.example", "message.replay")]


def test_parked_work_is_resumed(office: Any, owner: Any) -> None:
    office.order("W-1", line_items=[{"quantity": 1}])
    message_id = office.rows("SELECT id FROM messages")[0][0]
    owner.get(f"/console/messages/{message_id}")
    owner.post(f"/console/messages/{message_id}/replay")
    office.hub.store.write(lambda db: db.run("UPDATE work SET status = 'parked', reason = 'it failed'"))
    work_id = office.rows("SELECT id FROM work")[0][0]

    page = owner.get("/console/deliveries").get_data(as_text=True)
    owner.post(f"/console/queue/{work_id}/resume")

    assert "it failed" in page
    assert office.rows("SELECT status, starts FROM work") == [("queued", 0)]
