"""The tree a codec decodes to: structure without meaning.

EDI sets become `Node`s (a loop is a node whose children are keyed by segment or loop name).
JSON, XML, CSV and fixed-length documents become plain dicts, lists and strings; numbers are
`decimal.Decimal` or `int`, never float.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Node(msgspec.Struct, gc=False):
    """One EDI segment, with the segments and loops that hang below it.

    `elements[0]` is the tag, so `elements[3]` is what the standards call 03. An element is a
    string, or a list of components where it is composite. `number` counts from ST or UNH = 1;
    `offset` is the byte offset of the segment in the message. A decoded tree is read, never changed:
    equal segments may share their elements, and a segment that opens no loop refuses children.
    """

    tag: str
    elements: list[str | list[str]]
    children: dict[str, list[Node]] = {}
    number: int = 0
    offset: int = 0


class Decoded(msgspec.Struct, kw_only=True):
    """One document of a message after `decode`: its tree, what its envelope says, what is wrong with it."""

    tree: Any
    """`Node` (a root with tag "" whose children are the set's segments and loops), or dict/list."""
    ordinal: int = 0
    """Position of the document in its message, from 0."""
    set: str = ""
    """850, ORDERS, or the document kind where the syntax has no set name."""
    version: str = ""
    sender: str = ""
    """`qualifier:id`, unpadded; empty where the syntax has no envelope."""
    receiver: str = ""
    test: bool = False
    controls: tuple[str, str, str] = ("", "", "")
    """Interchange, group and set control numbers as received."""
    problems: tuple[Any, ...] = ()
    """`hub.domain.errors.Problem`s found in the syntax or against the guide. Fatal ones refuse the document."""
    facts: dict[str, str] = {}
    """What else the envelope said, by the codec's own names: separators, group fields. Shared by a group's sets."""
