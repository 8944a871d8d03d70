"""The X12 codec as the hub sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.codecs.reading import control_key
from hub.codecs.x12 import framing, reader, writer
from hub.codecs.x12.envelope import read_header
from hub.domain.tree import Decoded
from hub.ports import Frame, Profile


class X12:
    """The codec `x12`."""

    name = "x12"
    content_type = "application/edi-x12"
    control_levels = ("interchange", "group", "set")

    def sniff(self, head: bytes) -> bool:
        """Say whether the bytes begin with an interchange header, after a byte order mark and white space."""
        bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return bare[:3] == b"ISA" and len(bare) > 3 and not bare[3:4].isalnum() and not bare[3:4].isspace()

    def control_key(self, body: bytes) -> str:
        """Return what the first interchange is known by, from a look at its header; empty where there is none."""
        start = body.find(b"ISA", 0, 2000)
        header = read_header(body, start) if start >= 0 else None
        return control_key(header.facts) if header is not None and header.facts["interchange_control"] else ""

    def frames(self, body: bytes, profile: Profile) -> Sequence[Frame]:
        """Cut a message into frames."""
        return framing.frames(body, profile)

    def decode(self, body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
        """Yield the sets of a frame."""
        return reader.decode(body, frame, profile)

    def encode(self, trees: Sequence[Any], envelope: Mapping[str, Any]) -> bytes:
        """Write one interchange with one group."""
        return writer.encode(trees, envelope)


CODEC = X12()
