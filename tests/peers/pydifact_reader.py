"""Reads EDIFACT with pydifact: `pydifact_reader.py FILE...` prints {file: [[tag, element or [components]], ...]}.

Runs in `.peers/edi-judges`. Service segments are left out.
"""

from __future__ import annotations

import json
import sys
import warnings

warnings.simplefilter("ignore")

from pydifact.segmentcollection import Interchange  # noqa: E402  (its import warns)

SERVICE = ("UNA", "UNB", "UNG", "UNH", "UNT", "UNE", "UNZ")


def main(files: list[str]) -> None:
    """Read every file."""
    found = {}
    for file in files:
        with open(file, encoding="latin-1") as text:
            interchange = Interchange.from_str(text.read())
        messages = list(interchange.get_messages())
        found[file] = [
            [segment.tag, *segment.elements]
            for message in messages
            for segment in message.segments
            if segment.tag not in SERVICE
        ]
    json.dump(found, sys.stdout)


main(sys.argv[1:])
