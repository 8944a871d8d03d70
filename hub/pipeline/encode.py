"""Trees to the bytes that are sent, kept as a message before the first attempt and the same over all attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.codecs.answers import Answer
from hub.domain.connection import Agreement
from hub.domain.errors import HubError
from hub.domain.message import Message
from hub.domain.route import ExpectedReceipt
from hub.pipeline import numbers
from hub.pipeline.clocks import due
from hub.pipeline.map_out import Outward
from hub.pipeline.services import Services
from hub.ports import Codec
from hub.ports.records import Unit

_SUFFIX = {
    "x12": "edi", "edifact": "edi", "json": "json", "xml": "xml", "cxml": "xml", "idoc": "xml", "csv": "csv",
}  # fmt: skip


def encode(services: Services, outwards: Sequence[Outward]) -> None:
    """Write the body of each delivery whose syntax needs no control numbers, or its `failure`. Pure."""
    for each in outwards:
        if each.failure is None and each.agreement is not None:
            codec, envelope = services.codecs[each.agreement.codec], dict(each.agreement.envelope)
            if not _levels(codec, envelope, each):
                _encode(codec, each, envelope)


def number(services: Services, unit: Unit, outwards: Sequence[Outward]) -> list[Message | None]:
    """Return the message of each delivery; None where it could not be written (its `failure` says why).

    Control numbers are taken here, so in the transaction that begins the attempt, and what needs them is written; what
    they owe us for it is noted with it.
    """
    for each, envelope in _counted(services, unit, outwards):
        _encode(services.codecs[_agreement(each).codec], each, envelope)
    expected: list[ExpectedReceipt] = []
    messages = [_message(services, unit, each, expected) for each in outwards]
    if expected:
        unit.expect(expected)
    return messages


def _encode(codec: Codec, outward: Outward, envelope: Mapping[str, Any]) -> None:
    trees = outward.tree.documents if isinstance(outward.tree, Answer) else [outward.tree]
    try:
        outward.body = codec.encode(trees, envelope)
    except HubError as error:
        outward.failure = error


def _message(services: Services, unit: Unit, outward: Outward, expected: list[ExpectedReceipt]) -> Message | None:
    if outward.failure is not None or outward.body is None:
        return None
    codec = services.codecs[_agreement(outward).codec]
    leg, delivery = outward.delivery.leg, outward.delivery
    try:
        expected += _expected(unit, outward)
    except HubError as error:
        outward.failure = error
        return None
    return Message(
        id=unit.new_id(),
        connection=leg.connection,
        direction="out",
        kind=leg.send,
        received_at=unit.now,
        partner=leg.partner,
        order_key=leg.order_key,
        content_type=codec.content_type,
        name=f"{delivery.id}-{leg.send}.{_SUFFIX.get(codec.name, 'txt')}",
        body=outward.body,
    )


def _agreement(outward: Outward) -> Agreement:
    assert outward.agreement is not None
    return outward.agreement


def _counted(services: Services, unit: Unit, outwards: Sequence[Outward]) -> list[tuple[Outward, dict[str, Any]]]:
    """Return those whose syntax counts with their envelopes: time and control numbers are in them."""
    found: dict[str, tuple[Outward, dict[str, Any]]] = {}
    wanted: list[numbers.Wanted] = []
    for each in outwards:
        if each.failure is not None or each.agreement is None:
            continue
        codec = services.codecs[each.agreement.codec]
        levels = _levels(codec, each.agreement.envelope, each)
        if levels:
            envelope = _addressed(unit, each, dict(each.agreement.envelope))
            if each.failure is None:
                wanted.append((each.delivery.id, codec.name, envelope, levels))
                found[each.delivery.id] = each, envelope
    for delivery_id, control in numbers.take(unit, wanted).items():
        found[delivery_id][1]["control"] = control
    return list(found.values())


def _levels(codec: Codec, envelope: Mapping[str, Any], outward: Outward) -> Sequence[str]:
    """Return the levels that this interchange is numbered at; a TA1 stands alone in its interchange."""
    levels: tuple[str, ...] = tuple(getattr(codec, "control_levels", ()))
    if isinstance(outward.tree, Answer) and not outward.tree.documents:
        return levels[:1]
    return (*levels, "group") if envelope.get("use_groups") and "group" not in levels else levels


def _addressed(unit: Unit, outward: Outward, agreed: dict[str, Any]) -> dict[str, Any]:
    leg = outward.delivery.leg
    stamp = _stamp(unit.now)
    if isinstance(outward.tree, Answer):
        return {**agreed, **outward.tree.envelope, **stamp}
    connection = unit.config.connections.get(leg.connection)
    test = connection is not None and connection.test
    try:
        numbers.check(agreed, leg.connection, leg.send)
    except HubError as error:
        outward.failure = error
    return {"set": outward.set, "test": test, **agreed, **stamp}


def _stamp(now: datetime) -> dict[str, str]:
    return {"date": now.strftime("%Y%m%d"), "time": now.strftime("%H%M")}


def _expected(unit: Unit, outward: Outward) -> list[ExpectedReceipt]:
    """Return what the agreement says they owe us for this document, with its clock begun now."""
    leg = outward.delivery.leg
    return [
        ExpectedReceipt(
            delivery_id=outward.delivery.id,
            subject_id=leg.subject_id,
            kind=kind,
            due_at=due(unit.now, duration),
            connection=leg.connection,
            partner=leg.partner,
        )
        for kind, duration in _agreement(outward).expect.items()
    ]
