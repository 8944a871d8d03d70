"""Folders on a real disk."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.domain.errors import Paused, Rejected, TooLarge
from hub.kit.files import DiskFolder, safe_name
from hub.testing.fakes import FakeClock


def folder(path: Path, *, now: float = 0.0) -> DiskFolder:
    """Return a folder whose clock stands at `now`, seconds since 1970: files made today are young to it."""
    return DiskFolder(path, clock=FakeClock(datetime.fromtimestamp(now, UTC)))


def test_a_file_is_taken_when_a_second_look_finds_it_unchanged(tmp_path: Path) -> None:
    place = folder(tmp_path)
    (tmp_path / "a.edi").write_bytes(b"ISA")
    assert list(place.stable()) == []
    assert list(place.stable()) == ["a.edi"]


def test_a_file_that_grows_between_looks_waits(tmp_path: Path) -> None:
    place = folder(tmp_path)
    (tmp_path / "a.edi").write_bytes(b"ISA")
    assert list(place.stable()) == []
    with (tmp_path / "a.edi").open("ab") as file:
        file.write(b"*00")
    assert list(place.stable()) == []
    assert list(place.stable()) == ["a.edi"]


def test_an_old_file_is_taken_at_once_and_the_oldest_first(tmp_path: Path) -> None:
    for name, written in (("b.edi", 1000), ("a.edi", 2000), ("young.edi", 2995)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (written, written))
    assert list(folder(tmp_path, now=3000).stable()) == ["b.edi", "a.edi"]


def test_looks_of_different_patterns_do_not_disturb_each_other(tmp_path: Path) -> None:
    place = folder(tmp_path)
    (tmp_path / "a.edi").write_bytes(b"x")
    (tmp_path / "b.xml").write_bytes(b"x")
    assert list(place.stable("*.edi")) == []
    assert list(place.stable("*.xml")) == []
    assert list(place.stable("*.edi")) == ["a.edi"]
    assert list(place.stable("*.xml")) == ["b.xml"]


def test_links_folders_pipes_and_hidden_files_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.edi").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.edi")
    (tmp_path / ".hidden.edi").write_bytes(b"x")
    place = folder(tmp_path, now=1e11)
    assert list(place.stable()) == []


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing"])
def test_what_is_not_a_regular_file_is_not_read(tmp_path: Path, kind: str) -> None:
    if kind == "link":
        (tmp_path / "a").symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(tmp_path / "a")
    elif kind == "folder":
        (tmp_path / "a").mkdir()
    with pytest.raises(Rejected):
        folder(tmp_path).read("a", cap=100)


def test_a_file_above_the_cap_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(101))
    with pytest.raises(TooLarge, match="more than 100 bytes"):
        folder(tmp_path).read("a", cap=100)
    assert folder(tmp_path).read("a", cap=101) == bytes(101)


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "..", ".", "", "sub/a", "a\0b"])
def test_a_name_that_leads_away_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Rejected):
        folder(tmp_path).read(name, cap=100)


def test_a_file_is_written_whole_and_twice_is_once(tmp_path: Path) -> None:
    place = folder(tmp_path / "made" / "new")
    place.write("order-1.edi", b"first")
    place.write("order-1.edi", b"second")
    assert [one.name for one in place.path.iterdir()] == ["order-1.edi"]
    assert place.read("order-1.edi", cap=100) == b"second"
    assert place.exists("order-1.edi")
    assert not place.exists("order-2.edi")


def test_a_written_name_cannot_lead_away(tmp_path: Path) -> None:
    place = folder(tmp_path / "out")
    place.write("../../etc/pass wd\n;rm.edi", b"x")
    assert [one.name for one in place.path.iterdir()] == ["_.._etc_pass wd__rm.edi"]
    assert place.exists("../../etc/pass wd\n;rm.edi")


def test_a_write_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "target")
    folder(tmp_path / "out").write("a", b"new")
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert (tmp_path / "out" / "a").read_bytes() == b"new"


def test_long_names_stay_apart() -> None:
    one, two = safe_name("a" * 300 + "1.edi"), safe_name("a" * 299 + "21.edi")
    assert len(one) <= 150
    assert one != two
    assert one.endswith("1.edi")


def test_a_taken_file_is_moved(tmp_path: Path) -> None:
    place, done = folder(tmp_path / "in"), folder(tmp_path / "done")
    place.write("a", b"x")
    place.move("a", done)
    assert not place.exists("a")
    assert done.read("a", cap=9) == b"x"
    with pytest.raises(Rejected, match="cannot be moved"):
        place.move("a", done)


def test_a_path_that_is_a_file_pauses_the_connection(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Paused, match="give the hub the right"):
        list(folder(tmp_path / "file" / "in").stable())


def test_a_stamp_changes_when_the_file_is_written_again(tmp_path: Path) -> None:
    place = tmp_path / "a.csv"
    place.write_bytes(b"same")
    os.utime(place, (1_000, 1_000))
    first = folder(tmp_path).stamp("a.csv")
    os.utime(place, (2_000, 2_000))

    assert first == "4-1000000000000"
    assert folder(tmp_path).stamp("a.csv") == "4-2000000000000"
