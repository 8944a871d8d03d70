"""AS2 through a whole hub: stored before it is answered, once whatever comes twice, acknowledged when it is proven."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.as2.algorithms import digest_of
from connectors.as2.wrapping import Means
from hub.store.replay import replay
from hub.web.console_app import create_console_app

from .conftest import certificate, certificate_pem, identity
from .trade import LONG, Trade, purchase

Found = Callable[..., Trade]


def test_an_order_comes_in_is_receipted_acknowledged_and_answered(trade: Found) -> None:
    north = trade(answer=("997",))
    sent = north.partner.send(purchase("P1"), identity="<1@north>", steps=("compress", "sign", "encrypt"))

    answer = north.post(sent)

    assert (answer.status_code, answer.headers["AS2-From"], answer.headers["AS2-To"]) == (200, "HUB", '"North Stores"')
    assert not [name for name in dict(answer.headers) if name.lower().startswith("hub-")]
    report = north.partner.read(dict(answer.headers), answer.data)
    assert (report.original_id, report.disposition) == ("<1@north>", "processed")
    assert report.mic == digest_of(sent.checked, "sha256")
    north.work()
    assert north.orders() == ["P1"]
    assert sorted(each.body[106:112] for each in north.partner.received) == [b"GS*FA*", b"GS*PR*"]
    assert north.deliveries() == [("acknowledgement", "acknowledged"), ("receipt", "acknowledged")]
    assert north.messages() == [
        ("in", "as2", "applied"), ("in", "mdn", "applied"), ("in", "mdn", "applied"), ("in", "order", "applied"),
        ("out", "acknowledgement", "sent"), ("out", "mdn", "sent"), ("out", "receipt", "sent"),
    ]  # fmt: skip
    assert north.incidents() == []
    (payload,) = north.rows("SELECT d.subject_id FROM documents d WHERE d.kind = 'as2'")
    assert north.rows(f"SELECT name, content_type FROM messages WHERE id = '{payload[0]}'") == [
        ("order.edi", "application/edi-x12")
    ]


def test_what_came_is_kept_as_it_came_however_large(trade: Found) -> None:
    north = trade("require = []")
    body = purchase("P1") + b" " * 1_500_000
    sent = north.partner.send(body, identity="<1@north>")

    north.post(sent, Authorization="Basic c2VjcmV0")

    (event,) = north.rows("SELECT event_id FROM messages WHERE kind = 'as2'")
    kept = north.hub.ledger.look(lambda unit: unit.kept("north", [event[0]]))[event[0]]
    head, _, raw = kept.body.partition(b"\r\n\r\n")
    assert raw == sent.body
    assert b"As2-From: " in head
    assert b"c2VjcmV0" not in head
    north.work()


@pytest.mark.parametrize("later", [False, True], ids=["worked", "at once"])
def test_a_repeat_gets_the_same_receipt_and_has_no_effect(trade: Found, later: bool) -> None:
    north = trade(answer=("997",))
    first = north.post(north.partner.send(purchase("P1"), identity="<1@north>"))
    if not later:
        north.work()
    before = north.messages(), len(north.partner.calls)
    again = north.partner.send(purchase("P1"), identity="<1@north>")  # encrypted anew: other bytes

    second = north.post(again)

    assert second.data == first.data
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert (north.messages(), len(north.partner.calls)) == before
    north.work()
    assert north.orders() == ["P1"]


def test_the_same_interchange_in_another_message_is_receipted_and_not_taken_twice(trade: Found) -> None:
    north = trade()
    for name in ("1", "2"):
        answer = north.post(north.partner.send(purchase("P1"), identity=f"<{name}@north>"))
        assert north.partner.read(dict(answer.headers), answer.data).disposition == "processed"
        north.work()

    assert north.orders() == ["P1"]
    assert [row for row in north.messages() if row[1] == "order"] == [("in", "order", "applied")]


def test_two_at_once_are_one(trade: Found) -> None:
    north = trade()
    sent = north.partner.send(purchase("P1"), identity="<1@north>")
    answers: list[bytes] = []
    ready = threading.Barrier(4)

    def call() -> None:
        client = north.client.application.test_client()
        ready.wait(10)
        answers.append(client.post("/as2", data=sent.body, headers=sent.headers).data)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)

    assert (len(answers), len(set(answers))) == (4, 1)
    assert [row for row in north.messages() if row[1] == "order"] == [("in", "order", "received")]
    north.work()


def test_a_crash_before_the_answer_loses_nothing(trade: Found) -> None:
    north = trade()
    sent = north.partner.send(purchase("P1"), identity="<1@north>")
    points: list[str] = []

    class Died(BaseException):
        pass

    def crash(point: str) -> None:
        points.append(point)
        if point == "committed":
            raise Died

    services = north.hub.services
    north.client.application.extensions["services"] = replace(services, crash=crash)
    with pytest.raises(Died):
        north.post(sent)
    north.client.application.extensions["services"] = services

    answer = north.post(sent)

    assert points == ["received", "committed"]
    assert north.partner.read(dict(answer.headers), answer.data).disposition == "processed"
    north.work()
    assert north.orders() == ["P1"]


def test_a_later_receipt_of_ours_is_a_delivery_that_is_repeated_when_asked(trade: Found) -> None:
    north = trade()
    base = north.hub.config().connections["north"].settings["url"]
    wish = {"Receipt-Delivery-Option": f"{base}/receipts"}
    sent = north.partner.send(purchase("P1"), identity="<1@north>", fields=wish)

    answer = north.post(sent)
    assert (answer.status_code, answer.data) == (200, b"")
    north.work()
    assert north.deliveries() == [("acknowledgement", "acknowledged"), ("mdn", "delivered")]
    assert north.post(sent).data == b""
    north.work()

    receipts = [call for call in north.partner.calls if call.path == "/as2/receipts"]
    assert len(receipts) == 2
    assert receipts[0].body == receipts[1].body
    assert north.partner.read(receipts[0].headers, receipts[0].body).disposition == "processed"
    assert north.incidents() == []


def test_a_later_receipt_of_ours_to_a_strange_host_is_an_incident(trade: Found) -> None:
    north = trade()
    wish = {"Receipt-Delivery-Option": "http://169.254.169.254/latest"}
    north.post(north.partner.send(purchase("P1"), identity="<1@north>", fields=wish))
    north.work()

    assert ("mdn", "refused") in north.deliveries()
    (found,) = north.rows("SELECT title FROM incidents WHERE fingerprint LIKE 'out/north/mdn/%'")
    assert "receipt_hosts" in found[0]


def test_what_is_refused_is_told_to_both_sides_and_taken_once_it_was_mended(trade: Found) -> None:
    north = trade()
    stranger = Means(identity=identity("other", days=LONG), certificates=[certificate("hub", days=LONG)])
    sent = north.partner.send(purchase("P1"), identity="<1@north>", means=stranger)

    for _ in range(3):
        answer = north.post(sent)
        report = north.partner.read(dict(answer.headers), answer.data)
        assert (answer.status_code, report.disposition) == (200, "processed/Error: authentication-failed")

    assert north.incidents() == ["exchange/north/authentication-failed"]
    assert north.rows("SELECT count, next_action FROM incidents")[0][0] == 3
    assert "their_certificates" in north.rows("SELECT next_action FROM incidents")[0][0]
    assert north.messages() == [("in", "as2", "quarantined"), ("out", "mdn", "sent")]
    north.change(their_certificates=["north.pem", certificate_pem("other", days=LONG)])
    answer = north.post(sent)
    assert north.partner.read(dict(answer.headers), answer.data).disposition == "processed"
    north.work()
    assert north.orders() == ["P1"]
    (kept,) = north.rows("SELECT id FROM messages WHERE kind = 'as2' AND state = 'quarantined'")
    (planned,) = north.hub.store.write(lambda db: replay(db, [kept[0]], north.hub.config().connections, who="tests"))
    assert "envelope" in planned.refused


@pytest.mark.parametrize(
    ("theirs", "ours", "fingerprint"),
    [
        ("Nobody", "HUB", "exchange/unknown/HUB"),
        ("North Stores", "hub", "exchange/unknown/"),
        ("north stores", "HUB", "exchange/unknown/HUB"),
        ("", "", "exchange/unknown/"),
    ],
)
def test_ids_that_nobody_set_up_are_refused_alike(trade: Found, theirs: str, ours: str, fingerprint: str) -> None:
    north = trade()
    sent = north.partner.send(purchase("P1"), identity="<1@north>")

    answers = [north.post(sent, **{"AS2-From": theirs, "AS2-To": ours}) for _ in range(3)]

    assert {(each.status_code, each.data) for each in answers} == {
        (403, b'{"error":"these AS2 ids have no agreement here"}')
    }
    assert (north.incidents(), north.messages()) == ([fingerprint], [])
    assert north.rows("SELECT count FROM incidents") == [(1,)]


def test_ids_are_compared_as_they_are_meant_not_as_they_are_written(trade: Found) -> None:
    north = trade()
    sent = north.partner.send(purchase("P1"), identity="<1@north>")

    assert north.post(sent, **{"AS2-To": '"HUB"', "AS2-From": '"North\\ Stores"'}).status_code == 200
    north.work()


def test_a_connection_that_does_not_take_anything_now_says_later(trade: Found) -> None:
    north = trade()
    sent = north.partner.send(purchase("P1"), identity="<1@north>")
    north.change(state="paused")

    answer = north.post(sent)

    assert (answer.status_code, answer.headers["Retry-After"], north.messages()) == (503, "60", [])
    north.change(state="active", our_key="file:/nowhere/hub.pem")
    answer = north.post(sent)
    assert (answer.status_code, answer.headers["Retry-After"], north.messages()) == (503, "30", [])
    assert b"nowhere" not in answer.data
    assert north.incidents() == ["exchange/north/unusable"]
    north.change(our_key=str(north.settings.config.parent / "hub.pem").join(("file:", "")))
    assert north.post(sent).status_code == 200
    assert north.incidents() == []
    north.work()


def test_the_whole_application_takes_a_large_signed_message_without_cookies_or_tokens(trade: Found) -> None:
    north = trade('require = ["signature"]')
    sent = north.partner.send(purchase("P1") + b" " * 1_000_000, identity="<1@north>", steps=("sign",))

    answer = create_console_app(north.hub).test_client().post("/as2", data=sent.body, headers=sent.headers)

    assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    assert north.partner.read(dict(answer.headers), answer.data).disposition == "processed"
    north.work()
    assert north.orders() == ["P1"]


def test_more_than_is_taken_is_refused_before_it_is_read(trade: Found) -> None:
    north = trade()
    sent = north.partner.send(b"x" * 10_000_001, identity="<1@north>", steps=("sign",))

    assert north.post(sent).status_code == 413
    assert north.messages() == []


def test_the_other_intake_does_not_take_as2(trade: Found) -> None:
    north = trade()
    sent = north.partner.send(purchase("P1"), identity="<1@north>")

    assert north.client.post("/in/north", data=sent.body, headers=sent.headers).status_code == 404
    assert north.client.get("/as2").status_code == 405
