"""A partner's samples judged by their agreements, as the pipeline and their compliance desk would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.cli.mapping_files import Kinds
from hub.cli.partnering.bases import base_of
from hub.cli.partnering.compare import Difference, differences, flat, key_differences
from hub.cli.partnering.samples import Direction, Sample, business, nearest_guide, read_sample
from hub.cli.partnering.unread import Unread, unread
from hub.codecs.acknowledge import functional_acknowledgement
from hub.codecs.answers import set_result
from hub.codecs.guide import Guide, load_guide
from hub.domain.connection import Agreement
from hub.domain.errors import Problem, Rejected
from hub.domain.tree import Decoded, Node
from hub.pipeline.agree import agrees
from hub.ports import Profile
from hub.testing.mapping_contract import segments_text
from hub.translate import mapfile
from hub.translate.compile import compile_mapping

_CONTROL = {"date": "20000101", "time": "0000", "control": {"interchange": 1, "group": 1, "sets": [1]}}


@dataclass(kw_only=True)
class Judged:
    """One document of a sample, and what was found."""

    file: str
    ordinal: int
    direction: Direction
    set: str
    version: str
    sender: str
    receiver: str
    controls: tuple[str, str, str]
    mapping: str = ""
    problems: list[Problem] = field(default_factory=list)
    answer: str = ""
    """The functional acknowledgement that this document would get, a segment a line."""
    unread: list[Unread] = field(default_factory=list)
    """What they say and nobody reads."""
    differences: list[Difference] = field(default_factory=list)
    """What their sample of a document that we send has and ours has not, and the other way round."""

    @property
    def failed(self) -> bool:
        """Say whether something is an error."""
        return any(problem.severity == "error" for problem in self.problems)


def judge(known: Kinds, agreements: Sequence[Agreement], them: Sequence[str], files: Sequence[Path]) -> list[Judged]:
    """Judge every document of these files, in their order. What a codec cannot read at all is Rejected by name."""
    return [
        _judged(known, agreements, sample, "out" if _sent_to(sample.document, them) else "in")
        for file in files
        for sample in business(read_sample(known, file, _options(agreements)))
    ]


def _sent_to(document: Decoded, them: Sequence[str]) -> bool:
    mine = {identity.strip() for identity in them}
    return document.receiver.strip() in mine and document.sender.strip() not in mine


def _options(agreements: Sequence[Agreement]) -> dict[str, Any]:
    """Return what the inbound agreements say about syntax, as the pipeline puts it together."""
    options: dict[str, Any] = {}
    guides: dict[str, str] = {}
    for each in agreements:
        if each.direction != "in":
            continue
        if each.guide and each.match.get("set"):
            guides.setdefault(each.match["set"], each.guide)
        for name, value in each.options.items():
            options.setdefault(name, value)
    return {**options, "guides": {**guides, **options.get("guides", {})}}


def _judged(known: Kinds, agreements: Sequence[Agreement], sample: Sample, direction: Direction) -> Judged:
    document = sample.document
    judged = Judged(
        file=sample.file.name, ordinal=document.ordinal, direction=direction, set=document.set,
        version=document.version, sender=document.sender, receiver=document.receiver, controls=document.controls,
    )  # fmt: skip
    try:
        if direction == "in":
            _inward(known, agreements, sample, judged)
        else:
            _outward(known, agreements, sample, judged)
    except Rejected as error:
        judged.problems += error.problems
    return judged


def _inward(known: Kinds, agreements: Sequence[Agreement], sample: Sample, judged: Judged) -> None:
    document = sample.document
    judged.problems += document.problems
    agreement = _inbound(agreements, sample)
    if agreement is None:
        judged.problems.append(_no_agreement(document, "in"))
        return
    judged.mapping = agreement.mapping
    if agreement.mapping and not judged.failed:
        compiled = known.compiled(agreement.mapping)
        try:
            compiled.inward(document.tree)
        except Rejected as error:
            judged.problems += error.problems
        judged.unread = unread(compiled, document.tree, _guide(sample, agreement.guide))
    judged.answer = _answer(document, judged.problems)


def _inbound(agreements: Sequence[Agreement], sample: Sample) -> Agreement | None:
    document = sample.document
    facts = {
        **document.facts, "set": document.set, "version": document.version, "sender": document.sender,
        "receiver": document.receiver, "test": "true" if document.test else "false",
    }  # fmt: skip
    inbound = [each for each in agreements if each.direction == "in" and each.codec == sample.codec.name]
    return next((each for each in sorted(inbound, key=_closest) if agrees(each, facts, test=True)), None)


def _closest(agreement: Agreement) -> int:
    return -len(agreement.match)


def _answer(document: Decoded, problems: Sequence[Problem]) -> str:
    also = [problem for problem in problems if problem not in document.problems]
    answer = functional_acknowledgement(document.facts, [set_result(document, also=also)])
    return "\n".join(segments_text(one) for one in answer.documents) if answer else ""


def _outward(known: Kinds, agreements: Sequence[Agreement], sample: Sample, judged: Judged) -> None:
    """Read their sample of what we shall send with the house's mapping, write it with theirs, and compare."""
    document = sample.document
    judged.problems += document.problems
    found = [(each, _set(known, each)) for each in agreements if each.direction == "out" and each.mapping]
    agreement = next((each for each, name in found if name == document.set and each.codec == sample.codec.name), None)
    if agreement is None:
        judged.problems.append(_no_agreement(document, "out"))
        return
    judged.mapping = agreement.mapping
    compiled = known.compiled(agreement.mapping)
    reading = base_of(known, sample.codec.name, document.set, "in")
    if reading is None:
        text = "nothing in the house reads this document, so ours could not be compared with it"
        judged.problems.append(Problem(code="not_compared", text=text, severity="warning"))
        return
    canonical = compile_mapping(reading, known.functions).inward(document.tree)
    again = read_back(sample, compiled.mapping, agreement.guide, agreement.envelope, compiled.outward(canonical))
    judged.problems += again.problems
    judged.differences = told_apart(document.tree, again.tree, _guide(sample, compiled.mapping.guide))


