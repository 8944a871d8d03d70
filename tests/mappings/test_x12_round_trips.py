"""What we write as X12 is sound against its guide in both versions, and reads back as the document that it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.codecs.x12.codec import CODEC
from hub.domain.errors import Problem
from hub.domain.tree import Decoded
from hub.ports import Profile
from hub.testing.mapping_contract import mapping_names
from hub.translate import mapfile
from hub.translate.compile import compile_mapping
from hub.translate.documents import DOCUMENTS

ROOT = Path(__file__).parents[2] / "mappings"
VERSIONS = (("00401", "004010"), ("00501", "005010"))
OUTWARD = [
    (name, case)
    for name in mapping_names(ROOT)
    if name.startswith("x12/") and name.endswith(".out")
    for case in mapfile.load([ROOT], name).tests
]
INWARD = [
    (name, case)
    for name in mapping_names(ROOT)
    if name.startswith("x12/") and name.endswith(".in")
    for case in mapfile.load([ROOT], name).tests
]
SAME = [
    (name, case)
    for name, case in OUTWARD
    if (ROOT / f"{name[:-4]}.in.toml").exists()
    and mapfile.load([ROOT], name).document == mapfile.load([ROOT], f"{name[:-4]}.in").document
    and name not in ("x12/810.out", "x12/855.out", "x12/856.out", "x12/945.out")
]
"""Mappings whose two directions are about one document in one role. The answers, shipments and invoices that go out
are ours, and those that come in are a supplier's: another number of the same document stands in the same place."""


def written(name: str, document: Any, version: tuple[str, str]) -> bytes:
    """Write a canonical document as a whole interchange."""
    mapping = mapfile.load([ROOT], name)
    tree = compile_mapping(mapping).outward(document)
    envelope = {
        "sender": "ZZ:NORTHWIND", "receiver": "ZZ:ACMEGOODS", "version": version[0], "group": version[1],
        "set": mapping.set, "date": "20261122", "time": "1015",
        "control": {"interchange": 1, "group": 1, "sets": ["0001"]},
    }  # fmt: skip
    return CODEC.encode([tree], envelope)


def read(body: bytes, guide: str) -> Decoded:
    """Decode the one set of an interchange against a guide."""
    profile = Profile(guide=guide)
    [found] = [
        one
        for frame in CODEC.frames(body, profile)
        for one in CODEC.decode(body[frame.offset : frame.offset + frame.length], frame, profile)
    ]
    return found


def given(name: str, case: mapfile.Case) -> Any:
    """Return the canonical document of a test."""
    content = json.loads((ROOT / "x12" / case.given).read_text(encoding="utf-8"))
    return msgspec.convert(content, DOCUMENTS[mapfile.load([ROOT], name).document], strict=False)


@pytest.mark.parametrize("version", VERSIONS, ids=["004010", "005010"])
@pytest.mark.parametrize(("name", "case"), OUTWARD, ids=[f"{name}:{case.given}" for name, case in OUTWARD])
def test_what_is_written_is_sound_against_its_guide(name: str, case: mapfile.Case, version: tuple[str, str]) -> None:
    guide = f"x12/{mapfile.load([ROOT], name).set}-{version[1]}"

    found = read(written(name, given(name, case), version), guide)

    assert [str(problem) for problem in found.problems] == []


@pytest.mark.parametrize(("name", "case"), INWARD, ids=[f"{name}:{case.given}" for name, case in INWARD])
def test_a_sample_is_sound_against_its_guide_to_the_last_warning(name: str, case: mapfile.Case) -> None:
    found = read((ROOT / "x12" / case.given).read_bytes(), mapfile.load([ROOT], name).guide)

    assert [str(problem) for problem in found.problems if isinstance(problem, Problem)] == []


@pytest.mark.parametrize("version", VERSIONS, ids=["004010", "005010"])
@pytest.mark.parametrize(("name", "case"), SAME, ids=[f"{name}:{case.given}" for name, case in SAME])
def test_what_is_written_reads_back_as_the_same_document(
    name: str, case: mapfile.Case, version: tuple[str, str]
) -> None:
    inward = mapfile.load([ROOT], f"{name[:-4]}.in")
    document = given(name, case)

    found = read(written(name, document, version), inward.guide.replace("004010", version[1]))

    assert compile_mapping(inward).inward(found.tree) == document
