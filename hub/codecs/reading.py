"""What the readers of X12 and EDIFACT share: choosing the guide, envelope problems, caps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from hub.codecs.elements import Fault
from hub.codecs.frames import Context
from hub.codecs.guide import EMPTY, Guide, guides_of, load_guide, sortable
from hub.codecs.placing import problem
from hub.domain.errors import Position, Problem
from hub.domain.tree import Node
from hub.ports import Profile

REFUSED = frozenset({
    "interchange_header_missing", "interchange_header_damaged", "interchange_empty", "interchange_too_large",
    "group_empty",
})  # fmt: skip


def choose_guide(syntax: str, name: str, version: str, profile: Profile) -> tuple[Guide, bool]:
    """Return the guide for a set, and whether its findings refuse (it was agreed) or only warn (our own dictionary)."""
    options = profile.options
    overlay = msgspec.json.encode(options["overlay"], order="sorted") if options.get("overlay") else b""
    wanted = dict(options.get("guides", {})).get(name, profile.guide)
    if wanted:
        guide = load_guide(wanted, overlay)
        if guide.set == name:
            return guide, True
    known = guides_of(syntax, name)
    if not known:
        return EMPTY, False
    age = sortable(version)
    exact = [each for versions, each in known if age in versions]
    older = [each for versions, each in known if versions[0] <= age]
    return load_guide((exact or older or [known[0][1]])[-1]), False


def envelope_problems(context: Context, heads: set[int], index: int, profile: Profile) -> list[Problem]:
    """Return the problems of an envelope with its first set, once; the profile says whether they refuse."""
    if index not in heads:
        return []
    heads.discard(index)
    found = context.envelopes[index].problems
    if profile.options.get("envelope_errors", "accept") != "reject":
        return list(found)
    return [msgspec.structs.replace(each, severity="error") for each in found]


def length_problems(
    segments: Iterable[list[Any]], offsets: Sequence[int], most: int, at: Position
) -> Iterator[Problem]:
    """Yield elements longer than the cap of the profile; ask only where the set itself is longer."""
    for number, (elements, offset) in enumerate(zip(segments, offsets, strict=False), 1):
        for position, value in enumerate(elements):
            if len(value) > most:
                fault = Fault("element_too_long", position, 0, str(value)[:20])
                yield problem("element_too_long", at, Node(elements[0][:3], elements, {}, number, offset), fault)


class Parties(NamedTuple):
    """What every set of an envelope has in common, looked up once."""

    sender: str
    receiver: str
    test: bool
    interchange: str
    group: str

    def place(self, control: str, offset: int) -> Position:
        """Return the place of a set."""
        return Position(interchange=self.interchange, group=self.group, set=control, offset=offset)


def parties(facts: Mapping[str, str], test: str) -> Parties:
    """Return what the facts of an envelope say of each of its sets; `test` is the value that marks test data."""
    return Parties(
        party(facts, "sender"), party(facts, "receiver"), facts.get("usage", "") == test,
        facts.get("interchange_control", ""), facts.get("group_control", ""),
    )  # fmt: skip


def control_key(facts: Mapping[str, str]) -> str:
    """Return what an interchange is known by: sender, receiver, control number, and whether it is a test."""
    test = "/test" if facts.get("usage", "") in ("T", "1") else ""
    return f"{party(facts, 'sender')}>{party(facts, 'receiver')}/{facts['interchange_control']}{test}"


def party(facts: Mapping[str, str], who: str) -> str:
    """Return `qualifier:id`, or the id alone where there is no qualifier."""
    qualifier, identity = facts.get(f"{who}_qualifier", ""), facts.get(f"{who}_id", "")
    return f"{qualifier}:{identity}" if qualifier else identity
