"""The EDIFACT codec as the hub sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.codecs.edifact import framing, reader, writer
from hub.codecs.edifact.envelope import first_facts
from hub.codecs.reading import control_key
from hub.domain.tree import Decoded
from hub.ports import Frame, Profile

_START = re.compile(rb"UNA[^A-Za-z0-9]{6}\s*UN[BGH]|UN[BH]\+|UNB[^A-Za-z0-9\s]UNO")


class Edifact:
    """The codec `edifact`."""

    name = "edifact"
    content_type = "application/edifact"
    control_levels = ("interchange", "set")

    def sniff(self, head: bytes) -> bool:
        """Say whether a service string or header stands at the beginning, or after a record of a transport."""
        bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return _START.match(bare) is not None or _START.search(bare[:1024]) is not None

    def control_key(self, body: bytes) -> str:
        """Return what the first interchange is known by, from a look at its header; empty where there is none."""
        facts = first_facts(body)
        return control_key(facts) if facts.get("interchange_control") else ""

    def frames(self, body: bytes, profile: Profile) -> Sequence[Frame]:
        """Cut a message into frames."""
        return framing.frames(body, profile)

    def decode(self, body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
        """Yield the messages of a frame."""
        return reader.decode(body, frame, profile)

    def encode(self, trees: Sequence[Any], envelope: Mapping[str, Any]) -> bytes:
        """Write one interchange."""
        return writer.encode(trees, envelope)


CODEC = Edifact()
