"""A partner's files drafted from samples: what the samples show is written, what is guessed is marked `# ?`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.cli.mapping_files import Kinds
from hub.cli.partnering import words
from hub.cli.partnering.bases import base_of
from hub.cli.partnering.compliance import read_back, told_apart
from hub.cli.partnering.samples import Direction, Sample, Sides, business, nearest_guide, sides
from hub.cli.partnering.unread import unread
from hub.codecs.guide import Guide, load_guide
from hub.domain.errors import Problem, Rejected
from hub.testing.mapping_contract import plain, segments_text, xml_text
from hub.translate import mapfile
from hub.translate.compile import Compiled, compile_mapping

MOST = 60
"""So many open values are listed in a drafted mapping."""


@dataclass(kw_only=True)
class Draft:
    """What will be written: file below the configuration folder -> its bytes."""

    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One document of the partner's: the way it goes, and the samples of it, of which the first one speaks."""

    direction: Direction
    samples: tuple[Sample, ...]
    base: mapfile.Mapping

    @property
    def first(self) -> Sample:
        """Return the sample that the draft is made from."""
        return self.samples[0]

    @property
    def what(self) -> str:
        """Return the mapping's file name without its ending: 850, orders."""
        return self.base.name.rpartition("/")[2].rpartition(".")[0]

    @property
    def guide(self) -> str:
        """Return the guide that its agreement will name; empty where the syntax has none."""
        document = self.first.document
        return nearest_guide(self.first.codec.name, document.set, document.version) if self.base.guide else ""


def draft(
    known: Kinds, name: str, given: Sequence[Sample], ours: Sequence[str] = (), perhaps: Sequence[str] = ()
) -> Draft:
    """Draft `partners/<name>.toml` and a mapping for each set, with copies of the samples and what they give.

    `ours` are our ids in the samples; `perhaps` those of the hub, which the samples need not use.
    """
    samples = business(given)
    if not samples:
        raise Rejected([Problem(code="no_documents", text="the samples hold acknowledgements only; give documents")])
    who = sides(samples, ours, perhaps)
    kinds = _kinds(known, samples, who)
    made = Draft()
    for sample in given:
        made.files[f"mappings/partners/{name}/samples/{sample.file.name}"] = sample.body
    for kind in kinds:
        file = f"mappings/partners/{name}/{kind.what}.{kind.direction}.toml"
        made.files[file] = _mapping(known, name, kind, made).encode()
    made.files[f"partners/{name}.toml"] = words.partner_file(name, kinds, who).encode()
    return made


def _kinds(known: Kinds, samples: Sequence[Sample], who: Sides) -> list[Kind]:
    """Group by direction and set; Rejected names every set that no mapping of the house knows."""
    groups: dict[tuple[Direction, str, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((who.direction(sample.document), sample.codec.name, sample.document.set), []).append(sample)
    found, problems = [], []
    for (direction, syntax, set_name), members in groups.items():
        base = base_of(known, syntax, set_name, direction)
        if base is None:
            way = "reads" if direction == "in" else "writes"
            text = f"{syntax} {set_name or 'without a set'}: no mapping of the house {way} it; write one first"
            problems.append(Problem(code="no_base", path=members[0].file.name, text=f"{text} (mappings/README.md)"))
        else:
            found.append(Kind(direction=direction, samples=tuple(members), base=base))
    if problems:
        raise Rejected(problems)
    return found


def _mapping(known: Kinds, name: str, kind: Kind, made: Draft) -> str:
    compiled = compile_mapping(kind.base, known.functions)
    guide = _guide(kind)
    folder = f"mappings/partners/{name}/samples"
    if kind.direction == "in":
        tests, wrong = _inward_tests(kind, compiled, folder, made)
        open_values = [
            words.unread_line(one) for one in _each_once(kind, lambda tree: unread(compiled, tree, guide))[:MOST]
        ]
    else:
        tests, wrong, open_values = _outward_tests(known, kind, compiled, folder, made)
    return words.mapping_file(kind.what, kind.base, [one.file.name for one in kind.samples], open_values, wrong, tests)


def _guide(kind: Kind) -> Guide | None:
    return load_guide(kind.guide) if kind.guide else None


def _each_once(kind: Kind, find: Any) -> list[Any]:
    found: dict[str, Any] = {}
    for sample in kind.samples:
        for one in find(sample.document.tree):
            found.setdefault(one.path, one)
    return list(found.values())


Tests = list[tuple[str, str]]


def _inward_tests(kind: Kind, compiled: Compiled, folder: str, made: Draft) -> tuple[Tests, list[str]]:
    """Keep what the base makes of each file of one document; its problems are told in the draft."""
    tests: Tests = []
    wrong: list[str] = []
    for sample in kind.samples:
        wrong += [f"{sample.file.name}: {problem}" for problem in sample.document.problems]
        try:
            document = compiled.inward(sample.document.tree)
        except Rejected as error:
            wrong += [f"{sample.file.name}: {problem}" for problem in error.problems]
            continue
        if _alone(kind, sample):
            golden = f"{sample.file.stem}.{compiled.mapping.document}.json"
            made.files[f"{folder}/{golden}"] = _json(document)
            tests.append((f"samples/{sample.file.name}", f"samples/{golden}"))
    return tests, wrong


def _outward_tests(
    known: Kinds, kind: Kind, compiled: Compiled, folder: str, made: Draft
) -> tuple[Tests, list[str], list[str]]:
    """Read their sample of what we shall send, write it with the base, and tell what differs from theirs."""
    reading = base_of(known, kind.first.codec.name, kind.first.document.set, "in")
    tests: Tests = []
    wrong: list[str] = []
    differ: dict[str, str] = {}
    for sample in kind.samples:
        tree = sample.document.tree
        if reading is None:
            wrong.append(f"{sample.file.name}: nothing in the house reads it, so it could not be compared with ours")
            continue
        try:
            document = compile_mapping(reading, known.functions).inward(tree)
            written = compiled.outward(document)
        except Rejected as error:
            wrong += [f"{sample.file.name}: {problem}" for problem in error.problems]
            continue
        again = read_back(sample, compiled.mapping, kind.guide, words.envelope(sample), written)
        for one in told_apart(tree, again.tree, _guide(kind)):
            differ.setdefault(one.place, words.difference_line(one))
        if _alone(kind, sample):
            stem = f"{sample.file.stem}.{compiled.mapping.document}"
            made.files[f"{folder}/{stem}.json"] = _json(document)
            ending, text = _spelled(compiled.mapping, written)
            made.files[f"{folder}/{sample.file.stem}.{ending}"] = text.encode()
            tests.append((f"samples/{stem}.json", f"samples/{sample.file.stem}.{ending}"))
    return tests, wrong, list(differ.values())[:MOST]


def _spelled(mapping: mapfile.Mapping, written: Any) -> tuple[str, str]:
    """Return the ending and the text of what a mapping's test expects."""
    if mapping.edi:
        return "segments", segments_text(written) + "\n"
    if mapping.syntax in ("xml", "cxml", "idoc"):
        return "written.xml", xml_text(mapping, written)
    return "written.json", _json(written).decode()


def _alone(kind: Kind, sample: Sample) -> bool:
    """Say whether a file holds this one document: a mapping's test takes no other."""
    return sample.document.ordinal == 0 and sum(one.file == sample.file for one in kind.samples) == 1


def _json(document: Any) -> bytes:
    bare: Mapping[str, Any] = plain(document)
    return (json.dumps(bare, indent=2, ensure_ascii=False) + "\n").encode()
