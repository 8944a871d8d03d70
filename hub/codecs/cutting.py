"""Cutting text into segments: in one go where all of them end alike, else with a closer look."""

from __future__ import annotations

import functools
import itertools
import operator
import re
from collections.abc import Callable, Sequence

Cut = tuple[list[str], list[int]]
"""Segments as text, and the byte offset of each in the message."""


def evenly_cut(text: str, raw: bytes, terminator: str, start: int, apart: tuple[str, ...] = ()) -> Cut | None:
    """Return the segments of a text; None where it takes a closer look (`trimmed`).

    Even means that every segment ends alike (in the terminator, or that and a line end), begins with a letter or
    another visible character of ASCII, and with none of the tags that are kept `apart`. `raw` is the text as received:
    one byte for each character, or UTF-8; its first byte is at `start`.
    """
    if not terminator.isascii():
        return None
    at = text.find(terminator) + len(terminator)
    line_end = "\r\n" if text.startswith("\r\n", at) else "\n" if text.startswith("\n", at) else ""
    ending = terminator + line_end
    if not "!" <= text[:1] <= "~" or text.startswith((terminator, *apart)):
        return None
    if _strange(ending, (terminator, *apart))(text) is not None:
        return None
    pieces = _pieces(text, terminator, line_end)
    if len(raw) == len(text):
        measured: Sequence[str] | Sequence[bytes] = pieces
    elif text.encode(errors="surrogatepass") == raw:
        measured = raw.split(ending.encode())[: len(pieces)]
    else:
        return None
    return (pieces, offsets_of(measured, len(ending), start)) if pieces else None


@functools.lru_cache(maxsize=256)
def _strange(ending: str, apart: tuple[str, ...]) -> Callable[[str], re.Match[str] | None]:
    """Return the search for what an even text does not have after the end of a segment."""
    return re.compile(re.escape(ending) + "(?:" + "|".join(["[^!-~]", *map(re.escape, apart)]) + ")").search


def _pieces(text: str, terminator: str, line_end: str) -> list[str]:
    """Return what stands between the ends of segments; nothing where these are not all alike."""
    pieces = text.split(terminator + line_end)
    breaks = len(pieces) - 1
    if text.count("\n") != (breaks if line_end else 0) or (
        "\r" in text and text.count("\r") != breaks * (len(line_end) - 1)
    ):
        return []
    if not pieces[-1]:
        pieces.pop()
    elif line_end:
        last = pieces[-1].removesuffix(terminator)
        breaks += len(last) < len(pieces[-1])
        pieces[-1] = last
    if line_end and (text.count(terminator) != breaks or len(pieces) != breaks):
        return []
    return pieces


def offsets_of(pieces: Sequence[str] | Sequence[bytes], gap: int, start: int) -> list[int]:
    """Return where each piece begins when `gap` bytes stand between them; the first begins at `start`."""
    lengths = itertools.accumulate(map(len, pieces[:-1]), initial=start)
    return list(map(operator.add, lengths, itertools.count(0, gap)))


def trimmed(pieces: Sequence[str], offsets: Sequence[int]) -> Cut:
    """Drop white space before segments, line ends inside them, and what is empty."""
    kept, places = [], []
    for piece, offset in zip(pieces, offsets, strict=False):
        bare = piece.lstrip()
        if not bare or bare == "\x1a":
            continue
        places.append(offset + len(piece) - len(bare))
        kept.append(bare.replace("\r", "").replace("\n", "") if "\n" in bare or "\r" in bare else bare)
    return kept, places
