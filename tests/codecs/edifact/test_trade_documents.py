"""The messages around the order, out and in again: in both directories, under EANCOM's limits, and as others write."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

import mappings
from hub.cli.translate import sample_envelope
from hub.codecs.edifact.codec import CODEC
from hub.domain.errors import Rejected
from hub.ports import Profile
from hub.testing.codec_contract import decode_all
from hub.testing.mapping_contract import guide_knows, plain
from hub.translate import mapfile
from hub.translate.compile import compile_mapping
from hub.translate.documents import DOCUMENTS
from hub.translate.guide import check_paths

HOUSE = Path(mappings.__path__[0])
PAIRS = (
    ("ordchg", "ordchg"), ("ordrsp_change", "ordrsp_change"), ("invrpt", "invrpt"), ("slsrpt", "slsrpt"),
    ("recadv", "recadv"), ("remadv", "remadv"), ("pricat", "pricat"), ("aperak", "aperak"),
)  # fmt: skip
DIRECTORIES = {"D96A": "D:96A:UN", "D01B": "D:01B:UN"}
EANCOM = tomllib.loads((HOUSE / "edifact/eancom.toml").read_text())
"""What EANCOM asks beyond the directory, as an agreement's overlay says it."""


def document_of(name: str) -> tuple[mapfile.Mapping, Any]:
    """The document that a mapping's first test is given."""
    mapping = mapfile.load([HOUSE], f"edifact/{name}.out")
    given = json.loads((HOUSE / "edifact" / mapping.tests[0].given).read_text())
    return mapping, msgspec.convert(given, DOCUMENTS[mapping.document], strict=False)


def written(name: str, directory: str) -> tuple[bytes, Any]:
    """An interchange of our own, and the document in it."""
    mapping, document = document_of(name)
    compiled = compile_mapping(mapping)
    envelope = {**sample_envelope(compiled, 1), "message_version": DIRECTORIES[directory]}
    return CODEC.encode([compiled.outward(document)], envelope), document


def read(body: bytes, guide: str, overlay: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
    """The tree of the one message, and what our reader finds wrong with it."""
    profile = Profile(guide=guide, options={"overlay": overlay} if overlay else {})
    (decoded,) = decode_all(CODEC, body, profile)
    return decoded.tree, [str(problem) for problem in decoded.problems]


@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize(("outward", "inward"), PAIRS)
def test_what_we_write_is_sound_and_comes_back_as_it_was(outward: str, inward: str, directory: str) -> None:
    body, document = written(outward, directory)
    mapping = mapfile.load([HOUSE], f"edifact/{inward}.in")
    guide = mapping.guide.replace("D96A", directory)

    tree, problems = read(body, guide, EANCOM[mapping.set])
    back = compile_mapping(mapping).inward(tree)

    assert problems == []
    assert without_habits(plain(back)) == without_habits(plain(document))


def without_habits(given: Any) -> Any:
    """Leave out what a message cannot say again, and what a mapping adds by itself."""
    if isinstance(given, list):
        return [without_habits(each) for each in given]
    if not isinstance(given, dict):
        return given
    gone = {
        "extensions",
        "external_id",
        "order_external_id",
        "order_number",
        "purchase_order_number",
        "kind",
        "answers",
    }
    kept = {
        key: without_habits(value)
        for key, value in given.items()
        if key not in gone and value not in ("", "original", [], {})
    }
    return {
        key: f"{float(value):g}" if key in ("amount", "quantity", "ordered") else value for key, value in kept.items()
    }


@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize("name", sorted({f"{each}.in" for pair in PAIRS for each in pair}))
def test_each_mapping_fits_both_directories(name: str, directory: str) -> None:
    mapping = mapfile.load([HOUSE], f"edifact/{name}")

    fitted = compile_mapping(replace(mapping, guide=mapping.guide.replace("D96A", directory)))

    assert check_paths(fitted, guide_knows) == []


@pytest.mark.parametrize(
    ("name", "taken_away"), [("remadv", b"CUX+"), ("recadv", b"NAD+SU"), ("ordchg", b"RFF+ON"), ("pricat", b"NAD+SU")]
)
def test_what_eancom_asks_beyond_the_directory_is_found_missing(name: str, taken_away: bytes) -> None:
    body, _ = written(name, "D96A")
    mapping = mapfile.load([HOUSE], f"edifact/{name}.in")
    lines = body.split(b"'")
    cut = b"'".join(line for line in lines if not line.strip().startswith(taken_away))

    _, plainly = read(cut, mapping.guide)
    _, strictly = read(cut, mapping.guide, EANCOM[mapping.set])

    assert len(strictly) > len(plainly)


PUBLIC = {
    "edi-APERAK-rejected.edi": "aperak", "edi-INVRPT-D96A-EAN008-amazon-shape.edi": "invrpt",
    "edi-PRICAT-D96A-EANCOM.txt": "pricat",
}  # fmt: skip
SAMPLES = os.environ.get("EDI_SAMPLES", "")


@pytest.mark.skipif(not SAMPLES, reason="EDI_SAMPLES names no folder of public samples")
@pytest.mark.parametrize("file", sorted(PUBLIC))
def test_what_others_published_is_understood(file: str) -> None:
    mapping = mapfile.load([HOUSE], f"edifact/{PUBLIC[file]}.in")
    compiled = compile_mapping(mapping)

    for decoded in decode_all(CODEC, (Path(SAMPLES) / file).read_bytes(), Profile()):
        document = compiled.inward(decoded.tree)
        if PUBLIC[file] == "aperak":
            assert (document.documents[0].reference, document.documents[0].status) == ("PO123456", "rejected")
            assert document.documents[0].errors[0].text == "Order rejected  invalid product code"
        elif PUBLIC[file] == "invrpt":
            assert [(line.sku, line.quantity) for line in document.lines] == [("4000862141404", 24), ("SKU-77", 0)]
        else:
            assert [len(line.prices) for line in document.lines] == [1, 1, 0, 1, 0]


def test_a_message_without_its_number_names_the_rule() -> None:
    mapping = mapfile.load([HOUSE], "edifact/remadv.in")
    body = (HOUSE / "edifact/samples/remadv-invoices.edi").read_bytes().replace(b"BGM+481+PAY-77+9", b"BGM+481++9")
    tree, _ = read(body, mapping.guide)

    with pytest.raises(Rejected, match=r"number: .*edifact/remadv\.in\.toml"):
        compile_mapping(mapping).inward(tree)
