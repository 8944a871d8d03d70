"""What every mapping file must pass: it compiles, it has a test, and what is given gives what is expected.

Also small builders for tests of mappings: `segment("N1*ST*Store")` makes a node, `mapping_of(text)` a mapping.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from hub.codecs.cxml import CODEC as CXML
from hub.codecs.guide import has_guide, load_guide
from hub.codecs.idoc import CODEC as IDOC
from hub.codecs.plain_xml import CODEC as XML
from hub.domain.errors import Problem, Rejected
from hub.domain.tree import Node
from hub.ports import Codec, Frame, Function, Profile
from hub.translate import mapfile
from hub.translate.compile import Compiled, compile_mapping
from hub.translate.documents import DOCUMENTS

_PARTNERS: Mapping[str, Mapping[str, Any]] = {
    "cxml": {
        "sender": "NetworkId:AN01000000011", "receiver": "NetworkId:AN01000000022", "date": "20261122",
        "time": "101500", "control": {"interchange": 7},
    },
    "idoc": {
        "sender": "LI:NORTHWIND", "receiver": "LS:ERPCLNT100", "date": "20261122", "time": "101500", "client": "100",
        "control": {"interchange": 7},
    },
}  # fmt: skip
Decode = Callable[[mapfile.Mapping, bytes], Any]
"""(mapping, bytes of the given file) -> the one tree in it."""


def mapping_names(root: Path) -> Iterator[str]:
    """Yield the name of every mapping file below a folder, such as `x12/850.in`."""
    for file in sorted(root.rglob("*.toml")):
        if file.name.endswith((".in.toml", ".out.toml")):
            yield file.relative_to(root).as_posix().removesuffix(".toml")


def run_case(
    root: Path,
    roots: Sequence[mapfile.Root],
    name: str,
    case: mapfile.Case,
    decode: Decode,
    functions: Mapping[str, Function] | None = None,
) -> tuple[Any, Any]:
    """Run one `[[test]]` and return (what came out, what is expected), both as plain JSON or text."""
    mapping = mapfile.load(roots, name)
    compiled = compile_mapping(mapping, functions)
    folder = (root / name).parent
    given, expect = folder / case.given, folder / case.expect
    if mapping.direction == "in":
        document = compiled.inward(decode(mapping, given.read_bytes()))
        return plain(document), _json(expect)
    document = msgspec.convert(_json(given), DOCUMENTS[mapping.document], strict=False)
    tree = compiled.outward(document)
    if expect.suffix == ".json":
        return plain(tree), _json(expect)
    if expect.suffix == ".xml":
        return xml_text(mapping, tree), expect.read_text(encoding="utf-8")
    return segments_text(tree), expect.read_text(encoding="utf-8").rstrip("\n")


def decoder(codecs: Sequence[Codec]) -> Decode:
    """Return a `Decode` that uses the mapping's syntax where it names one, else the codec that knows the bytes."""

    def decode(mapping: mapfile.Mapping, body: bytes) -> Any:
        codec = next(
            one for one in codecs if one.name == mapping.syntax or (not mapping.syntax and one.sniff(body[:4096]))
        )
        profile = Profile(guide=mapping.guide)
        frames = codec.frames(body, profile)
        found = [one for frame in frames for one in codec.decode(_part(body, frame), frame, profile)]
        problems = [problem for one in found for problem in one.problems if problem.severity == "error"]
        if len(found) != 1 or problems:
            raise Rejected([*problems, Problem(code="sample", text=f"{len(found)} documents where one is expected")])
        return found[0].tree

    return decode


def guide_knows(name: str, tags: Sequence[str], element: int, component: int) -> bool:
    """Say whether a guide that comes with the codecs has a segment below these others, and its element."""
    if not has_guide(name):
        return False
    guide = load_guide(name)
    entries = guide.entries
    for place, tag in enumerate(tags):
        found = next((entry for entry in entries if entry.tag == tag), None)
        if found is None:
            return False
        # Hierarchy levels lie within each other, as their parents say.
        again = (found,) if tag == guide.hierarchy else ()
        entries = (*found.within, *again) if place < len(tags) - 1 else ()
    elements = guide.elements.get(tags[-1]) if tags else ()
    if elements is None:
        return True  # The dictionary knows the segment's place, not its elements.
    return element <= len(elements) and (not element or component <= max(1, len(elements[element - 1].parts)))


def plain(value: Any) -> Any:
    """Spell a document or tree as plain JSON: Decimals as text, so that 1.10 and 1.1 are not the same."""
    return json.loads(msgspec.json.encode(value))


def segments_text(segments: Sequence[Sequence[str | Sequence[str]]]) -> str:
    """Write segments one a line, `*` between elements and `:` between components, for golden files."""
    return "\n".join("*".join(part if isinstance(part, str) else ":".join(part) for part in one) for one in segments)


def xml_text(mapping: mapfile.Mapping, tree: Any) -> str:
    """Write a tree as the codec of its syntax does, between partners made up for it, and indent it for people."""
    codec: Codec = {"cxml": CXML, "idoc": IDOC}.get(mapping.syntax, XML)  # type: ignore[assignment]
    body = codec.encode([tree], {**_PARTNERS.get(mapping.syntax, {}), "set": mapping.set})
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    etree.indent(root)
    written: str = etree.tostring(root.getroottree(), encoding="unicode")
    return written + "\n"


def segment(text: str, *children: Node, number: int = 0) -> Node:
    """Make the node of `TAG*a*b>c`, with what hangs below it; an empty text makes a root."""
    elements: list[Any] = [part.split(">") if ">" in part else part for part in text.split("*")]
    below: dict[str, list[Node]] = {}
    for child in children:
        below.setdefault(child.tag, []).append(child)
    return Node(str(elements[0]), elements, below, number)


def mapping_of(text: str, direction: str = "in", others: Mapping[str, str] | None = None) -> mapfile.Mapping:
    """Load a mapping that is given as text; `others` are the files it names, by name without .toml."""
    name = f"test/it.{direction}"
    files = {f"{key}.toml": value for key, value in {**(others or {}), name: text}.items()}
    return mapfile.load([], name, lambda file: files[file])


def compiled_of(text: str, direction: str = "in", others: Mapping[str, str] | None = None) -> Compiled:
    """Load and compile a mapping that is given as text."""
    return compile_mapping(mapping_of(text, direction, others))


def _part(body: bytes, frame: Frame) -> bytes:
    return body[frame.offset : frame.offset + frame.length]


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
