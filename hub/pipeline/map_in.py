"""Trees to canonical documents: find the agreement, run its mapping, keep every problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.codecs.acknowledge import read_acknowledgement
from hub.codecs.answers import is_acknowledgement
from hub.domain.config import Config
from hub.domain.connection import Agreement
from hub.domain.errors import Problem, Rejected
from hub.domain.inbox import DocumentState
from hub.domain.message import Message
from hub.domain.shipment import FulfillmentOrder
from hub.domain.texts import may_hold_unstorable, overlong, unstorable
from hub.domain.tree import Decoded
from hub.domain.warehouse import order_asked
from hub.pipeline import agree
from hub.pipeline.decode import Reading
from hub.pipeline.services import Services
from hub.translate.documents import DOCUMENTS


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

    def again(self) -> Mapped:
        """Return a copy; `dataclasses.replace` would take five times as long."""
        return Mapped(
            message=self.message, decoded=self.decoded, agreement=self.agreement, document=self.document,
            mapping_sha=self.mapping_sha, problems=self.problems, state=self.state, subject_id=self.subject_id,
            reference=self.reference,
        )  # fmt: skip

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
    is_suspicious = may_hold_unstorable(message.body)
    for each in found:
        _refuse_unfit(each, is_suspicious=is_suspicious)
    return found


def _refuse_unfit(each: Mapped, *, is_suspicious: bool) -> None:
    """Reject a document that no record can keep, or whose names are too long, with the path of each."""
    if each.document is None:
        return
    problems = (*(unstorable(each.document) if is_suspicious else ()), *overlong(each.document))
    if problems:
        each.state, each.document, each.problems = "rejected", None, (*each.problems, *problems)


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
    try:
        if agreement.mapping:
            translation = services.translation(agreement.mapping)
            mapped.mapping_sha = translation.mapping.sha256
            mapped.document = translation.inward(decoded.tree)
        else:
            mapped.document = _as_it_is(agreement.document, decoded.tree)
    except Rejected as error:
        mapped.state, mapped.problems = "rejected", (*decoded.problems, *error.problems)
        mapped.reference = _number(services, agreement.mapping, decoded.tree)
    if isinstance(mapped.document, FulfillmentOrder):
        mapped.document = order_asked(mapped.document)
    return mapped


def _number(services: Services, mapping: str, tree: Any) -> str:
    """Return what a refused document calls itself, so that people can speak of it; empty where that is not known."""
    traces = services.translation(mapping).explain_inward(tree) if mapping else ()
    return next((trace.value for trace in traces if trace.path == "number" and not trace.problem), "")


def _as_it_is(document: str, tree: Any) -> Any:
    """Return a document that was written in our own fields, as JSON; a tree of another kind stays what it is."""
    struct = DOCUMENTS.get(document)
    if struct is None or not isinstance(tree, dict):
        return tree
    try:
        return msgspec.convert(tree, struct, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        text, _, path = str(error).partition(" - at `$")
        text = f"{text}; without a mapping the fields of a canonical {document} are expected"
        raise Rejected([Problem(code="not_canonical", path=path.strip(".`"), text=text)]) from error


def _no_agreement(message: Message, decoded: Decoded) -> Problem:
    what = (
        f"set {decoded.set} version {decoded.version} from {decoded.sender}" if decoded.set else f"kind {message.kind}"
    )
    return Problem(
        code="set_unsupported" if decoded.facts.get("syntax") else "no_agreement",
        value=decoded.sender or message.kind,
        text=f"connection {message.connection} has no inbound agreement for {what}; add one, then release the message",
    )
