"""CompressedData (RFC 3274) with zlib, and its opposite under caps."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from connectors.as2.asn1 import cms
from connectors.as2.failures import Unusable, reading

LEVEL = 6
SMALL = 1_000_000
"""Below so many bytes the ratio does not matter: a small file of spaces is no bomb."""


@dataclass(frozen=True, kw_only=True)
class Caps:
    """How much may come out of a compressed message: bytes in all, and times its compressed size."""

    size: int = 100_000_000
    ratio: int = 200


def compress(content: bytes) -> bytes:
    """Return the content as CompressedData, DER. The same bytes give the same bytes."""
    data = cms.CompressedData(
        {
            "version": "v0",
            "compression_algorithm": {"algorithm": "zlib"},
            "encap_content_info": {"content_type": "data", "content": zlib.compress(content, LEVEL)},
        }
    )
    return bytes(cms.ContentInfo({"content_type": "compressed_data", "content": data}).dump())


def decompress(data: Any, caps: Caps) -> bytes:
    """Return what CompressedData (asn1crypto) holds; Unusable where it is damaged or would grow past the caps."""
    with reading("the compression", "decompression-failed"):
        packed = data["encap_content_info"]["content"].native
        if data["compression_algorithm"]["algorithm"].native != "zlib" or not isinstance(packed, bytes):
            raise ValueError("it is not compressed with zlib")
    most = min(caps.size, max(SMALL, len(packed) * caps.ratio))
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(packed, most)
        grows = not inflater.eof and bool(inflater.unconsumed_tail or inflater.decompress(b"", 1))
    except zlib.error as error:
        raise Unusable("decompression-failed", f"the compressed bytes are damaged ({error})") from error
    if grows:
        text = f"it decompresses to more than {most} bytes from {len(packed)}"
        raise Unusable("decompression-failed", text, "if the partner means it, raise this connection's largest_content")
    if not inflater.eof:
        raise Unusable("decompression-failed", "the compressed bytes break off")
    return content
