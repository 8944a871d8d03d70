"""Documents made up at random that a guide allows, whatever they may mean; and bytes that went wrong on the way."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from pathlib import Path

from hub.codecs.elements import Element
from hub.codecs.guide import Entry, Guide, load_guide

X12_TEXT = string.ascii_letters + string.digits + " !\"&'()+,-./:;?=%@[]_{}\\|<#$"
EDIFACT_TEXT = string.ascii_letters + string.digits + " !\"&'()+,-./:;?=%@[]_{}\\|<#$*>^~äöüßéàñåØ"
"""No two of its letters look like one letter of UTF-8, which is what bytes are taken for that can be UTF-8."""
Segment = list[str | list[str]]


def guides() -> list[str]:
    """Return the name of every dictionary of a set."""
    root = Path(__file__).parents[2] / "hub" / "codecs"
    files = sorted(root.glob("*/dictionaries/*.toml"))
    return [f"{file.parts[-3]}/{file.stem}" for file in files if not file.stem.startswith("segments")]


class Author:
    """Writes documents of one guide by dice."""

    def __init__(self, name: str, dice: random.Random) -> None:
        self.guide: Guide = load_guide(name)
        self.edifact = name.startswith("edifact/")
        self._dice = dice
        self._text = EDIFACT_TEXT if self.edifact else X12_TEXT

    def document(self) -> list[Segment]:
        """Return the segments of one legal document; hierarchies and counts fit."""
        found: list[Segment] = []
        for entry in self.guide.entries:
            self._entry(entry, found)
        self._hierarchy(found)
        self._totals(found)
        return found

    def _entry(self, entry: Entry, found: list[Segment]) -> None:
        wanted = entry.least + (self._dice.random() < 0.4) + (self._dice.random() < 0.15)
        for _ in range(min(wanted, entry.most)):
            found.append(self.segment(entry.tag))
            for below in entry.within:
                self._entry(below, found)

    def segment(self, tag: str) -> Segment:
        """Return a segment whose elements and conditions are kept."""
        rules = self.guide.elements.get(tag, ())
        there = {at for at, rule in enumerate(rules, 1) if rule.required or self._dice.random() < 0.3}
        there |= {1} if rules and not there else set()
        self._complete(tag, there)
        last = max((at for at in there if at <= len(rules)), default=0)
        segment: Segment = [tag]
        segment += [self._element(rules[at - 1]) if at in there else "" for at in range(1, last + 1)]
        return segment

    def _complete(self, tag: str, there: set[int]) -> None:
        """Add what conditions ask for, until they ask for nothing more."""
        before = -1
        while len(there) != before:
            before = len(there)
            for kind, places in self.guide.notes.get(tag, ()):
                if kind == "P" and there & set(places):
                    there |= set(places)
                elif kind == "R" and not there & set(places):
                    there.add(places[0])
                elif kind == "C" and places[0] in there:
                    there |= set(places)
                elif kind == "L" and places[0] in there and not there & set(places[1:]):
                    there.add(places[1])

    def _element(self, rule: Element) -> str | list[str]:
        if not rule.parts:
            return self._value(rule)
        parts = [self._value(part) if part.required or self._dice.random() < 0.4 else "" for part in rule.parts]
        if not any(parts):
            parts[0] = self._value(rule.parts[0])
        while not parts[-1]:
            parts.pop()
        return parts if len(parts) > 1 else parts[0]

    def _value(self, rule: Element) -> str:
        if rule.codes:
            return self._dice.choice(sorted(rule.codes))
        low = max(rule.low, 1)
        size = self._dice.randint(low, max(low, min(rule.high, low + 12)))
        if rule.kind in ("N", "R", "DT", "TM"):
            return self._number(rule, size)
        if rule.kind == "ID":
            return "".join(self._dice.choices(string.ascii_uppercase + string.digits, k=size))
        letters = string.ascii_letters if rule.kind == "A" else self._text
        text = "".join(self._dice.choices(letters, k=size))
        # Blanks at the ends say nothing, and a value of blanks is none.
        return "x" + text[1:-1] + "y" if size > 1 else self._dice.choice(string.ascii_uppercase)

    def _number(self, rule: Element, size: int) -> str:
        if rule.kind == "DT":
            return ("2026" if rule.low > 6 or (rule.high > 6 and size > 6) else "26") + "1122"
        if rule.kind == "TM":
            return "235959"[: 6 if rule.low > 4 else 4].ljust(rule.low, "0")
        digits = "".join(self._dice.choices(string.digits, k=size))
        if rule.kind == "R" and size > 1 and self._dice.random() < 0.5:
            return f"{digits[:-1]}.{digits[-1]}"
        return ("-" if self._dice.random() < 0.1 else "") + digits

    def _hierarchy(self, found: list[Segment]) -> None:
        """Number the levels, each below one before it."""
        levels = [segment for segment in found if segment[0] == self.guide.hierarchy]
        for number, segment in enumerate(levels, 1):
            code = segment[3] if len(segment) > 3 else "S"
            segment[1:] = [str(number), str(self._dice.randint(1, number - 1)) if number > 1 else "", code]

    def _totals(self, found: list[Segment]) -> None:
        for total in self.guide.totals:
            count = str(sum(segment[0] == total.counted for segment in found))
            for segment in [each for each in found if each[0] == total.tag]:
                if self.edifact:
                    segment[1:] = [[total.qualifier or "2", count]]
                else:
                    segment[1:] = [count]


def damaged(body: bytes, dice: random.Random) -> bytes:
    """Return bytes with a few things gone wrong: lost, doubled, changed, swapped, cut."""
    found = bytearray(body)
    for _ in range(dice.randint(1, 6)):
        if len(found) < 4:
            break
        at = dice.randrange(len(found))
        size = dice.choice((1, 1, 2, 5, 40))
        kind = dice.randrange(6)
        if kind == 0:
            del found[at : at + size]
        elif kind == 1:
            found[at:at] = found[max(0, at - size) : at]
        elif kind == 2:
            found[at] = dice.randrange(256)
        elif kind == 3:
            found[at : at + size] = dice.choice((b"~", b"*", b"'", b"+", b":", b"?", b"\n", b"\r\n", b"\x00", b"\x1a"))
        elif kind == 4:
            found[at:at] = dice.choice((b"ISA*", b"GS*", b"ST*850*", b"SE*", b"UNB+", b"UNH+", b"UNA:+.? '", b"UNZ+"))
        else:
            del found[at:]
    return bytes(found)


def trimmed(segments: Sequence[Sequence[str | Sequence[str]]]) -> list[list[str]]:
    """Spell segments in one way: what is empty at an end says nothing."""
    found = []
    for segment in segments:
        texts = [part if isinstance(part, str) else "\x1f".join(part).rstrip("\x1f") for part in segment]
        while texts and not texts[-1]:
            texts.pop()
        found.append(texts)
    return found
