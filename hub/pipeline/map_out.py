"""Canonical documents to trees, by the outbound agreement of the delivery's connection and document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.codecs.answers import Answer
from hub.domain.config import Config
from hub.domain.connection import Agreement
from hub.domain.errors import HubError, Problem, Rejected
from hub.domain.route import Delivery
from hub.pipeline.answers import answers
from hub.pipeline.services import Services
from hub.ports.records import Unit

Agreed = Mapping[tuple[str, str], Agreement]
"""Outbound agreements by connection and document."""


@dataclass(slots=True, kw_only=True)
class Outward:
    """A delivery with the document it carries, as a tree; or why there is none."""

    delivery: Delivery
    agreement: Agreement | None = None
    document: Any = None
    tree: Any = None
    set: str = ""
    """The set that the mapping writes, where the syntax names sets."""
    body: bytes | None = None
    failure: HubError | None = None


@dataclass(kw_only=True)
class Documents:
    """What is read of the store to write deliveries: their records or answers, and the agreements in force."""

    config: Config
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Subject kind -> id -> record."""
    answers: Mapping[str, Answer | Rejected] = field(default_factory=dict)


def read_documents(unit: Unit, deliveries: Sequence[Delivery]) -> Documents:
    """Read what the deliveries are about, in one query per kind."""
    ids: dict[str, set[str]] = {}
    for each in deliveries:
        ids.setdefault(each.leg.subject_kind, set()).add(each.leg.subject_id)
    written = answers(unit, sorted(ids.pop("message"))) if "message" in ids else {}
    found = {kind: unit.load_named(kind, keys) for kind, keys in ids.items()}
    return Documents(config=unit.config, records=found, answers=written)


def map_out(services: Services, deliveries: Sequence[Delivery], documents: Documents) -> list[Outward]:
    """Return a tree per delivery."""
    outbound = documents.config.outbound
    return [
        _answer(outbound, each, documents.answers[each.leg.subject_id])
        if each.leg.subject_kind == "message"
        else _outward(services, outbound, each, documents.records[each.leg.subject_kind].get(each.leg.subject_id))
        for each in deliveries
    ]


def _answer(outbound: Agreed, delivery: Delivery, written: Answer | Rejected) -> Outward:
    """Return an acknowledgement; an outbound agreement for `receipt` may add to its envelope, none is needed."""
    outward = Outward(delivery=delivery)
    if isinstance(written, Rejected):
        outward.failure = written
        return outward
    leg = delivery.leg
    agreed = outbound.get((leg.connection, leg.send))
    outward.tree = written
    outward.agreement = agreed or Agreement(
        connection=leg.connection, direction="out", document=leg.send, codec=written.codec, partner=leg.partner
    )
    return outward


def _outward(services: Services, outbound: Agreed, delivery: Delivery, document: Any) -> Outward:
    leg = delivery.leg
    agreement = outbound.get((leg.connection, leg.send))
    outward = Outward(delivery=delivery, agreement=agreement, document=document)
    if agreement is None:
        text = f"connection {leg.connection} has no outbound agreement for {leg.send}; add one, then retry"
        outward.failure = Rejected([Problem(code="no_agreement", path=leg.send, text=text)])
    elif document is None:
        text = f"{leg.subject_kind} {leg.subject_id} does not exist"
        outward.failure = Rejected([Problem(code="no_record", path=leg.send, text=text)])
    else:
        try:
            if not agreement.mapping and agreement.codec == "json":
                outward.tree = msgspec.to_builtins(document)
                return outward
            translation = services.translation(agreement.mapping)
            outward.set = str(getattr(translation.mapping, "set", ""))
            outward.tree = translation.outward(document)
        except HubError as error:
            outward.failure = error
    return outward
