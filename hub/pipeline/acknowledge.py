"""We answer them: a 997 or 999 for each group, a CONTRL for each interchange, a TA1 where one is asked for or due.

Each answer is a delivery of document `receipt`. Its cause is the message, its subject the message and the group
(`<message id>/<place>`). It is planned when the message is done to its last set, in the same commit, and written
from the stored results when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hub.codecs.acknowledge import interchange_acknowledgement
from hub.codecs.answers import is_acknowledgement
from hub.domain.connection import Agreement
from hub.domain.inbox import GroupRow
from hub.domain.route import Leg
from hub.pipeline import agree
from hub.pipeline.answers import answered_together
from hub.pipeline.settle import Done
from hub.ports.records import Unit

FUNCTIONAL = {"x12": ("997", "999"), "edifact": ("CONTRL",)}
PLAIN = ("997", "CONTRL")
"""Answers whose subject is the group alone; others are told apart by a suffix."""


def acknowledge(unit: Unit, done: Sequence[Done]) -> None:
    """Plan the answers that are owed for these messages; one that was read again is answered anew."""
    legs = [leg for each in done if each.groups for leg in _legs(unit, each)]
    if not legs:
        return
    before = unit.planned_before({leg.event_id for leg in legs})
    unit.plan(leg for leg in legs if (leg.event_id, leg.subject_id) not in before)
    if before:
        unit.redo({cause for cause, _ in before}, rebuild=True)


def _legs(unit: Unit, done: Done) -> Iterator[Leg]:
    for rows in answered_together(done.groups):
        first = rows[0]
        sets = frozenset().union(*(done.sets.get(row.place, frozenset()) for row in rows))
        agreement = _answering(unit, done.message.connection, first.facts)
        if agreement is None or (sets - {""} and all(is_acknowledgement(name) for name in sets - {""})):
            continue
        for kind in _owed(agreement, first.facts, interchange=_begins(done.groups, first)):
            yield _leg(unit, done, agreement, first.place, kind)


def _begins(groups: Sequence[GroupRow], row: GroupRow) -> bool:
    """Say whether a group is the first of its interchange."""
    before = next((each for each in groups if each.place == row.place - 1), None)
    return before is None or before.facts.get("interchange_control") != row.facts.get("interchange_control")


def _answering(unit: Unit, connection: str, facts: Mapping[str, str]) -> Agreement | None:
    """Return the agreement that says how this interchange is answered; every set of it counts, supported or not."""
    found = agree.serving(unit.config, connection, facts.get("syntax", ""), facts)
    return next((each for each in found if each.answer), None)


def _owed(agreement: Agreement, facts: Mapping[str, str], *, interchange: bool) -> Iterator[str]:
    kinds = FUNCTIONAL.get(facts.get("syntax", ""), ())
    headed = "CONTRL" in kinds or facts.get("functional_id", "") not in ("", "FA")
    if facts.get("interchange_control") and headed:
        yield from (kind for kind in kinds if kind in agreement.answer)
    listed = "TA1" in agreement.answer or facts.get("ack_requested") == "1"
    if interchange and listed and interchange_acknowledgement(facts) is not None:
        yield "TA1"


def _leg(unit: Unit, done: Done, agreement: Agreement, place: int, kind: str) -> Leg:
    target = agreement.answer_to or done.message.connection
    connection = unit.config.connections.get(target)
    return Leg(
        connection=target,
        send="receipt",
        subject_kind="message",
        subject_id=f"{done.message.id}/{place}" + ("" if kind in PLAIN else f"/{kind}"),
        event_id=done.message.id,
        lane=connection.priority_lane if connection is not None else "document",
        partner=agreement.partner or done.message.partner,
    )
