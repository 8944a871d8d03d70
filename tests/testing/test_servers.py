"""The servers that simulators and tests stand on."""

from __future__ import annotations

import socket
from time import monotonic
from urllib.request import urlopen

import pytest
from flask import Flask

from hub.domain.errors import InDoubt, Rejected, RetryLater
from hub.kit.http import GuardedHttp, Limits
from hub.testing.chaos import chaos
from hub.testing.fakes import LOOPBACK
from hub.testing.scripted import Drip, Hang, Say, Scripted, scripted
from hub.testing.serve import Answer, Call, Routes, answer_json, handler, serve


def client(url: str, deadline: float = 5.0) -> GuardedHttp:
    return GuardedHttp(url, networks=LOOPBACK, limits=Limits(deadline=deadline))


def test_routes_answer_by_method_and_path() -> None:
    routes = Routes()
    routes.add("GET", "/orders/<order>/lines/<line>", lambda _, order, line: answer_json([order, line]))
    routes.add("POST", "/orders", lambda call: answer_json({"got": call.json(), "key": call.headers["x-key"]}, 201))
    with serve(routes) as url:
        http = client(url)
        assert http.get("/orders/A%2F1/lines/2") == ["A/1", "2"]
        reply = http.request("POST", "/orders", json={"a": 1}, headers={"X-Key": "k"})
        assert (reply.status, reply.json()) == (201, {"got": {"a": 1}, "key": "k"})
        with pytest.raises(Rejected, match="404"):
            http.get("/nothing")
        http.close()


def test_one_function_is_a_server() -> None:
    def shout(call: Call) -> Answer:
        return Answer(body=f"{call.method} {call.path} {call.query['q']}".encode(), content_type="text/plain")

    with serve(handler(shout)) as url:
        http = client(url)
        assert http.request("GET", "/loud", query={"q": "ä"}).body == "GET /loud ä".encode()
        http.close()


def test_a_flask_app_is_served() -> None:
    app = Flask("sample")
    app.add_url_rule("/ping", view_func=lambda: {"pong": True})
    with serve(app) as url:
        http = client(url)
        assert http.get("/ping") == {"pong": True}
        http.close()


def test_a_served_app_is_gone_afterwards() -> None:
    with serve(handler(lambda _: Answer())) as url, urlopen(f"{url}/") as reply:
        assert reply.status == 200
    with pytest.raises(RetryLater):
        client(url).get("/")


def test_a_script_is_played_in_order_and_its_last_step_repeats() -> None:
    with scripted(Say(status=500), Say(body=b"1"), Say(body=b"2")) as partner:
        http = client(partner.url)
        with pytest.raises(RetryLater):
            http.get("/")
        assert [http.get("/") for _ in range(3)] == [1, 2, 2]
        http.close()
    assert [call.path for call in partner.calls] == ["/", "/", "/", "/"]


def test_a_partner_that_hangs_or_drips_can_be_stopped_at_once() -> None:
    for step in (Hang(), Drip(body=b"x" * 1000, every=1)):
        with (
            scripted(step) as partner,
            socket.create_connection(("127.0.0.1", int(partner.url.rsplit(":", 1)[1]))) as s,
        ):
            s.sendall(b"GET / HTTP/1.1\r\n\r\n")
            _until(lambda partner=partner: len(partner.calls) == 1)
            began = monotonic()
        assert monotonic() - began < 2


def _until(true: object) -> None:
    assert callable(true)
    ends = monotonic() + 5
    while not true():
        assert monotonic() < ends


def port_of(partner: Scripted) -> int:
    return int(partner.url.rsplit(":", 1)[1])


def test_a_quiet_proxy_changes_nothing() -> None:
    with scripted(Say(body=b'"' + b"x" * 300_000 + b'"')) as partner, chaos("127.0.0.1", port_of(partner)) as proxy:
        http = client(proxy.url)
        assert http.post("/x", "y" * 300_000) == "x" * 300_000
        http.close()
    assert len(partner.calls[0].body) == 300_002


def test_latency_is_added() -> None:
    with scripted() as partner, chaos("127.0.0.1", port_of(partner)) as proxy:
        proxy.latency = 0.1
        began = monotonic()
        http = client(proxy.url)
        http.get("/")
        http.close()
    assert monotonic() - began >= 0.2


def test_a_rate_is_kept() -> None:
    with scripted(Say(body=b'"' + b"x" * 20_000 + b'"')) as partner, chaos("127.0.0.1", port_of(partner)) as proxy:
        proxy.rate = 100_000
        began = monotonic()
        http = client(proxy.url)
        http.get("/")
        http.close()
    assert monotonic() - began >= 0.2


def test_a_black_hole_swallows_the_request() -> None:
    with scripted() as partner, chaos("127.0.0.1", port_of(partner)) as proxy:
        proxy.blackhole = True
        with pytest.raises(InDoubt, match="deadline"):
            client(proxy.url, deadline=0.3).post("/", {})
    assert partner.calls == []


def test_an_answer_is_cut_in_the_middle() -> None:
    with scripted(Say(body=b"1" * 5000)) as partner, chaos("127.0.0.1", port_of(partner)) as proxy:
        proxy.cut_after = 1000
        with pytest.raises(InDoubt):
            client(proxy.url).post("/", {})
    assert len(partner.calls) == 1


def test_down_and_up_again_on_the_same_port() -> None:
    with scripted() as partner, chaos("127.0.0.1", port_of(partner)) as proxy:
        http = client(proxy.url)
        http.get("/")
        proxy.down()
        with pytest.raises(RetryLater):
            client(proxy.url).get("/")
        proxy.up()
        assert client(proxy.url).get("/") == {}
        http.close()


def test_a_cut_resets_what_is_open() -> None:
    with scripted() as partner, chaos("127.0.0.1", port_of(partner)) as proxy:
        sock = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")
        proxy.cut()
        with sock, pytest.raises(ConnectionResetError):
            sock.recv(1000)
