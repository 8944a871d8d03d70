"""Segments as text where nothing has to be escaped, folded or refused, which is nearly always."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from hub.codecs.writing import Segment

_LACK = {"utf-8": r"\ud800-\udfff", "latin-1": r"\u0100-\U0010ffff"}
"""The characters that some character sets lack; others are taken to have ASCII only."""


@functools.lru_cache(maxsize=64)
def plain_line(element: str, component: str, others: str, charset: str) -> Callable[[Segment], str]:
    """Return what writes a segment none of whose values has to be escaped, folded or refused; else it returns "".

    `others` are the other characters that separate. Empty elements and components at the end are left out.
    """
    lacking = _LACK.get(charset, r"\x80-\U0010ffff")
    clean = re.compile(rf"[^{re.escape(others)}\x00-\x1f\x7f{lacking}]+").fullmatch
    loose = component + element

    def line(segment: Segment) -> str:
        values: list[str] = []
        inside = 0
        try:
            for value in segment:
                if value.__class__ is list or value.__class__ is tuple:
                    values.append(component.join(value))
                    inside += max(len(value), 1) - 1
                else:
                    values.append(value)  # type: ignore[arg-type]
            text = element.join(values)
        except TypeError:  # numbers, or nothing at all: these are made text one by one
            return ""
        if clean(text) is None or text.count(element) != len(values) - 1 or text.count(component) != inside:
            return ""
        if inside and (loose in text or text[-1] == component):
            text = element.join([value.rstrip(component) for value in values])
        return text.rstrip(element)

    return line
