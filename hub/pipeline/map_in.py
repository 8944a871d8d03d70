"""Trees to canonical documents: find the agreement, run its mapping, keep every problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from hub.codecs.acknowledge import read_acknowledgement
from hub.codecs.answers import is_acknowledgement
from hub.domain.config import Config
from hub.domain.connection import Agreement
from hub.domain.errors import Problem, Rejected
from hub.domain.inbox import DocumentState
from hub.domain.message import Message
from hub.domain.tree import Decoded
from hub.pipeline import agree
from hub.pipeline.decode import Reading
from hub.pipeline.services import Services


@dataclass(slots=True, kw_only=True)
class Mapped:
    """One document between `map_in` and the end: the canonical value, or what is wrong with it."""

    message: Message
    decoded: Decoded
    agreement: Agreement | None = None
    document: Any = None
    mapping_sha: str = ""
    problems: tuple[Problem, ...] = ()
    state: DocumentState = "applied"
    subject_id: str = ""
    reference: str = ""

    @property
    def kind(self) -> str:
        """Return the canonical document's name."""
        return self.agreement.document if self.agreement else self.message.kind

    @property
    def partner(self) -> str:
        """Return the partner that the agreement or the message names."""
        return (self.agreement.partner if self.agreement else "") or self.message.partner


def map_in(services: Services, config: Config, message: Message, reading: Reading) -> list[Mapped]:
    """Return one `Mapped` per document; a document that cannot be mapped is rejected alone."""
    chosen: dict[tuple[str, str, str, str, bool, str], Agreement | None] = {}
    found = []
    for decoded in reading.documents:
        place = decoded.facts.get("place", "")
        key = (decoded.set, decoded.version, decoded.sender, decoded.receiver, decoded.test, place)
        if key not in chosen:
            chosen[key] = _agreement(config, message, reading.codec, decoded)
        found.append(_mapped(services, message, decoded, chosen[key]))
    return found


def _agreement(config: Config, message: Message, codec: str, decoded: Decoded) -> Agreement | None:
    """Return the agreement of a document; acknowledgements need none of their own from parties that are known."""
    found = agree.choose(config, message, codec, agree.facts_of(message, decoded))
    if found is None and is_acknowledgement(decoded.set):
        known = agree.serving(config, message.connection, codec, decoded.facts)
        return replace(known[0], document="receipt", mapping="", guide="") if known else None
    return found


def _mapped(services: Services, message: Message, decoded: Decoded, agreement: Agreement | None) -> Mapped:
    mapped = Mapped(message=message, decoded=decoded, agreement=agreement)
    fatal = tuple(each for each in decoded.problems if each.severity == "error")
    if agreement is None and (decoded.set or not fatal):
        mapped.state, mapped.problems = "rejected", (*decoded.problems, _no_agreement(message, decoded))
        return mapped
    if fatal or agreement is None:
        mapped.state, mapped.problems = "rejected", tuple(decoded.problems)
        return mapped
    if is_acknowledgement(decoded.set):
        mapped.document = tuple(read_acknowledgement(decoded))
        return mapped
    if not agreement.mapping:
        mapped.document = decoded.tree
        return mapped
    translation = services.translation(agreement.mapping)
    mapped.mapping_sha = translation.mapping.sha256
    try:
        mapped.document = translation.inward(decoded.tree)
    except Rejected as error:
        mapped.state, mapped.problems = "rejected", (*decoded.problems, *error.problems)
    return mapped


def _no_agreement(message: Message, decoded: Decoded) -> Problem:
    what = (
        f"set {decoded.set} version {decoded.version} from {decoded.sender}" if decoded.set else f"kind {message.kind}"
    )
    return Problem(
        code="set_unsupported" if decoded.facts.get("syntax") else "no_agreement",
        value=decoded.sender or message.kind,
        text=f"connection {message.connection} has no inbound agreement for {what}; add one, then release the message",
    )
