"""Cutting text into segments: the quick way finds what the closer look finds, or leaves it to it."""

from __future__ import annotations

import pytest

from hub.codecs.cutting import evenly_cut, offsets_of, trimmed

EVEN = ["A*1~BC*2~D~", "A*1~BC*2~D", "A~\nBC*2~\nD~", "A~\r\nBC*2~\r\nD~", "A~\nBC~\n", "A*CAFÉ~\nB*Ü~\nC~", "A~"]
UNEVEN = [
    "A~\nBC~D~", "A~BC~\nD~", "A~\r\nBC~\nD~", "A~ BC~D~", "A~\n BC~\nD~", "A~~D~", "A~\n\nD~", " A~B~", "\nA~\nB~\n",
    "A~\nB\nC~\nD~", "A~\nB~\nC", "A~\n\x1a", "A~\tB~", "", "~", "A~BIN*3*~~~~", "BDS*A~", "A~\nB~C~\nD", "A~\u00a0B~",
]  # fmt: skip


@pytest.mark.parametrize("text", EVEN)
def test_even_texts_are_cut_as_the_closer_look_cuts_them(text: str) -> None:
    raw = text.encode()
    closer = trimmed(text.split("~"), offsets_of(raw.split(b"~"), 1, 7))
    assert evenly_cut(text, raw, "~", 7, ("BIN", "BDS")) == closer


@pytest.mark.parametrize("text", UNEVEN)
def test_uneven_texts_are_left_to_the_closer_look(text: str) -> None:
    assert evenly_cut(text, text.encode(), "~", 0, ("BIN", "BDS")) is None


def test_places_are_bytes_of_what_was_received() -> None:
    text = "A*É~\nBÉ~\nC~"
    for raw in (text.encode(), text.encode("latin-1")):
        cut = evenly_cut(text, raw, "~", 100)
        assert cut is not None
        assert [raw[place - 100 :][:1] for place in cut[1]] == [b"A", b"B", b"C"]


def test_bytes_of_another_encoding_are_not_measured() -> None:
    text = "A~\nB~"
    assert evenly_cut(text, text.encode("utf-16-le"), "~", 0) is None
