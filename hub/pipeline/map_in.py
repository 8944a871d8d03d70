"""Trees to canonical documents: find the agreement, run its mapping, keep every problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.domain.config import Config
from hub.domain.connection import Agreement
from hub.domain.errors import Problem, Rejected
from hub.domain.inbox import DocumentState
from hub.domain.message import Message
from hub.domain.tree import Decoded
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
    waits_for: tuple[str, str] | None = None

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
    agreements = config.inbound.get(message.connection, ())
    chosen: dict[tuple[str, str, str, str, bool], Agreement | None] = {}
    found = []
    for decoded in reading.documents:
        key = (decoded.set, decoded.version, decoded.sender, decoded.receiver, decoded.test)
        if key not in chosen:
            chosen[key] = _agreement(agreements, reading.codec, message, decoded)
        found.append(_mapped(services, message, decoded, chosen[key]))
    return found


def _agreement(agreements: tuple[Agreement, ...], codec: str, message: Message, decoded: Decoded) -> Agreement | None:
    facts = {
        "kind": message.kind,
        "set": decoded.set,
        "version": decoded.version,
        "sender": decoded.sender,
        "receiver": decoded.receiver,
        "test": "true" if decoded.test else "false",
    }
    for agreement in agreements:
        if agreement.codec == codec and all(facts.get(name) == value for name, value in agreement.match.items()):
            return agreement
    return None


def _mapped(services: Services, message: Message, decoded: Decoded, agreement: Agreement | None) -> Mapped:
    mapped = Mapped(message=message, decoded=decoded, agreement=agreement)
    if agreement is None:
        mapped.state, mapped.problems = "rejected", (_no_agreement(message, decoded),)
        return mapped
    fatal = tuple(each for each in decoded.problems if each.severity == "error")
    if fatal:
        mapped.state, mapped.problems = "rejected", tuple(decoded.problems)
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
    what = f"set {decoded.set} version {decoded.version} from {decoded.sender}" if decoded.set else f"kind {message.kind}"
    return Problem(
        code="no_agreement",
        value=decoded.sender or message.kind,
        text=f"connection {message.connection} has no inbound agreement for {what}; add one, then release the message",
    )
