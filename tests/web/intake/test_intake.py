"""`POST /in/<connection>`: what is taken, what is refused and how, and that nothing is answered before it is kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import pytest

from hub.domain.errors import HubError, InDoubt, Paused, Rejected, RetryLater, TooLarge, Unverified
from hub.domain.message import Incoming, Reception
from tests.web.intake.sender import CONNECTOR, Account, Record, client, message, refusing, said, taken


def test_a_message_is_answered_202_with_our_id_once_it_is_kept(record: Record) -> None:
    answer = client(record, taken("E-1")).post("/in/shop", data=b"{}")

    assert answer.status_code == 202
    assert answer.content_type == "application/json"
    assert json.loads(answer.get_data()) == {"message": "m1"}
    assert record.rung == ["realtime"]


def test_several_messages_of_one_call_are_answered_with_all_their_ids(record: Record) -> None:
    answer = client(record, taken("E-1", "E-2")).post("/in/shop", data=b"{}")

    assert answer.status_code == 202
    assert json.loads(answer.get_data()) == {"messages": ["m1", "m2"]}


def test_a_repeat_is_answered_200_with_the_id_of_the_first(record: Record) -> None:
    first, again = (client(record, taken("E-1")).post("/in/shop", data=b"{}") for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.get_data() == first.get_data()
    assert list(record.kept) == ["E-1"]
    assert record.rung == ["realtime"]


def test_a_call_with_something_new_beside_a_repeat_is_202(record: Record) -> None:
    client(record, taken("E-1")).post("/in/shop", data=b"{}")

    assert client(record, taken("E-1", "E-2")).post("/in/shop", data=b"{}").status_code == 202
    assert list(record.kept) == ["E-1", "E-2"]


def test_a_call_that_brings_nothing_is_answered_200_and_nothing_is_kept(record: Record) -> None:
    answer = client(record, Reception()).post("/in/shop", data=b"{}")

    assert (answer.status_code, answer.get_data()) == (200, b"{}")
    assert list(record.kept) == []


@pytest.mark.parametrize(("messages", "status"), [((), 200), ((message("E-1"),), 202)])
def test_a_connector_may_say_the_answer_itself(record: Record, messages: Sequence[Incoming], status: int) -> None:
    reception = Reception(messages=tuple(messages), answer=b"<ok/>", answer_type="text/xml")

    answer = client(record, reception).post("/in/shop", data=b"{}")

    assert (answer.status_code, answer.content_type, answer.get_data()) == (status, "text/xml", b"<ok/>")


def test_the_connector_is_shown_the_raw_bytes_the_headers_in_lower_case_and_the_query(record: Record) -> None:
    account = Account(taken("E-1"))
    headers = {"X-Signature": "abc", "X-Umlaut": "\xfc", "Content-Type": "application/json; charset=utf-8"}

    client(record, account).post("/in/shop?hmac=a%20b&hmac=c&empty=", data=b"\x00\xff raw", headers=headers)

    request = account.seen[0]
    assert (request.body, request.method) == (b"\x00\xff raw", "POST")
    assert dict(request.query) == {"hmac": "a b", "empty": ""}
    shown = {name: request.headers[name] for name in ("x-signature", "x-umlaut", "content-type", "content-length")}
    assert shown == {
        "x-signature": "abc", "x-umlaut": "\xfc", "content-type": "application/json; charset=utf-8",
        "content-length": "6",
    }  # fmt: skip
    assert all(name == name.lower() and "_" not in name for name in request.headers)


@pytest.mark.parametrize("path", ["/in/nobody", "/in/%C3%BC", "/in/shop%20", "/in/SHOP"])
def test_a_connection_that_does_not_exist_is_404(record: Record, path: str) -> None:
    answer = client(record).post(path, data=b"{}")

    assert answer.status_code == 404
    assert said(answer).startswith("there is no connection ")


@pytest.mark.parametrize("path", ["/in", "/in/", "/in/shop/", "/in/shop/more", "/inn/shop"])
def test_an_address_that_is_not_a_connections_is_404(record: Record, path: str) -> None:
    assert client(record, taken("E-1")).post(path, data=b"{}").status_code == 404
    assert list(record.kept) == []


@pytest.mark.parametrize("state", ["draft", "retired"])
def test_a_connection_that_is_not_in_use_does_not_exist_for_others(record: Record, state: str) -> None:
    answer = client(record, taken("E-1"), state=state).post("/in/shop", data=b"{}")

    assert (answer.status_code, said(answer)) == (404, "there is no connection shop")


@pytest.mark.parametrize("state", ["testing", "degraded"])
def test_a_connection_that_is_being_tried_takes_messages(record: Record, state: str) -> None:
    assert client(record, taken("E-1"), state=state).post("/in/shop", data=b"{}").status_code == 202


@pytest.mark.parametrize("state", ["paused", "suspended", "needs_reauth"])
def test_a_connection_that_waits_for_a_person_asks_the_sender_to_come_again(record: Record, state: str) -> None:
    answer = client(record, taken("E-1"), state=state).post("/in/shop", data=b"{}")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert said(answer) == f"connection shop is {state}; try again later"


def test_a_connection_that_is_not_called_says_so(record: Record) -> None:
    answer = client(record, connector=dataclasses.replace(CONNECTOR, receives=())).post("/in/shop", data=b"{}")

    assert (answer.status_code, said(answer)) == (404, "connection shop does not take messages by HTTP")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_only_post_is_answered(record: Record, method: str) -> None:
    answer = client(record, taken("E-1")).open("/in/shop", method=method, data=b"{}")

    assert answer.status_code == 405
    assert (method == "HEAD") == (answer.get_data() == b"")
    assert list(record.kept) == []


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        (Unverified("the signature does not fit"), 401, None),
        (Rejected("no order in it"), 400, None),
        (TooLarge("more than 10 lines"), 413, None),
        (RetryLater("busy", after=7), 503, "7"),
        (RetryLater("busy"), 503, "5"),
        (Paused("the secret is gone"), 503, "30"),
        (InDoubt("not known"), 503, "5"),
    ],
)
def test_an_error_of_the_connector_is_told_to_the_sender(
    record: Record, error: HubError, status: int, after: str | None
) -> None:
    answer = client(record, error).post("/in/shop", data=b"{}")

    assert (answer.status_code, said(answer), answer.headers.get("Retry-After")) == (status, str(error), after)


def test_a_connection_that_cannot_be_opened_asks_the_sender_to_come_again(record: Record) -> None:
    answer = client(record, services={"opened": refusing(Paused("its settings do not fit"))}).post(
        "/in/shop", data=b"{}"
    )

    assert (answer.status_code, said(answer)) == (503, "its settings do not fit")


def test_without_a_database_the_sender_is_asked_to_come_again(record: Record) -> None:
    error = RetryLater("the database does not answer; nothing was stored", after=9)

    answer = client(record, services={"config": refusing(error)}).post("/in/shop", data=b"{}")

    assert (answer.status_code, said(answer), answer.headers["Retry-After"]) == (503, str(error), "9")


def test_a_fault_of_ours_is_500_logged_and_says_nothing_of_its_cause(
    record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client(record, KeyError("a secret detail")).post("/in/shop", data=b"{}")

    assert (answer.status_code, said(answer)) == (
        500,
        "the hub failed; the log has the reason, and nothing was accepted",
    )
    assert "POST /in/shop failed" in caplog.text
    assert "a secret detail" in caplog.text


def test_a_body_of_the_largest_size_is_taken_and_one_byte_more_is_413_unread(record: Record) -> None:
    account = Account(taken("E-1"))
    sender = client(record, account, max_bytes=10)

    largest, larger = sender.post("/in/shop", data=b"x" * 10), sender.post("/in/shop", data=b"x" * 11)

    assert (largest.status_code, larger.status_code) == (202, 413)
    assert said(larger) == "11 bytes; this connection takes 10 at most"
    assert [len(request.body) for request in account.seen] == [10]


class Stream:
    """A body whose length nobody said; it counts what is asked of it."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.asked = 0

    def read(self, size: int = -1) -> bytes:
        """Return that many bytes."""
        self.asked += size
        given = min(size, self.left) if size >= 0 else self.left
        self.left -= given
        return b"x" * given


