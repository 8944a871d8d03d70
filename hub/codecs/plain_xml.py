"""XML as dicts: {"@attribute": v, "#text": v, "Child": value or [values]}, names without their namespace.

An element that holds only text becomes that text. No document type is accepted: it is where the attacks live.
Here is the one gate that all XML comes in by (`read_xml`); cXML and IDoc stand on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lxml import etree

from hub.codecs.plain import MAX_DEPTH, one_frame, refused, too_large
from hub.codecs.writing import value_text
from hub.codecs.xml_parties import parties_of
from hub.domain.errors import Problem, Rejected
from hub.domain.tree import Decoded
from hub.ports import Frame, Profile

_NAME = re.compile(r"[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?")
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Xml:
    """The codec `xml`: one document for each body, under the name of its root element."""

    name = "xml"
    content_type = "application/xml"

    def sniff(self, head: bytes) -> bool:
        """Say whether the bytes begin with a tag."""
        bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return bare[:1] == b"<" or bare[:4] in (b"\xff\xfe<\x00", b"\xfe\xff\x00<")

    def frames(self, body: bytes, profile: Profile) -> Sequence[Frame]:
        """Return one frame."""
        return one_frame(body)

    def decode(self, body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
        """Yield {root name: tree}; a document type, a syntax error or too deep nesting is refused with its place.

        `set` is the root's name, the parties are those of a UBL document; `namespace` is among the facts.
        """
        found = read_xml(body, profile)
        if isinstance(found, Decoded):
            yield found
            return
        sender, receiver = parties_of(found.name, found.content)
        version = found.namespace.rpartition("-")[2] if found.namespace else ""
        yield Decoded(
            tree={found.name: found.content}, set=found.name, version=version if version.isdigit() else "",
            sender=sender, receiver=receiver, facts={"namespace": found.namespace},
        )  # fmt: skip

    def encode(self, trees: Sequence[Any], envelope: Mapping[str, Any]) -> bytes:
        """Write one document from {root name: tree}; names may carry a prefix, bound by "@xmlns:prefix" keys."""
        if len(trees) != 1:
            raise Rejected(f"XML holds one document; {len(trees)} were given")
        return write_xml(trees[0])


def parse(body: bytes) -> etree._Element:
    """Parse with the hardened parser; raises Rejected for a document type, `etree.XMLSyntaxError` for bad XML."""
    if _DOCTYPE.search(body) or _DOCTYPE.search(body.replace(b"\x00", b"")):
        raise Rejected("the XML has a document type, which is never accepted; send it without")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(body, parser)
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise Rejected("the XML has a document type, which is never accepted; send it without")
    return root


class Document(NamedTuple):
    """A root element that came through the gate."""

    name: str
    namespace: str
    content: Any


def read_xml(body: bytes, profile: Profile) -> Document | Decoded:
    """Let XML in: its root as a tree, or the refusal that names the cap or the place."""
    large = too_large(body, profile)
    if large is not None:
        return large
    try:
        root = parse(body)
    except Rejected as error:
        return refused("xml_doctype", str(error))
    except etree.XMLSyntaxError as error:
        return refused("xml_damaged", str(error), offset=_offset(body, error))
    except (ValueError, LookupError) as error:
        return refused("xml_damaged", f"the XML cannot be read: {error}")
    if sum(1 for _ in root.iter()) > profile.max_segments:
        return refused("message_too_large", f"more than {profile.max_segments} elements")
    try:
        return Document(_local(root.tag), str(root.tag).rpartition("}")[0].lstrip("{"), _tree(root, 0))
    except Rejected as error:
        return refused("xml_too_deep", str(error))


def write_xml(tree: Mapping[str, Any], doctype: str = "") -> bytes:
    """Write one document from {root name: tree}, its document type declared where one is given."""
    ((name, content),) = tree.items()
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}'
    return (head + "".join(_write(name, content, 0))).encode()


def _offset(body: bytes, error: etree.XMLSyntaxError) -> int:
    """Return the byte offset of a syntax error from its line and column."""
    line, column = error.position
    before = body.split(b"\n", max(line - 1, 0))[: max(line - 1, 0)]
    return min(len(body), sum(len(each) + 1 for each in before) + max(column - 1, 0))


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]


def _tree(element: etree._Element, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Rejected(f"the XML nests deeper than {MAX_DEPTH} levels")
    found: dict[str, Any] = {f"@{_local(name)}": str(value) for name, value in element.attrib.items()}
    texts = [element.text or ""]
    for child in element:
        texts.append(child.tail or "")
        name, value = _local(child.tag), _tree(child, depth + 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    text = "".join(texts).strip()
    if not found:
        return text
    if text:
        found["#text"] = text
    return found


def _write(name: str, content: Any, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise Rejected(f"the tree nests deeper than {MAX_DEPTH} levels")
    if isinstance(content, (list, tuple)):
        for each in content:
            yield from _write(name, each, depth)
    elif isinstance(content, Mapping):
        marks = "".join(f' {_name(key[1:])}="{_escape(value)}"' for key, value in content.items() if key[:1] == "@")
        yield f"<{_name(name)}{marks}>"
        for key, value in content.items():
            if key == "#text":
                yield _escape(value)
            elif not key.startswith("@"):
                yield from _write(key, value, depth + 1)
        yield f"</{name}>"
    else:
        yield f"<{_name(name)}>{_escape(content)}</{name}>"


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Rejected([Problem(code="unwritable", path=name, text=f"{name!r} is not an XML name")])
    return name


def _escape(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value_text(value)
    if _INVALID.search(text):
        raise Rejected(
            [Problem(code="unwritable", text="the text holds a character that XML cannot carry", value=text)]
        )
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


CODEC = Xml()
