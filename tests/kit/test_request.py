"""Requests as they are written: what is kept of one for the next never leaks into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hub.domain.errors import Rejected
from hub.kit.request import MOST_STARTS, Writer
from hub.ports import Call


def writer(headers: Mapping[str, Any] | None = None) -> Writer:
    return Writer("https://erp.example/v2", connection="erp", bearer=None, basic=None, headers=headers, deadline=20.0)


def written(by: Writer, **call: Any) -> tuple[str, list[str], bytes]:
    """Return the request line, the names and values that differ from the usual, and the body."""
    given: Call = {"method": "POST", "path": "/orders", **call}  # type: ignore[typeddict-item]
    head, _, body = by.prepare(**given).data.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    return line, sorted(field for field in fields if field not in USUAL), body


USUAL = ("Host: erp.example", "User-Agent: order-integration-hub", "Accept-Encoding: identity")
ACCEPT = "Accept: application/json, */*;q=0.5"
LINE = "POST /v2/orders HTTP/1.1"


def test_each_has_its_own_key_type_and_length() -> None:
    by = writer()
    for key, kind, body in (("1", "text/csv", b"a"), ("2", "text/csv", b"bc"), ("3", "text/xml", b"d"), ("4", "", b"")):
        own = {"Idempotency-Key": key, **({"Content-Type": kind} if kind else {})}
        line, fields, sent = written(by, body=body, headers=own)
        kinds = [f"Content-Type: {kind}"] if kind else []
        assert (line, sent) == (LINE, body)
        assert fields == [ACCEPT, f"Content-Length: {len(body)}", *kinds, f"Idempotency-Key: {key}"]


def test_a_field_that_a_request_replaces_is_there_once_and_for_that_one() -> None:
    by = writer({"Content-Type": "text/plain", "X-Shop": "one"})
    usual = [ACCEPT, "Content-Length: 1", "Content-Type: text/plain", "X-Shop: one"]
    assert written(by, body=b"x")[1] == usual
    assert written(by, body=b"x", headers={"accept": "text/csv", "X-Shop": "two"})[1] == [
        "Content-Length: 1", "Content-Type: text/plain", "X-Shop: two", "accept: text/csv",
    ]  # fmt: skip
    assert written(by, body=b"x", headers={"Content-Type": "text/xml"})[1] == [
        ACCEPT, "Content-Length: 1", "Content-Type: text/xml", "X-Shop: one",
    ]  # fmt: skip
    assert written(by, body=b"x")[1] == usual


def test_a_query_is_its_own() -> None:
    by = writer()
    lines = [written(by, method="GET", query=query)[0] for query in (None, {"page": 1}, {"page": 2}, None)]
    places = ["/v2/orders", "/v2/orders?page=1", "/v2/orders?page=2", "/v2/orders"]
    assert lines == [f"GET {place} HTTP/1.1" for place in places]


def test_many_addresses_are_written_as_one() -> None:
    by = writer()
    for at in (*range(3 * MOST_STARTS), 0):
        assert written(by, path=f"/orders/{at}")[0] == f"POST /v2/orders/{at} HTTP/1.1"


@pytest.mark.parametrize("headers", [{"Content-Type": "a\r\nX-Evil: 1"}, {"Idempotency-Key": "a\r\nX-Evil: 1"}])
def test_a_usual_field_cannot_smuggle_another(headers: dict[str, str]) -> None:
    by = writer()
    for _ in range(2):
        with pytest.raises(Rejected, match="header field"):
            written(by, body=b"x", headers=headers)


@pytest.mark.parametrize(
    ("call", "is_repeatable"),
    [
        ({}, False), ({"method": "PUT"}, True), ({"method": "PATCH"}, False),
        ({"headers": {"Idempotency-Key": "k"}}, True),
    ],
)  # fmt: skip
def test_what_may_go_out_twice(call: dict[str, Any], is_repeatable: bool) -> None:
    given: Call = {"method": "POST", "path": "/orders", **call}  # type: ignore[typeddict-item]
    assert writer().prepare(**given).is_repeatable == is_repeatable
