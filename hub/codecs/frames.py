"""Cutting a scanned body into frames: small ones first, so that work starts early, then 500 sets each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.domain.errors import Problem
from hub.ports import Frame

SIZES = (32, 64, 128, 256, 500)


class Span(msgspec.Struct, array_like=True, gc=False):
    """One set in the body: where it is, which envelope it belongs to, what the scan found wrong with it."""

    start: int
    length: int
    envelope: int
    code: str = ""


class Envelope(msgspec.Struct, array_like=True):
    """A group, or an interchange without groups, as a frame carries it to the decoder."""

    facts: dict[str, str]
    problems: list[Problem]


class Context(msgspec.Struct, array_like=True):
    """What a frame carries beside its bytes: its place, its sets (relative to it), their envelopes."""

    offset: int
    first: int
    spans: list[Span]
    envelopes: list[Envelope]
    heads: list[int] = []
    """Indices of envelopes whose problems are reported with this frame (the first set of an envelope is in it)."""


def cut(spans: Sequence[Span], envelopes: Sequence[Envelope], size: int) -> list[Frame]:
    """Return frames of 32, 64, 128, 256 and then 500 sets; the facts of each envelope get its place in the body."""
    found: list[Frame] = []
    for place, envelope in enumerate(envelopes):
        envelope.facts["place"] = str(place)
    first = 0
    while first < len(spans):
        count = SIZES[min(len(found), len(SIZES) - 1)]
        part = spans[first : first + count]
        found.append(_frame(part, envelopes, first, spans[first - 1].envelope if first else -1, size))
        first += count
    return found


def _frame(part: Sequence[Span], envelopes: Sequence[Envelope], first: int, before: int, size: int) -> Frame:
    start = min(span.start for span in part)
    end = min(size, max(span.start + span.length for span in part))
    low, high = part[0].envelope, part[-1].envelope
    context = Context(
        offset=start,
        first=first,
        spans=[Span(span.start - start, span.length, span.envelope - low, span.code) for span in part],
        envelopes=list(envelopes[low : high + 1]),
        heads=[index - low for index in range(low, high + 1) if index != before],
    )
    return Frame(
        offset=start, length=end - start, first=first, count=len(part), context=msgspec.msgpack.encode(context)
    )
