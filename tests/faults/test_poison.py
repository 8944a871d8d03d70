"""Bytes that nobody should send: each is refused or kept with its reason, none is a 500, and its siblings flow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.testing.invariants import check
from tests.faults.driver import System, order_body
from tests.faults.edi import answered, door, edifact, order_message, purchase, x12

pytestmark = pytest.mark.faults
TAKEN = (200, 202)
REFUSED = (400, 413, 422)
SOUND = x12(purchase("SOUND"), control=900)
SOUND_TOO = edifact(order_message("SOUND"), control=900)


def _damaged() -> Iterator[tuple[str, bytes]]:
    """Yield what is wrong, and bytes that have it."""
    yield "nothing at all", b""
    yield "no syntax", b"\x01\x02\x03" * 400
    yield "an envelope that breaks off", x12(purchase("D-1"), control=1)[:150]
    yield "no end of the envelope", x12(purchase("D-2"), control=2).replace(b"IEA*", b"IEE*")
    yield "a wrong count of segments", x12(purchase("D-3").replace("SE*10*", "SE*99*"), control=3)
    yield "a wrong count of sets", x12(purchase("D-4"), control=4).replace(b"GE*1*", b"GE*7*")
    yield (
        "another control number at the end",
        x12(purchase("D-5"), control=5).replace(b"IEA*1*000000005", b"IEA*1*000000006"),
    )
    yield "bytes that are no UTF-8", x12(purchase("D-6"), control=6).replace(b"Seaport", b"\xff\xfe\x80\xc3\x28")
    yield "a quantity that is no number", x12(purchase("D-7").replace("*2*EA*", "*two*EA*"), control=7)
    yield "no number of the order", x12(purchase("D-8").replace("*D-8*", "**"), control=8)
    yield "an element of nine million letters", x12(purchase("D-9").replace("Seaport", "x" * 9_000_000), control=9)
    yield "a sender that nobody knows", x12(purchase("D-10"), control=10).replace(b"NORTH  ", b"SOUTH  ")
    yield "a message that breaks off", edifact(order_message("D-11"), control=11)[:-40]
    yield "a wrong count in EDIFACT", edifact(order_message("D-12").replace("UNT+1", "UNT+8"), control=12)
    yield "separators that are letters", edifact(order_message("D-13"), control=13).replace(b"UNA:+.? '", b"UNAABCDEF")
    yield "a list in a list in a list", b"[" * 200_000
    yield "a number without end", b'{"id": "D-14", "total": ' + b"9" * 500_000 + b', "lines": []}'
    yield "a name twice", b'{"id": "D-15", "id": "D-16", "lines": [{"sku": "A", "quantity": 1, "price": "1"}]}'
    yield "not a number", b'{"id": "D-17", "total": NaN, "lines": [{"sku": "A", "quantity": 1, "price": "1"}]}'


DAMAGED = dict(_damaged())


def open_door(system: System) -> Callable[[bytes, str], int]:
    """Start a hub with a door for any bytes; return what sends some to it."""
    system.configure(*door(system.sink_url))
    system.web()
    system.worker()
    return lambda body, event: system.post(body, event, "door")


def nothing_failed(system: System) -> None:
    """No stage gave up on bytes it did not foresee: whatever was wrong with them was said by whoever reads them."""
    assert system.rows("SELECT id, problems FROM messages WHERE problems LIKE '%\"internal\"%'") == []
    assert system.rows("SELECT title, detail FROM incidents WHERE class = 'internal'") == []


def test_damaged_documents_are_answered_or_kept_with_their_reason_and_siblings_flow(system: System) -> None:
    send = open_door(system)
    sound = []
    # when something broken comes between any two good ones
    for at, (what, body) in enumerate(DAMAGED.items()):
        assert send(body, f"damaged-{at}") in TAKEN + REFUSED, what
        sound += [f"N-{at}", f"E-{at}", f"W-{at}"]
        assert send(x12(purchase(f"N-{at}"), control=100 + at), f"n-{at}") == 202
        assert send(edifact(order_message(f"E-{at}"), control=200 + at), f"e-{at}") == 202
        assert system.send(order_body(f"W-{at}"), f"event-{at}") == 202
    system.quiet(30)
    # then every good one went its way
    there = set(system.sink.orders())
    assert [name for name in sound if name not in there] == []
    assert [name for name in there - set(sound) if name.startswith(("D-7", "D-8"))] == []
    # and everything broken that was taken in ended with a reason that a person can read, or with a refusal
    kept = "SELECT event_id, state, problems FROM messages WHERE direction = 'in' AND state <> 'applied'"
    assert [row for row in system.rows(kept) if row[1] not in ("quarantined", "rejected") or row[2] == ""] == []
    nothing_failed(system)
    said = answered(body for name, _, body in system.sink.arrivals if name == "acks")
    assert said.count("AK5*R") >= 2
    assert said.count("AK5*A") >= len(DAMAGED)
    # (an interchange is known by its control number, whatever the transport calls it)
    accepted = [each for each in system.accepted if each[0] == "shop"]
    wrong = check(system.store, accepted=accepted, received_by_partner={"sink": system.sink.received()})
    assert wrong == []


NAMES = {
    "a zero byte": "A\x00B",
    "half a letter": "A\ud800B",
    "a long name": "A" * 5_000,
    "a very long name": "A" * 900_000,
    "letters of every kind": "\u202e\u0000\ufeff\U0001f4a9 '; DROP TABLE orders; --",
}


def named(place: str, name: str) -> bytes:
    """Return an order that has this name as its id, as an item or in its notes."""
    order = msgspec.json.decode(order_body(f"POISON-{place}"))
    if place == "sku":
        order["lines"][0]["sku"] = name
    elif place != "event":
        order[place] = [name] if place == "notes" else name
    return json.dumps(order).encode()


def test_zero_bytes_are_kept_with_their_reason(on_postgres: System) -> None:
    system = on_postgres
    send = open_door(system)
    assert send(b"\x00\x01\x02" * 400, "zero") in TAKEN + REFUSED
    assert send(x12(purchase("ZERO\x00", 1), control=1), "zero-too") in TAKEN + REFUSED
    system.send(order_body("AFTER"), "event-after")
    system.quiet(10)
    nothing_failed(system)


def test_names_that_no_database_takes_are_refused_or_kept_and_nothing_fails(system: System) -> None:
    system.web()
    system.worker()
    answers = {}
    for what, name in NAMES.items():
        for place in ("id", "sku", "notes", "event"):
            event = f"{place} {what}"
            if place == "event":
                event = name.encode("utf-8", "surrogatepass").hex()[:6_000]
            answers[place, what] = system.post(named(place, name), event)
    assert {each: status for each, status in answers.items() if status not in TAKEN + REFUSED} == {}
    assert system.send(order_body("AFTER"), "event-after") == 202
    system.quiet(10)
    assert "AFTER" in system.sink.orders()
    nothing_failed(system)


@st.composite
def _mangled(draw: st.DrawFn) -> bytes:
    """A good interchange in which a few stretches were cut out, doubled or written over."""
    body = bytearray(draw(st.sampled_from([SOUND, SOUND_TOO, order_body("SOUND")])))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(body)))
        end = min(len(body), begin + draw(st.integers(0, 12)))
        body[begin:end] = draw(st.one_of(st.binary(max_size=12), st.just(bytes(body[begin:end]) * 3)))
    return bytes(body)


def test_mangled_documents_never_fail_the_hub(system: System) -> None:
    send = open_door(system)
    sent: list[bytes] = []

    @settings(max_examples=120, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(_mangled())
    def mangle(body: bytes) -> None:
        sent.append(body)
        assert send(body, f"mangled-{len(sent)}") in TAKEN + REFUSED

    mangle()
    assert send(x12(purchase("AFTER"), control=901), "") == 202
    system.quiet(40)
    assert "AFTER" in system.sink.orders()
    nothing_failed(system)
    states = {row[0] for row in system.rows("SELECT state FROM messages WHERE direction = 'in'")}
    assert {"applied"} < states <= {"applied", "rejected", "quarantined", "partly_applied", "duplicate"}
