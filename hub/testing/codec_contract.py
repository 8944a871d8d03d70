"""What every codec must keep, ours or not.

A package buys the suite with a few lines in its tests::

    from hub.testing.codec_contract import *
    case = case_fixture([CodecCase(codec=ACME, sample=b"...", trees=[...], envelope={...})])
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import Problem
from hub.domain.tree import Decoded, Node
from hub.ports import Codec, Frame, Profile

MAX_FRAME = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class CodecCase:
    """A codec with one sound message of several documents, and trees to write."""

    codec: Codec
    sample: bytes
    """A sound message; the suite damages it in many ways."""
    trees: Sequence[Any]
    """What `encode` takes."""
    envelope: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    profile: Profile = dataclasses.field(default_factory=Profile)
    foreign: Sequence[bytes] = (b"", b"%PDF-1.7", b"\x00\x01\x02\x03")
    """First bytes of other syntaxes."""


def case_fixture(cases: Iterable[CodecCase]) -> Any:
    """Return the fixture `case` that the suite runs over."""
    found = list(cases)

    @pytest.fixture(params=found, ids=[one.codec.name for one in found], scope="module")
    def case(request: pytest.FixtureRequest) -> CodecCase:
        one: CodecCase = request.param
        return one

    return case


def decode_all(codec: Codec, body: bytes, profile: Profile | None = None) -> list[Decoded]:
    """Decode a whole message frame by frame, each from its own bytes only."""
    profile = profile or Profile()
    return [
        decoded
        for frame in codec.frames(body, profile)
        for decoded in codec.decode(body[frame.offset : frame.offset + frame.length], frame, profile)
    ]


def test_it_knows_its_own_first_bytes(case: CodecCase) -> None:
    """A codec is sniffed before it is asked to decode."""
    assert case.codec.sniff(case.sample[:256])
    assert case.codec.sniff(b"\xef\xbb\xbf" + case.sample[:256])


def test_it_leaves_other_syntaxes_alone(case: CodecCase) -> None:
    """Claiming foreign bytes would keep the right codec from them."""
    assert [head for head in case.foreign if case.codec.sniff(head)] == []


def test_a_sound_message_has_no_problems(case: CodecCase) -> None:
    """The sample is sound, so that the damage below is what is found."""
    assert [decoded.problems for decoded in decode_all(case.codec, case.sample, case.profile) if decoded.problems] == []


def test_what_it_writes_it_reads_back(case: CodecCase) -> None:
    """Encoding and decoding come out where they began, and doing it twice gives the same bytes."""
    once = case.codec.encode(case.trees, case.envelope)
    assert case.codec.encode(case.trees, case.envelope) == once
    read = decode_all(case.codec, once, case.profile)
    assert [decoded.problems for decoded in read if decoded.problems] == []
    assert [_plain(decoded.tree) for decoded in read] == [_plain(tree) for tree in case.trees]


def test_frames_cover_every_document_once(case: CodecCase) -> None:
    """Frames run on where the one before ended, hold at most 500 documents, and lie inside the body."""
    frames = list(case.codec.frames(case.sample, case.profile))
    assert frames
    expected = 0
    for frame in frames:
        assert frame.first == expected
        assert 0 < frame.count <= MAX_FRAME
        assert frame.offset >= 0
        assert frame.offset + frame.length <= len(case.sample)
        expected += frame.count
    assert [decoded.ordinal for decoded in decode_all(case.codec, case.sample, case.profile)] == list(range(expected))


def test_a_frame_is_decoded_from_its_own_bytes(case: CodecCase) -> None:
    """The same frame twice, in any order, gives the same documents."""
    frames: list[Frame] = list(case.codec.frames(case.sample, case.profile))
    forwards = {frame.first: _frame(case, frame) for frame in frames}
    backwards = {frame.first: _frame(case, frame) for frame in reversed(frames)}
    assert forwards == backwards


def test_junk_is_refused_with_a_position(case: CodecCase) -> None:
    """Junk ends as a document with a problem that says where; nothing is raised."""
    for body in (b"", b" ", b"\x00" * 64, b"\xff" * 64, case.sample[: len(case.sample) // 2], case.sample[1:]):
        for decoded in decode_all(case.codec, body, case.profile):
            _check_problems(decoded.problems)


def test_no_bytes_make_it_raise(case: CodecCase) -> None:
    """Random bytes, alone and inside a sound message, never raise, and every problem names its place."""

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(junk=st.binary(max_size=200), at=st.integers(0, len(case.sample)), cut=st.integers(0, 40))
    def try_one(junk: bytes, at: int, cut: int) -> None:
        for body in (junk, case.sample[:at] + junk + case.sample[at + cut :]):
            case.codec.sniff(body[:64])
            for decoded in decode_all(case.codec, body, case.profile):
                _check_problems(decoded.problems)

    try_one()


def test_a_message_above_the_cap_is_refused(case: CodecCase) -> None:
    """A cap of the agreement refuses a message; it does not raise and it does not decode."""
    small = dataclasses.replace(case.profile, max_bytes=10)
    (decoded,) = decode_all(case.codec, case.sample, small)
    assert [problem.severity for problem in decoded.problems] == ["error"]


def _frame(case: CodecCase, frame: Frame) -> list[Any]:
    body = case.sample[frame.offset : frame.offset + frame.length]
    return [(each.ordinal, _plain(each.tree), each.problems) for each in case.codec.decode(body, frame, case.profile)]


def _check_problems(problems: Iterable[Problem]) -> None:
    for problem in problems:
        assert problem.code
        assert problem.text
        assert problem.at is not None, problem


def _plain(tree: Any) -> Any:
    """Return a tree for comparing: EDI as the segments in their order, whatever loops they hang in."""
    if isinstance(tree, Node):
        found: list[Node] = []
        _collect(tree, found)
        return [_trim(node.elements) for node in sorted(found, key=lambda node: node.number) if node.tag]
    if isinstance(tree, list) and tree and isinstance(tree[0], list):
        return [_trim(segment) for segment in tree]
    return tree


def _collect(node: Node, found: list[Node]) -> None:
    found.append(node)
    for children in node.children.values():
        for child in children:
            _collect(child, found)


def _trim(elements: Sequence[Any]) -> list[Any]:
    values = [list(value) if isinstance(value, (list, tuple)) else str(value) for value in elements]
    while values and not values[-1]:
        values.pop()
    return values
