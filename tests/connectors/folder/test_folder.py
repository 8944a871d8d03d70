"""The folder connector: what is taken when, what a crash leaves, what goes out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.folder import Exchange, Settings
from connectors.folder.simulator import Partner
from hub.sdk import Kit, Outgoing, Page, Rejected, TooLarge

pytest_plugins = ["hub.testing.pytest_plugin"]
OLD = 1_767_600_000
"""2026-01-05 08:00 UTC: an hour before the tests' clock."""


def exchange(kit: Kit, **settings: object) -> Exchange:
    return Exchange(Settings(**{"inbox": "in", "outbox": "out", **settings}), kit)  # type: ignore[arg-type]


def put(partner: Partner, name: str, body: bytes, at: int = OLD) -> None:
    os.utime(partner.put(name, body), (at, at))


@pytest.fixture
def partner(tmp_path: Path) -> Partner:
    return Partner(tmp_path / "in", tmp_path / "out")


def names(pages: list[Page]) -> list[str]:
    return [message.name for page in pages for message in page.messages]


def test_files_are_taken_oldest_first_and_moved(hub_kit: Kit, partner: Partner, tmp_path: Path) -> None:
    put(partner, "b.edi", b"first", OLD)
    put(partner, "a.edi", b"second", OLD + 60)

    pages = list(exchange(hub_kit).pull("order", ""))

    assert [(m.name, m.body, m.kind) for page in pages for m in page.messages] == [
        ("b.edi", b"first", "order"),
        ("a.edi", b"second", "order"),
    ]
    assert sorted(each.name for each in (tmp_path / "in").iterdir()) == ["taken"]
    assert sorted(each.name for each in (tmp_path / "in/taken").iterdir()) == ["a.edi", "b.edi"]
    assert list(exchange(hub_kit).pull("order", "")) == []


def test_a_crash_before_the_page_is_stored_loses_nothing_and_after_it_repeats_the_id(
    hub_kit: Kit, partner: Partner, tmp_path: Path
) -> None:
    put(partner, "a.edi", b"order")
    looking = exchange(hub_kit).pull("order", "")

    first = next(looking)
    looking.close()

    assert (tmp_path / "in/a.edi").read_bytes() == b"order"
    again = next(exchange(hub_kit).pull("order", ""))
    assert again.messages[0].event_id == first.messages[0].event_id


def test_a_new_file_of_the_same_name_and_content_is_not_a_repeat(hub_kit: Kit, partner: Partner) -> None:
    put(partner, "stock.csv", b"sku,quantity\r\nA,5\r\n", OLD)
    first = list(exchange(hub_kit).pull("stock", ""))
    put(partner, "stock.csv", b"sku,quantity\r\nA,5\r\n", OLD + 600)
    second = list(exchange(hub_kit).pull("stock", ""))

    assert names(first) == names(second) == ["stock.csv"]
    assert first[0].messages[0].event_id != second[0].messages[0].event_id


def test_a_file_that_is_written_again_while_it_is_stored_is_not_lost(hub_kit: Kit, partner: Partner) -> None:
    put(partner, "stock.csv", b"sku,quantity\r\nA,5\r\n", OLD)
    looking = exchange(hub_kit).pull("stock", "")
    first = next(looking)
    put(partner, "stock.csv", b"sku,quantity\r\nA,4\r\n", OLD + 60)

    assert list(looking) == []
    assert [m.body for page in exchange(hub_kit).pull("stock", "") for m in page.messages] == [
        b"sku,quantity\r\nA,4\r\n"
    ]
    assert first.messages[0].body == b"sku,quantity\r\nA,5\r\n"


def test_a_file_that_they_take_back_while_it_is_stored_harms_nothing(
    hub_kit: Kit, partner: Partner, tmp_path: Path
) -> None:
    put(partner, "a.edi", b"x")
    looking = exchange(hub_kit).pull("order", "")
    next(looking)
    (tmp_path / "in/a.edi").unlink()

    assert list(looking) == []


def test_only_names_of_the_pattern_are_taken(hub_kit: Kit, partner: Partner) -> None:
    put(partner, "a.edi", b"x")
    put(partner, "a.tmp", b"x")

    assert names(list(exchange(hub_kit, pattern="*.edi").pull("order", ""))) == ["a.edi"]