def _set(known: Kinds, agreement: Agreement) -> str:
    try:
        return mapfile.load(known.roots, agreement.mapping).set
    except Rejected:
        return ""


def told_apart(theirs: Any, ours: Any, guide: Guide | None) -> list[Difference]:
    """Compare two trees of one document, as segments where they are EDI."""
    if isinstance(theirs, Node) and isinstance(ours, Node) and guide is not None:
        return differences(flat(theirs), flat(ours), guide)
    return key_differences(theirs, ours)


def read_back(sample: Sample, mapping: mapfile.Mapping, guide: str, envelope: Mapping[str, Any], tree: Any) -> Decoded:
    """Write a tree of ours into an envelope, as it would be sent, and read it back with a guide."""
    body = sample.codec.encode([tree], {"set": mapping.set, **envelope, **_CONTROL})
    profile = Profile(guide=guide or mapping.guide, max_bytes=max(len(body), 1))
    (frame,) = sample.codec.frames(body, profile)
    (again,) = sample.codec.decode(body[frame.offset : frame.offset + frame.length], frame, profile)
    return again


def _guide(sample: Sample, name: str) -> Guide | None:
    document = sample.document
    found = name or nearest_guide(sample.codec.name, document.set, document.version)
    return load_guide(found) if found else None


def _no_agreement(document: Decoded, direction: Direction) -> Problem:
    way = "that comes in" if direction == "in" else "that goes out"
    text = (
        f"no agreement takes set {document.set} {document.version} from {document.sender or 'nobody'} to "
        f"{document.receiver or 'nobody'} {way}; add one, or change the match of one"
    )
    return Problem(code="no_agreement", path="agreement", text=text)
