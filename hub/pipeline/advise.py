"""We tell partners who want it that our system refused what their syntax was good for: an 824 or an APERAK.

It is agreed like the other answers (`answer = ["997", "824"]`). Then the 997 or CONTRL speaks of the syntax alone, and
the advice of what was found later: by the mapping, or by comparing totals and items. It is an `application_advice` of
ours, stored and sent like any document, so its mapping decides what it looks like. An advice is never answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.codecs.findings import FINDINGS
from hub.domain.application_advice import AdvisedDocument, AdvisedError, ApplicationAdvice
from hub.domain.connection import Agreement
from hub.domain.errors import Problem
from hub.domain.route import Leg
from hub.pipeline.map_in import Mapped
from hub.ports.records import Unit

ADVICES = frozenset({"824", "APERAK"})
DOCUMENT = "application_advice"
_MOST_ERRORS = 50


def is_advised(agreement: Agreement | None) -> bool:
    """Say whether the sender of these documents wants to be told what our system made of them."""
    return agreement is not None and agreement.document != DOCUMENT and bool(ADVICES.intersection(agreement.answer))


def found_later(each: Mapped) -> list[Problem]:
    """Return the errors of a document that its syntax and guide know nothing of."""
    return [problem for problem in each.problems if problem.severity == "error" and problem.code not in FINDINGS]


def advise(unit: Unit, mapped: Sequence[Mapped]) -> None:
    """Plan one advice for each message of which documents were refused after their syntax was good."""
    refused: dict[tuple[str, str], list[Mapped]] = {}
    for each in mapped:
        if each.state == "rejected" and is_advised(each.agreement) and found_later(each):
            refused.setdefault((each.message.id, each.decoded.facts.get("place", "")), []).append(each)
    advices = [_advice(unit, members) for members in refused.values()]
    for advice in advices:
        unit.put(advice)
    unit.plan(_legs(unit, advices, list(refused.values())))


def _advice(unit: Unit, members: Sequence[Mapped]) -> ApplicationAdvice:
    first = members[0]
    identity = unit.new_id()
    return ApplicationAdvice(
        id=identity,
        number=identity.replace("-", "")[-20:],
        partner=first.partner,
        connection=first.message.connection,
        message_id=first.message.id,
        state="issued",
        stored_at=unit.now,
        issued_on=unit.now.date(),
        documents=tuple(map(_document, members)),
    )


def _document(each: Mapped) -> AdvisedDocument:
    decoded = each.decoded
    return AdvisedDocument(
        reference=each.reference or decoded.controls[2],
        status="rejected",
        set=decoded.set,
        group_control=decoded.controls[1],
        set_control=decoded.controls[2],
        errors=tuple(map(_error, found_later(each)[:_MOST_ERRORS])),
    )


def _error(problem: Problem) -> AdvisedError:
    at = problem.at
    return AdvisedError(
        text=str(problem),
        segment=f"{at.tag} {at.segment}" if at is not None and at.segment else "",
        element=str(at.element) if at is not None and at.element else "",
        found=problem.value,
    )


def _legs(unit: Unit, advices: Sequence[ApplicationAdvice], refused: Sequence[Sequence[Mapped]]) -> Iterator[Leg]:
    for advice, members in zip(advices, refused, strict=True):
        agreement = members[0].agreement
        target = (agreement.answer_to if agreement else "") or advice.connection
        connection = unit.config.connections.get(target)
        yield Leg(
            connection=target,
            send=DOCUMENT,
            subject_kind=DOCUMENT,
            subject_id=advice.id,
            event_id=advice.message_id,
            lane=connection.priority_lane if connection is not None else "document",
            partner=advice.partner,
        )
