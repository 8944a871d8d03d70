"""What we write, read by programs nobody here wrote: x12-doctor, pyx12 and pydifact."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

import mappings
from hub.cli.translate import sample_envelope
from hub.codecs import hub_codecs
from hub.codecs.acknowledge import functional_acknowledgement
from hub.codecs.answers import set_result
from hub.domain.errors import Problem
from hub.ports import Profile
from hub.testing.codec_contract import decode_all
from hub.testing.mapping_contract import mapping_names
from hub.translate import mapfile
from hub.translate.compile import compile_mapping
from hub.translate.documents import DOCUMENTS

HOUSE = Path(mappings.__path__[0])
JUDGES = Path(__file__).parents[2] / ".peers" / "edi-judges" / "bin"
READER = Path(__file__).parents[1] / "peers" / "pydifact_reader.py"
CODECS = {codec.name: codec for codec in hub_codecs()}
EXCUSED = {
    ("810", "B04", "TDS01 declares a total"): "it is the invoice's total with taxes and charges, not of its lines",
    ("850", "B06", "BEG02 is 'DS'"): "DS, a drop shipment, is in the standard's list of order types",
    ("856", "B04", "CTT01 declares"): "in an 856 it counts the HL segments, not the SN1 segments",
}
"""Findings of x12-doctor (set, code, beginning of its words) that are not ours, and why."""


@pytest.fixture(autouse=True)
def _installed() -> None:
    if not JUDGES.exists():
        pytest.skip("the judges are not installed under .peers/edi-judges; make peers does it")


def outbound(syntax: str) -> Iterator[tuple[str, bytes]]:
    """Yield what every mapping of the house writes for its tests: its name and number, and an interchange."""
    for name in mapping_names(HOUSE):
        if not name.startswith(f"{syntax}/") or not name.endswith(".out"):
            continue
        mapping = mapfile.load([HOUSE], name)
        compiled = compile_mapping(mapping)
        for number, case in enumerate(mapping.tests):
            given = json.loads(((HOUSE / name).parent / case.given).read_text())
            document = msgspec.convert(given, DOCUMENTS[mapping.document], strict=False)
            body = CODECS[syntax].encode([compiled.outward(document)], sample_envelope(compiled, 1))
            yield f"{mapping.set}-{name.replace('/', '-')}-{number}", body


def written(folder: Path, bodies: Iterator[tuple[str, bytes]]) -> list[Path]:
    files = []
    for name, body in bodies:
        files.append(folder / f"{name}.edi")
        files[-1].write_bytes(body)
    assert len(files) >= 4
    return files


def run(program: str | Path, arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(JUDGES / program), *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.peers
def test_x12_doctor_finds_nothing_wrong_with_what_we_write(tmp_path: Path) -> None:
    files = written(tmp_path, outbound("x12"))

    reports = json.loads(run("x12doctor", ["check", "--format", "json", *files]).stdout)["reports"]

    assert [Path(report["source"]) for report in reports] == files
    found = [
        (report["source"], each["code"], each["message"])
        for report in reports
        for each in report["findings"]
        if each["severity"] != "info" and not excused(report["doc_type"], each)
    ]
    assert found == []


def excused(set_name: str, finding: dict[str, Any]) -> bool:
    return any((set_name, finding["code"]) == key[:2] and finding["message"].startswith(key[2]) for key in EXCUSED)


@pytest.mark.peers
def test_x12_doctor_would_have_found_something(tmp_path: Path) -> None:
    name, body = next(each for each in outbound("x12") if each[0].startswith("810"))
    (tmp_path / name).write_bytes(body.replace(b"\nIEA*1*", b"\nIEA*7*"))

    report = json.loads(run("x12doctor", ["check", "--format", "json", tmp_path / name]).stdout)

    assert "A07" in {each["code"] for each in report["findings"]}


@pytest.mark.peers
@pytest.mark.parametrize("kind", ["997", "999"])
@pytest.mark.parametrize("sound", [True, False])
def test_pyx12_accepts_our_answers(kind: str, sound: bool, tmp_path: Path) -> None:
    """The answers to an 820, as pyx12 knows few functional groups."""
    sample = (Path(__file__).parent / "x12/850/fail/element_number.edi").read_bytes()
    (decoded,) = decode_all(CODECS["x12"], sample, Profile(guide="x12/850-004010"))
    problems: tuple[Problem, ...] = () if sound else decoded.problems
    result = msgspec.structs.replace(set_result(decoded), set="820", problems=problems)
    result = msgspec.structs.replace(result, status="accepted" if sound else "rejected")
    answer = functional_acknowledgement({**decoded.facts, "functional_id": "RA"}, [result], kind)
    assert answer is not None
    moment = {"date": "20261122", "time": "1030", "newline": True}
    control = {"interchange": 900, "group": 90, "sets": [1]}
    body = CODECS["x12"].encode(answer.documents, {**answer.envelope, **moment, "control": control})
    file = tmp_path / "answer.edi"
    file.write_bytes(body)

    done = run("x12valid", [file])

    assert "OK" in done.stdout + done.stderr, done.stderr + body.decode()
    assert ("K3" in body.decode()) is not sound


@pytest.mark.peers
def test_pydifact_reads_what_we_write_as_we_meant_it(tmp_path: Path) -> None:
    files = written(tmp_path, outbound("edifact"))

    done = run("python", [READER, *files])

    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    for file in files:
        (ours,) = decode_all(CODECS["edifact"], file.read_bytes(), Profile())
        assert [shape(segment) for segment in theirs[str(file)]] == [shape(each) for each in segments(ours.tree)]


def segments(root: Any) -> list[list[Any]]:
    """Return the segments of a tree in the order of the message."""
    found, waiting = [], [child for children in root.children.values() for child in children]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += [child for children in node.children.values() for child in children]
    return [node.elements for node in sorted(found, key=lambda node: node.number)]


def shape(segment: Sequence[Any]) -> list[str]:
    """Spell a segment in one way: what is empty at the end says nothing."""
    texts = [part if isinstance(part, str) else "\x1f".join(part).rstrip("\x1f") for part in segment]
    while texts and not texts[-1]:
        texts.pop()
    return texts
