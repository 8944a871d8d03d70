"""What the codecs of plain syntaxes share: a message is one frame with one document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.domain.errors import Position, Problem
from hub.domain.tree import Decoded
from hub.ports import Frame, Profile

MAX_DEPTH = 100


def one_frame(body: bytes) -> Sequence[Frame]:
    """Return the whole body as one frame."""
    return [Frame(offset=0, length=len(body), first=0, count=1)]


def refused(code: str, text: str, *, offset: int = 0, value: str = "") -> Decoded:
    """Return a document that could not be read: no tree, one problem with its place."""
    return Decoded(
        tree={}, problems=(Problem(code=code, text=text, value=value[:99], at=Position(segment=1, offset=offset)),)
    )


def too_large(body: bytes, profile: Profile) -> Decoded | None:
    """Return the refusal of a body above the profile's cap, else None."""
    if len(body) <= profile.max_bytes:
        return None
    return refused("message_too_large", f"the message has {len(body)} bytes; agreed are {profile.max_bytes}")


def decode_text(body: bytes, charset: str) -> str:
    """Return the characters: by the agreed set, else UTF-8 (a byte order mark decides before both)."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16")
    return body.removeprefix(b"\xef\xbb\xbf").decode(charset or "utf-8")


def is_too_deep(tree: Any, most: int = MAX_DEPTH) -> bool:
    """Say whether dicts and lists nest deeper than `most`, without recursion."""
    level = [tree]
    for _ in range(most):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
