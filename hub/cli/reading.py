"""A file on disk decoded the way the pipeline would: codec sniffed or named, one guide for all its sets."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.mapping_files import Kinds
from hub.codecs.guide import has_guide
from hub.domain.errors import Rejected
from hub.domain.tree import Decoded
from hub.ports import Codec, Profile

file_argument = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
guide_option = click.option("--guide", default="", help="Check against this guide, such as x12/850-004010.")
codec_option = click.option("--codec", "codec_name", default="", help="Read as this syntax instead of sniffing.")


def pick_codec(known: Kinds, body: bytes, name: str = "") -> Codec:
    """Return the codec that is named, or the first whose syntax the bytes show."""
    if name:
        return known.codec(name)
    for codec in known.codecs.values():
        if codec.sniff(body[:4096]):
            return codec
    raise Rejected(f"the first bytes look like none of {', '.join(known.codecs)}; name one with --codec")


def decoded(codec: Codec, body: bytes, guide: str = "") -> list[Decoded]:
    """Decode every document of a file."""
    if guide and not has_guide(guide):
        raise Rejected(f"there is no guide {guide!r}; a guide is called like x12/850-004010 or edifact/ORDERS-D96A")
    profile = Profile(guide=guide, max_bytes=max(len(body), 1))
    return [
        found
        for frame in codec.frames(body, profile)
        for found in codec.decode(body[frame.offset : frame.offset + frame.length], frame, profile)
    ]
