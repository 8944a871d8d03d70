"""What a connection is lent, and where its limits are."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.domain.errors import Rejected, RetryLater
from hub.kit.clock import SystemClock
from hub.kit.kit import HubKit, Limited, Shared
from hub.ports import Rate
from hub.testing.fakes import LOOPBACK, FakeClock, FakeNotes, fake_kit
from hub.testing.scripted import scripted


def test_opening_everything_touches_nothing(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path / "var")
    kit.http("https://partner.example")
    kit.soap("/nowhere.wsdl", service_url="https://partner.example/soap")
    kit.mail("mail.partner.example", 587)
    kit.folder("acme/in")
    assert list(tmp_path.iterdir()) == []


def test_a_relative_folder_lies_below_var_and_is_made_at_first_use(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    kit.folder("acme/in").write("a.edi", b"x")
    assert (tmp_path / "acme" / "in" / "a.edi").read_bytes() == b"x"


@pytest.mark.parametrize("path", ["../x", "/etc", "a/../../x", "", "a\0b", "link"])
def test_a_folder_outside_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "link").symlink_to("/etc")
    with pytest.raises(Rejected):
        fake_kit(tmp_path / "var").folder(path)


def test_an_allowed_root_may_be_used(tmp_path: Path) -> None:
    root = tmp_path / "exchange"
    kit = fake_kit(tmp_path / "var", roots=(root,))
    kit.folder(str(root / "in")).write("a", b"x")
    assert kit.path(str(root / "in" / "a")) == str(root / "in" / "a")
    with pytest.raises(Rejected, match="outside the allowed folders"):
        kit.path("/etc/passwd")
    with pytest.raises(Rejected, match="no file"):
        kit.path(str(root / "in" / "b"))


def test_a_folder_remembers_its_looks_when_the_connection_is_opened_again(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.edi").write_bytes(b"x")
    shared, clock = Shared(), FakeClock()

    def opened() -> HubKit:
        return HubKit(connection="acme", clock=clock, var=tmp_path, notes=FakeNotes(), shared=shared)

    assert list(opened().folder("in").stable()) == []
    assert list(opened().folder("in").stable()) == ["a.edi"]


def test_notes_belong_to_their_connection(tmp_path: Path) -> None:
    notes = FakeNotes()
    acme = HubKit(connection="acme", clock=FakeClock(), var=tmp_path, notes=notes)
    globex = HubKit(connection="globex", clock=FakeClock(), var=tmp_path, notes=notes)
    acme.remember("token", "abc")
    assert (acme.recall("token"), globex.recall("token")) == ("abc", None)
    with pytest.raises(Rejected, match="too long"):
        acme.remember("token", "x" * 4001)


def test_the_rate_of_a_connector_holds_over_all_its_clients(tmp_path: Path) -> None:
    rate, allowed = Rate(per_second=0.01, burst=2), Limited(networks=LOOPBACK)
    kit = HubKit(connection="acme", clock=FakeClock(), var=tmp_path, notes=FakeNotes(), rate=rate, limited=allowed)
    with scripted() as partner:
        kit.http(partner.url, deadline=1).get("/a")
        kit.http(partner.url, deadline=1).get("/b")
        with pytest.raises(RetryLater, match="rate budget"):
            kit.http(partner.url, deadline=1).get("/c")
        kit.http(partner.url, deadline=1, per_second=1000).get("/own-rate")
    assert [call.path for call in partner.calls] == ["/a", "/b", "/own-rate"]


def test_the_system_clock_is_aware_and_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is not None
    assert now.utcoffset() is not None
    assert str(now.tzinfo) == "UTC"
