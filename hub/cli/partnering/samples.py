"""A partner's sample files, document by document: who sent it to whom, and which way it will travel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hub.cli.mapping_files import Kinds
from hub.cli.reading import pick_codec
from hub.codecs.answers import ACKNOWLEDGEMENTS
from hub.codecs.guide import guides_of, has_guide, sortable
from hub.domain.errors import Problem, Rejected
from hub.domain.tree import Decoded
from hub.ports import Codec, Profile

Direction = Literal["in", "out"]
GuideOf = Callable[[str, str], str]
"""(direction, set) -> guide; empty for the nearest."""

FROM_SELLERS = frozenset({
    "810", "832", "846", "855", "856", "865", "944", "945", "ORDRSP", "DESADV", "INVOIC", "PRICAT", "INVRPT",
    "OrderResponse", "DespatchAdvice", "Invoice", "CreditNote",
})  # fmt: skip
"""Sets that whoever sells, or keeps the goods, sends. The others come from whoever buys."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One document of a sample file."""

    file: Path
    body: bytes
    codec: Codec
    document: Decoded

    @property
    def at(self) -> str:
        """Return where it stands, for people."""
        return f"{self.file.name} document {self.document.ordinal + 1}"


def read_sample(known: Kinds, file: Path, options: dict[str, object] | None = None) -> list[Sample]:
    """Read every document of a file; Rejected says why a file holds none."""
    body = file.read_bytes()
    codec = pick_codec(known, body)
    profile = Profile(options=options or {}, max_bytes=max(len(body), 1))
    found = [
        Sample(file=file, body=body, codec=codec, document=document)
        for frame in codec.frames(body, profile)
        for document in codec.decode(body[frame.offset : frame.offset + frame.length], frame, profile)
    ]
    if not found:
        raise Rejected([Problem(code="no_documents", path=file.name, text=f"no document in {len(body)} bytes")])
    return found


def business(samples: Iterable[Sample]) -> list[Sample]:
    """Leave out acknowledgements: they need no agreement of their own."""
    return [sample for sample in samples if sample.document.set not in ACKNOWLEDGEMENTS]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Who is who in the samples; `sure` where somebody said so, or where only one reading is possible."""

    us: tuple[str, ...]
    them: tuple[str, ...]
    sure: bool

    def direction(self, document: Decoded) -> Direction:
        """Say which way a document travels, seen from us."""
        return "out" if document.receiver in self.them and document.sender not in self.them else "in"


def sides(samples: Sequence[Sample], ours: Sequence[str], perhaps: Sequence[str] = ()) -> Sides:
    """Tell the partner from ourselves: by our ids where they are given or known, else by who buys.

    Samples without an envelope all come from the partner.
    """
    pairs = {(one.document.sender, one.document.receiver) for one in samples}
    everybody = sorted({party for pair in pairs for party in pair if party})
    us = tuple(party for party in everybody if _same(party, ours or perhaps))
    if us:
        return Sides(us=us, them=tuple(party for party in everybody if party not in us), sure=True)
    if ours and everybody:
        text = f"none of {', '.join(ours)} sent or received a sample; the samples name {', '.join(everybody)}"
        raise Rejected([Problem(code="not_ours", path="--us", text=text)])
    buyers = {one.document.receiver if one.document.set in FROM_SELLERS else one.document.sender for one in samples} - {
        ""
    }
    return Sides(
        us=tuple(party for party in everybody if party not in buyers), them=tuple(sorted(buyers)), sure=not everybody
    )


def _same(party: str, ours: Sequence[str]) -> bool:
    """Compare unpadded, with or without a qualifier, as agreements do."""
    return any(party.strip() == one.strip() or party.rpartition(":")[2].strip() == one.strip() for one in ours)


def nearest_guide(syntax: str, set_name: str, version: str) -> str:
    """Return the dictionary of exactly this version where there is one, else the newest that is not younger."""
    stem = version.split(":")
    exact = f"{syntax}/{set_name}-{''.join(stem[:2]) if syntax == 'edifact' else version[:6]}"
    if has_guide(exact):
        return exact
    wanted = sortable(f"{stem[0]}.{stem[1]}" if syntax == "edifact" and len(stem) > 1 else version)
    known = guides_of(syntax, set_name) if syntax in ("x12", "edifact") else ()
    older = [name for versions, name in known if min(versions) <= wanted]
    return (older or [name for _, name in known][:1] or [""])[-1]
