"""The samples of the XML families, and what runs a mapping on them as the pipeline does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from hub.codecs.cxml import CODEC as CXML
from hub.codecs.idoc import CODEC as IDOC
from hub.codecs.plain_xml import CODEC as XML
from hub.domain.tree import Decoded
from hub.ports import Codec, Profile
from hub.testing.codec_contract import decode_all
from hub.testing.mapping_contract import xml_text
from hub.translate import mapfile
from hub.translate.compile import compile_mapping
from hub.translate.documents import DOCUMENTS

MAPPINGS = Path(__file__).parents[2] / "mappings"
CODECS: dict[str, Codec] = {"xml": XML, "cxml": CXML, "idoc": IDOC}


def sample(name: str) -> bytes:
    """Return a sample file, such as `ubl/invoice.xml`."""
    family, _, file = name.partition("/")
    return (MAPPINGS / family / "samples" / file).read_bytes()


def document(mapping: str, name: str) -> Any:
    """Return a canonical sample as the type that a mapping is for."""
    struct = DOCUMENTS[mapfile.load([MAPPINGS], mapping).document]
    return msgspec.convert(json.loads(sample(name)), struct, strict=False)


def decoded(mapping: str, body: bytes, profile: Profile | None = None) -> list[Decoded]:
    """Decode by the codec that a mapping's syntax names."""
    return decode_all(CODECS[mapfile.load([MAPPINGS], mapping).syntax], body, profile)


def inward(mapping: str, body: bytes) -> Any:
    """Return the one document of a message."""
    (found,) = decoded(mapping, body)
    assert [each for each in found.problems if each.severity == "error"] == []
    return compile_mapping(mapfile.load([MAPPINGS], mapping)).inward(found.tree)


def outward(mapping: str, given: Any) -> bytes:
    """Write a document."""
    loaded = mapfile.load([MAPPINGS], mapping)
    return xml_text(loaded, compile_mapping(loaded).outward(given)).encode()
