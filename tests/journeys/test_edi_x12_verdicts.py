"""What partners say of what we sent over X12, and the control numbers that tie it together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from hub.domain.work import WorkItem
from hub.pipeline.inbound import take_in
from hub.pipeline.outbound import send_out
from hub.pipeline.verdicts import mark_overdue
from hub.store.db import on_statement
from hub.store.queue import requeue_expired

from .conftest import Company
from .test_edi_x12 import SELLER, Found, interchange, purchase

NINE = """ST*997*0001~
AK1*PR*{group}~
AK2*855*{set}~
{body}SE*{count}*0001~
"""


def nine(*quoted: str, control: int) -> bytes:
    """A 997 of North Stores about a document of ours: (group, set, segments after AK2)."""
    group, name, body = quoted
    text = NINE.format(group=group, set=name, body=body, count=4 + body.count("~"))
    return interchange(text, control=control).replace(b"GS*PO", b"GS*FA")


def controls_of(answer: str) -> tuple[str, str]:
    """The group and set control numbers of an 855 of ours."""
    return answer.split("GS*")[1].split("*")[5], answer.split("ST*855*")[1].split("~")[0]


def test_a_refusal_of_our_answer_is_an_incident_that_says_what_and_where(company: Found) -> None:
    seller = company(SELLER)
    seller.take("north", interchange(purchase("J1")))
    seller.work()
    (answer,) = seller.texts("north", "acknowledgement")

    body = "AK3*BAK*2**8~\nAK4*2**7*AD~\nAK5*R*5~\nAK9*R*1*1*0~\n"
    seller.take("north", nine(*controls_of(answer), body, control=2))
    seller.work()

    assert seller.rows("SELECT state, problem FROM deliveries WHERE send = 'acknowledgement'") == [
        ("refused", "997: segment 2 BAK.02: the guide does not list this code (AD); segments of the set are wrong")
    ]
    (incident,) = seller.rows("SELECT title FROM incidents")
    assert incident[0] == (
        "north refused our acknowledgement for order J1 (997): "
        "segment 2 BAK.02: the guide does not list this code (AD); segments of the set are wrong"
    )
    assert len(seller.texts("north", "receipt")) == 1
    assert seller.rows("SELECT state FROM expected_receipts") == [("refused",)]


def test_an_acknowledgement_of_something_we_never_sent_is_an_incident(company: Found) -> None:
    seller = company(SELLER)

    seller.take("north", nine("4711", "0001", "AK5*A~\nAK9*A*1*1*1~\n", control=2))
    seller.work()

    (incident,) = seller.rows("SELECT title FROM incidents")
    assert incident[0] == "ZZ:MOCKEDI acknowledged control number 4711, which we never sent them"


def test_what_is_not_acknowledged_in_time_is_one_incident_until_it_is(company: Found) -> None:
    seller = company({**SELLER, "partners/north.toml": SELLER["partners/north.toml"].replace("PT4H", "PT0S")})
    seller.take("north", interchange(purchase("K1"), purchase("K2", "0002")))
    seller.work()

    assert mark_overdue(seller.hub.services) == 2
    assert mark_overdue(seller.hub.services) == 0

    assert seller.rows("SELECT kind, state FROM expected_receipts") == [("997", "overdue")] * 2
    ((title, count, state),) = seller.rows("SELECT title, count, state FROM incidents")
    assert title.startswith("north owes us a 997 since ")
    assert (count, state) == (2, "open")

    for at, answer in enumerate(seller.texts("north", "acknowledgement"), 2):
        seller.take("north", nine(*controls_of(answer), "AK5*A~\nAK9*A*1*1*1~\n", control=at))
    seller.work()
    assert seller.rows("SELECT state FROM incidents") == [("auto_resolved",)]


def test_control_numbers_are_taken_once_each_and_name_their_delivery(company: Found) -> None:
    seller = company(SELLER)
    for at in range(1, 4):
        seller.take("north", interchange(purchase(f"M{at}"), control=at))
    seller.work()

    assert seller.rows("SELECT scope, value FROM control_numbers WHERE scope LIKE 'x12/%' ORDER BY scope") == [
        ("x12/ZZ:NORTHWIND>ZZ:MOCKEDI/group", 6),
        ("x12/ZZ:NORTHWIND>ZZ:MOCKEDI/interchange", 6),
        ("x12/ZZ:NORTHWIND>ZZ:MOCKEDI/set", 6),
    ]
    assert seller.rows("SELECT count(*), count(DISTINCT delivery_id) FROM controls_issued") == [(18, 6)]
    numbers = sorted(body.split(b"*")[13] for body in seller.sent("north").values())
    assert numbers == [b"000000001", b"000000002", b"000000003", b"000000004", b"000000005", b"000000006"]


class Stopped(BaseException):
    """The process ends here."""


def test_a_crash_between_begin_and_send_neither_loses_nor_repeats_control_numbers(company: Found) -> None:
    seller = company({**SELLER, "routes.toml": ""})
    seller.take("north", interchange(purchase("S1")))
    take_in(seller.hub.services, seller.hub.ledger.claim("document", "ingest", 10, "first", 60))

    def stop(point: str) -> None:
        if point == "begun":
            raise Stopped

    claims = seller.hub.ledger.claim("document", "send", 10, "first", 60)
    with pytest.raises(Stopped):
        send_out(dataclasses.replace(seller.hub.services, crash=stop), claims)
    assert seller.texts("north", "receipt") == []
    seller.hub.store.write(lambda db: db.run("UPDATE work SET lease_us = 0"))
    seller.hub.store.write(requeue_expired)
    seller.work()

    (receipt,) = seller.texts("north", "receipt")
    assert "*U*00401*000000001*" in receipt
    assert seller.rows("SELECT scope, number FROM controls_issued ORDER BY scope") == [
        ("x12/ZZ:NORTHWIND>ZZ:MOCKEDI/group", 1),
        ("x12/ZZ:NORTHWIND>ZZ:MOCKEDI/interchange", 1),
        ("x12/ZZ:NORTHWIND>ZZ:MOCKEDI/set", 1),
    ]


def test_an_acknowledgement_of_what_is_in_doubt_ends_the_doubt(company: Found) -> None:
    seller = company(SELLER)
    seller.take("north", interchange(purchase("T1")))
    seller.work()
    (answer,) = seller.texts("north", "acknowledgement")
    delivery = seller.rows("SELECT id FROM deliveries WHERE send = 'acknowledgement'")[0][0]
    doubted = WorkItem(task="send", subject_id=delivery, connection="north")
    seller.hub.ledger.transact(lambda unit: unit.later([doubted]))
    seller.hub.store.write(lambda db: db.run("UPDATE deliveries SET state = 'in_doubt' WHERE id = :id", id=delivery))
    seller.hub.store.write(lambda db: db.run("UPDATE work SET status = 'in_doubt' WHERE task = 'send'"))

    seller.take("north", nine(*controls_of(answer), "AK5*A~\nAK9*A*1*1*1~\n", control=2))
    seller.work()

    assert seller.rows("SELECT state FROM deliveries WHERE id = :id", id=delivery) == [("acknowledged",)]
    assert seller.rows("SELECT count(*) FROM work") == [(0,)]


def test_an_acknowledgement_that_overtakes_our_record_of_sending_waits(company: Found) -> None:
    seller = company(SELLER)
    seller.take("north", interchange(purchase("U1")))
    seller.work()
    (answer,) = seller.texts("north", "acknowledgement")
    sending = "UPDATE deliveries SET state = :state WHERE send = 'acknowledgement'"
    seller.hub.store.write(lambda db: db.run(sending, state="begun"))

    seller.take("north", nine(*controls_of(answer), "AK5*A~\nAK9*A*1*1*1~\n", control=2))
    seller.work()
    assert seller.rows("SELECT task, status FROM work") == [("ingest", "queued")]

    seller.hub.store.write(lambda db: db.run(sending, state="delivered"))
    seller.hub.store.write(lambda db: db.run("UPDATE work SET due_us = 0"))
    seller.work()
    assert seller.rows("SELECT state FROM deliveries WHERE send = 'acknowledgement'") == [("acknowledged",)]


def test_the_number_of_statements_does_not_grow_with_the_number_of_interchanges(company: Found) -> None:
    seller = company(SELLER)
    counted: dict[int, tuple[int, int]] = {}
    control = 0
    for size in (2, 12):
        for _ in range(size):
            control += 1
            seller.take("north", interchange(purchase(f"V{control}"), control=control))
        counted[size] = (_statements(seller, "ingest", take_in), _statements(seller, "send", send_out))

    assert counted[12] == counted[2]
    assert min(counted[2]) > 5


def _statements(seller: Company, task: str, handle: Callable[..., None]) -> int:
    """How many statements the handling of everything due takes, as one batch."""
    seen: list[str] = []
    claims = seller.hub.ledger.claim("document", task, 100, "counter", 60)
    on_statement.append(seen.append)
    try:
        handle(seller.hub.services, claims)
    finally:
        on_statement.remove(seen.append)
    return sum("config_version" not in each for each in seen)


@pytest.mark.parametrize(
    ("verdict", "state", "problem"),
    [
        ("R*025", "refused", "TA1: code 025"),
        ("A*000", "delivered", ""),
    ],
)
def test_an_interchange_that_they_refuse_is_refused_and_one_they_merely_got_waits_on(
    company: Found, verdict: str, state: str, problem: str
) -> None:
    seller = company(SELLER)
    seller.take("north", interchange(purchase("W1")))
    seller.work()
    (answer,) = seller.texts("north", "acknowledgement")
    control = answer.split("*")[13]

    head, _, rest = interchange(control=9).decode().partition("GS*PO")
    trailer = rest[rest.index("IEA*") :]
    seller.take("north", f"{head}TA1*{control}*261122*0900*{verdict}~\n{trailer}".encode())
    seller.work()

    assert seller.rows("SELECT state, problem FROM deliveries WHERE send = 'acknowledgement'") == [(state, problem)]
    assert len(seller.texts("north", "receipt")) == 1
