"""Samples as files: what lies in pass/ is sound, what lies in fail/ has the problem that its name says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.codecs import hub_codecs
from hub.domain.tree import Decoded
from hub.ports import Profile
from hub.testing.codec_contract import decode_all

HERE = Path(__file__).parent
CODECS = {codec.name: codec for codec in hub_codecs()}
GUIDES = {"850": "x12/850-004010", "856": "x12/856-004010", "ORDERS": "edifact/ORDERS-D96A"}
PASS = sorted(HERE.glob("*/*/pass/*"))
FAIL = sorted(HERE.glob("*/*/fail/*"))
ENVELOPE = sorted(HERE.glob("x12/envelope/*"))


def _name(path: Path) -> str:
    return str(path.relative_to(HERE))


def _decode(path: Path) -> list[Decoded]:
    syntax, kind = path.relative_to(HERE).parts[:2]
    return decode_all(CODECS[syntax], path.read_bytes(), Profile(guide=GUIDES.get(kind, "")))


@pytest.mark.parametrize("path", PASS, ids=_name)
def test_a_sound_sample_has_no_problems(path: Path) -> None:
    (decoded,) = _decode(path)
    assert decoded.problems == ()
    assert decoded.set == path.parts[-3]


@pytest.mark.parametrize("path", FAIL, ids=_name)
def test_a_damaged_sample_has_the_problem_of_its_name(path: Path) -> None:
    (decoded,) = _decode(path)
    assert [problem.code for problem in decoded.problems] == [path.stem]
    (problem,) = decoded.problems
    assert problem.severity == "error"
    assert problem.at is not None
    assert problem.at.segment > 0
    assert problem.at.offset > 0


@pytest.mark.parametrize("path", ENVELOPE, ids=_name)
def test_a_damaged_envelope_is_noticed(path: Path) -> None:
    found = {problem.code: problem for decoded in _decode(path) for problem in decoded.problems}
    assert path.stem in found
    assert found[path.stem].at is not None


def test_there_are_samples() -> None:
    assert len(PASS) > 15
    assert len(FAIL) > 20


def _public_samples() -> list[Path]:
    folder = os.environ.get("EDI_SAMPLES", "")
    return sorted(path for path in Path(folder).glob("*") if path.suffix != ".tsv") if folder else []


@pytest.mark.skipif(not os.environ.get("EDI_SAMPLES"), reason="EDI_SAMPLES does not name a folder")
def test_every_public_sample_is_decoded_or_refused_with_a_position() -> None:
    seen = 0
    for path in _public_samples():
        body = path.read_bytes()
        codec = next(codec for codec in CODECS.values() if codec.sniff(body[:4096]))
        documents = decode_all(codec, body)
        assert documents, path.name
        for decoded in documents:
            assert decoded.set or decoded.problems, path.name
            assert all(problem.at is not None for problem in decoded.problems), path.name
        seen += 1
    assert seen > 50
