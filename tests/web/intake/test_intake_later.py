"""Calls that are answered after their own thread is through: one thread keeps what many have brought meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from hub.domain.errors import Rejected, RetryLater, Unverified
from hub.domain.message import Reception, Request
from hub.web.later import LATER
from tests.web.intake.sender import Account, Record, client, refusing, taken


class Later:
    """A server that lets calls be answered later: it begins with each when the test says so."""

    def __init__(self, record: Record, reception: Any) -> None:
        self.application = client(record, reception).application
        self.begins: list[Any] = []
        self.told: dict[str, tuple[str, dict[str, str], bytes]] = {}

    def call(self, name: str) -> None:
        """Let a call come in; its thread is through when this returns."""
        environ = EnvironBuilder("/in/shop", method="POST", data=name.encode()).get_environ()
        environ[LATER] = lambda begin: self.begins.append(partial(begin, partial(self.tell, name)))
        assert list(self.application(environ, refusing(AssertionError("answered too early")))) == []

    def begin(self) -> None:
        """Begin with the calls that are there."""
        begins, self.begins = self.begins, []
        for begin in begins:
            begin()

    def tell(self, name: str, status: str, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Note what is sent."""
        assert name not in self.told
        self.told[name] = (status, dict(headers), body)

    def statuses(self) -> dict[str, str]:
        """Return what each call was told."""
        return {name: told[0] for name, told in self.told.items()}


class Told(Account):
    """A sender each of whose calls brings the event that its body names."""

    def __init__(self) -> None:
        super().__init__(Reception())

    def receive(self, request: Request) -> Reception:
        """Bring one message; two for a body with a plus."""
        return taken(*request.body.decode().split("+"))


def test_a_call_that_is_answered_later_is_told_the_same_once_it_is_kept(record: Record) -> None:
    later = Later(record, Told())

    later.call("E-1")
    assert (record.kept, later.told) == ({}, {})
    later.begin()

    status, headers, body = later.told["E-1"]
    now = client(record, taken("E-2")).post("/in/shop", data=b"{}")
    assert (status, json.loads(body)) == ("202 Accepted", {"message": "m1"})
    assert headers == dict(now.headers)


def test_calls_that_come_while_one_is_kept_are_kept_together_and_each_is_told_its_own(record: Record) -> None:
    later = Later(record, Told())
    sets: list[list[str]] = []

    def take_in(connection: str, partner: str, lane: str, messages: Any, cursor: Any) -> Any:
        sets.append([each.event_id for each in messages])
        if len(sets) == 1:
            for name in ("E-2", "E-3+E-4", "E-1+E-5"):
                later.call(name)
            later.begin()
            assert later.told == {}
        return Record.take_in(record, connection, partner, lane, messages, cursor)

    record.take_in = take_in  # type: ignore[method-assign]
    later.call("E-1")
    later.begin()

    assert sets == [["E-1"], ["E-2", "E-3", "E-4", "E-1", "E-5"]]
    assert [(name, told[0], json.loads(told[2])) for name, told in later.told.items()] == [
        ("E-1", "202 Accepted", {"message": "m1"}),
        ("E-2", "202 Accepted", {"message": "m2"}),
        ("E-3+E-4", "202 Accepted", {"messages": ["m3", "m4"]}),
        ("E-1+E-5", "202 Accepted", {"messages": ["m1", "m5"]}),
    ]


@pytest.mark.parametrize(
    ("error", "bad", "good"),
    [
        (ValueError("a byte that no database takes"), "500 Internal Server Error", "202 Accepted"),
        (Rejected("no"), "400 Bad Request", "202 Accepted"),
        (RetryLater("the database does not answer"), "503 Service Unavailable", "503 Service Unavailable"),
    ],
)
def test_what_one_call_brings_does_not_cost_the_others_theirs(
    record: Record, error: Exception, bad: str, good: str
) -> None:
    later = Later(record, Told())

    def take_in(connection: str, partner: str, lane: str, messages: Any, cursor: Any) -> Any:
        events = [each.event_id for each in messages]
        if events == ["first"]:
            for name in ("E-1", "bad", "E-2"):
                later.call(name)
            later.begin()
        if "bad" in events:
            raise error
        return Record.take_in(record, connection, partner, lane, messages, cursor)

    record.take_in = take_in  # type: ignore[method-assign]
    later.call("first")
    later.begin()

    assert later.statuses() == {"first": "202 Accepted", "E-1": good, "bad": bad, "E-2": good}


def test_what_needs_no_commit_is_answered_at_once_even_where_it_could_be_later(record: Record) -> None:
    for account, status in ((Unverified("no"), 401), (Reception(), 200)):
        begins: list[Any] = []
        answer = client(record, account).post("/in/shop", data=b"{}", environ_overrides={LATER: begins.append})
        assert (answer.status_code, begins) == (status, [])
