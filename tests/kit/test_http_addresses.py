"""Addresses, paths and headers that a guarded client refuses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from hub.domain.errors import Rejected, RetryLater
from hub.kit.http import GuardedHttp, Limits
from hub.testing.scripted import scripted
from tests.kit.calling import LOOPBACK, client


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:9", "https://10.1.2.3", "https://169.254.169.254", "https://[::1]", "https://192.168.0.1:8443"],
)
def test_a_private_address_is_refused(address: str) -> None:
    with pytest.raises(Rejected, match="not permitted"):
        GuardedHttp(address).get("/")


@pytest.mark.parametrize("address", ["ftp://a.example", "https://user:pw@a.example", "https://2130706433", "a.example"])
def test_an_address_that_cannot_be_meant_is_refused(address: str) -> None:
    with pytest.raises(Rejected):
        GuardedHttp(address)


def answers(*addresses: str) -> Any:
    def resolve(_host: str, port: int, *_: object) -> Iterator[Any]:
        return iter([(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses])

    return resolve


def test_a_name_that_stands_for_a_private_address_is_refused() -> None:
    with pytest.raises(Rejected, match=r"127\.0\.0\.1 is not permitted"):
        GuardedHttp("https://shop.example", resolver=answers("127.0.0.1")).get("/")


def test_a_name_that_stands_for_both_kinds_is_refused() -> None:
    with pytest.raises(Rejected, match="both permitted and denied"):
        GuardedHttp("https://shop.example", resolver=answers("93.184.216.34", "10.0.0.1")).get("/")


def test_plain_http_to_a_public_address_is_refused() -> None:
    with pytest.raises(Rejected, match="use https"):
        GuardedHttp("http://shop.example", resolver=answers("93.184.216.34")).get("/")


def test_a_name_is_looked_up_once_for_each_line() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, *_: object) -> Any:
        asked.append(host)
        return answers("127.0.0.1")(host, port)

    with scripted() as partner:
        port = partner.url.rsplit(":", 1)[1]
        http = GuardedHttp(f"http://shop.example:{port}", networks=LOOPBACK, resolver=resolve)
        http.get("/a")
        http.get("/b")
        http.close()
    assert asked == ["shop.example"]
    assert partner.calls[0].headers["host"] == f"shop.example:{port}"


def test_a_name_that_is_not_found_is_tried_later() -> None:
    def resolve(*_: object) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(RetryLater, match="cannot be looked up"):
        GuardedHttp("https://shop.example", resolver=resolve).post("/orders", {})


def test_a_look_up_that_hangs_ends_at_the_deadline() -> None:
    ended = threading.Event()

    def resolve(*_: object) -> Any:
        ended.wait(10)
        return []

    began = monotonic()
    with pytest.raises(RetryLater):
        GuardedHttp("https://shop.example", resolver=resolve, limits=Limits(deadline=0.2)).post("/orders", {})
    ended.set()
    assert monotonic() - began < 2


def test_a_full_address_of_the_same_origin_may_be_followed_by_the_connector() -> None:
    with scripted() as partner:
        http = client(partner)
        http.get(f"{partner.url}/v2/orders?page=2", size=5)
        http.close()
    assert (partner.calls[0].path, partner.calls[0].query) == ("/v2/orders", {"page": "2", "size": "5"})


@pytest.mark.parametrize("path", ["https://evil.example/x", "//evil.example/x", "/orders/../admin", "/a/..", "/a/./b"])
def test_a_path_that_leads_away_is_refused(path: str) -> None:
    with scripted() as partner, pytest.raises(Rejected, match="nothing was sent"):
        client(partner).get(path)
    assert partner.calls == []


def test_a_path_cannot_smuggle_a_second_request() -> None:
    with scripted() as partner:
        client(partner).get("/orders/a b\r\nX-Evil: 1/ä")
    assert partner.calls[0].path == "/v2/orders/a%20b%0D%0AX-Evil:%201/%C3%A4"


@pytest.mark.parametrize("headers", [{"X-A": "b\r\nX-Evil: 1"}, {"X A": "b"}, {"X-A": "\u20ac"}])
def test_a_header_cannot_smuggle_another(headers: dict[str, str]) -> None:
    with scripted() as partner, pytest.raises(Rejected, match="header field"):
        client(partner).request("GET", "/", headers=headers)
    assert partner.calls == []