def test_a_file_that_is_still_written_waits_for_the_next_look(hub_kit: Kit, partner: Partner) -> None:
    put(partner, "a.edi", b"half", OLD + 7200)
    account = exchange(hub_kit)

    assert list(account.pull("order", "")) == []
    put(partner, "a.edi", b"half and the rest", OLD + 7260)
    assert list(account.pull("order", "")) == []
    assert names(list(account.pull("order", ""))) == ["a.edi"]


def test_links_are_left_alone(hub_kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"key")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.edi").symlink_to(tmp_path / "secret")

    assert list(exchange(hub_kit).pull("order", "")) == []


def test_a_file_that_is_too_large_is_reported_and_holds_nothing_up(
    hub_kit: Kit, partner: Partner, tmp_path: Path
) -> None:
    put(partner, "a.edi", b"much too large", OLD)
    put(partner, "b.edi", b"fine", OLD + 60)
    found: list[Page] = []

    with pytest.raises(TooLarge, match=r"a\.edi has more than 10 bytes"):
        found.extend(exchange(hub_kit, cap=10).pull("order", ""))

    assert names(found) == ["b.edi"]
    assert (tmp_path / "in/a.edi").exists()


def test_many_files_come_in_pages(hub_kit: Kit, partner: Partner) -> None:
    for number in range(40):
        put(partner, f"{number:02}.edi", b"x", OLD + number)

    pages = list(exchange(hub_kit).pull("order", ""))

    assert [len(page.messages) for page in pages] == [32, 8]


def test_each_kind_may_have_its_own_folder(hub_kit: Kit, tmp_path: Path) -> None:
    put(Partner(tmp_path / "stock/in", tmp_path / "out"), "s.csv", b"sku\r\n")
    account = exchange(hub_kit, inbox="{kind}/in", outbox="{kind}/out")

    assert names(list(account.pull("order", ""))) == []
    assert names(list(account.pull("stock", ""))) == ["s.csv"]
    account.push(Outgoing(key="d-1", kind="shipment", body=b"x", name="shipment-d-1.edi"))
    assert (tmp_path / "shipment/out/shipment-d-1.edi").read_bytes() == b"x"


def test_a_delivery_that_is_sent_twice_is_taken_once(hub_kit: Kit, partner: Partner) -> None:
    out = Outgoing(key="d-1", kind="shipment", body=b"ISA", name="shipment-d-1.edi")
    account = exchange(hub_kit)

    receipts = [account.push(out), account.push(out)]
    before = partner.pick_up()
    account.push(out)
    after = partner.pick_up()

    assert [each.reference for each in receipts] == ["shipment-d-1.edi", "shipment-d-1.edi"]
    assert before == ["shipment-d-1.edi"]
    assert after == []
    assert partner.repeats == 1


def test_a_name_cannot_lead_out_of_the_folder(hub_kit: Kit, tmp_path: Path) -> None:
    exchange(hub_kit).push(Outgoing(key="d-1", kind="shipment", body=b"x", name="../../up.edi"))

    assert [each.name for each in (tmp_path / "out").iterdir()] == ["_.._up.edi"]


def test_checking_makes_the_folders(hub_kit: Kit, tmp_path: Path) -> None:
    exchange(hub_kit).check()

    assert sorted(each.name for each in tmp_path.iterdir()) == ["in", "out"]


def test_a_folder_outside_of_what_is_allowed_is_refused(hub_kit: Kit) -> None:
    with pytest.raises(Rejected, match="outside the allowed folders"):
        exchange(hub_kit, inbox="../elsewhere").check()


def test_without_an_inbox_nothing_is_fetched(hub_kit: Kit) -> None:
    assert list(exchange(hub_kit, inbox="").pull("order", "")) == []


def test_without_an_outbox_nothing_is_sent(hub_kit: Kit) -> None:
    with pytest.raises(Rejected, match="has no outbox"):
        exchange(hub_kit, outbox="").push(Outgoing(key="d-1", kind="shipment", body=b"x"))