@pytest.mark.parametrize(("size", "status"), [(10, 202), (11, 413), (1_000_000_000, 413)])
def test_a_body_of_unknown_length_is_read_up_to_the_cap(record: Record, size: int, status: int) -> None:
    stream = Stream(size)
    chunked = {
        "wsgi.input": stream, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "",
    }  # fmt: skip

    answer = client(record, taken("E-1"), max_bytes=10).post("/in/shop", environ_overrides=chunked)

    assert answer.status_code == status
    assert stream.asked <= 1_000


def test_a_body_that_ends_early_is_refused_and_not_kept(record: Record) -> None:
    account = Account(taken("E-1"))

    answer = client(record, account).post("/in/shop", data=b"12345", environ_overrides={"CONTENT_LENGTH": "9"})

    assert answer.status_code == 400
    assert account.seen == []


@pytest.mark.parametrize("announced", ["ten", "-1", "+5", "1_0", "9" * 5_000])
def test_a_length_that_is_not_a_number_is_refused(record: Record, announced: str) -> None:
    answer = client(record, taken("E-1")).post("/in/shop", data=b"{}", environ_overrides={"CONTENT_LENGTH": announced})

    assert (answer.status_code, said(answer)) == (400, "Content-Length is not a number")


class Broken:
    """A body that breaks off."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, size: int = -1) -> bytes:
        """Raise what the server raises."""
        raise self.error


def test_chunks_that_are_none_are_the_senders_fault(record: Record) -> None:
    chunked = {
        "wsgi.input": Broken(ValueError("Bad chunked transfer size: b'zz'")), "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "",
    }  # fmt: skip

    answer = client(record, taken("E-1")).post("/in/shop", environ_overrides=chunked)

    assert (answer.status_code, said(answer)) == (400, "the body's chunks are not as HTTP asks")


def test_a_sender_that_falls_silent_is_left_to_the_server_and_nothing_is_kept(record: Record) -> None:
    silent = {"wsgi.input": Broken(TimeoutError("timed out")), "CONTENT_LENGTH": "9"}

    with pytest.raises(OSError, match="timed out"):
        client(record, taken("E-1")).post("/in/shop", environ_overrides=silent)

    assert record.kept == {}


def test_each_answer_may_not_be_kept_or_guessed_at(office: Any) -> None:
    answers = [
        office.app.test_client().post("/in/shop", data=b"{}"),
        office.app.test_client().post("/in/nobody", data=b"{}"),
    ]

    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "Set-Cookie" not in answer.headers
        assert "Strict-Transport-Security" not in answer.headers


def test_over_tls_the_sender_is_told_to_stay_there(office: Any) -> None:
    answer = office.app.test_client().post("/in/shop", data=b"{}", base_url="https://hub.example")

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
