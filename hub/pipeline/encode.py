"""Trees to the bytes that are sent, kept as a message before the first attempt and the same over all attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.codecs.answers import Answer
from hub.domain.errors import HubError
from hub.domain.message import Message
from hub.domain.route import ExpectedReceipt
from hub.pipeline import numbers
from hub.pipeline.clocks import due
from hub.pipeline.map_out import Outward
from hub.pipeline.services import Services
from hub.ports import Codec
from hub.ports.records import Unit

_SUFFIX = {"x12": "edi", "edifact": "edi", "json": "json", "xml": "xml", "csv": "csv"}


def encode(services: Services, unit: Unit, outwards: Sequence[Outward]) -> list[Message | None]:
    """Return the message of each delivery; None where it could not be written (its `failure` says why).

    Control numbers are taken here, so in the transaction that begins the attempt; what they owe us is noted with it.
    """
    envelopes = _envelopes(services, unit, outwards)
    expected: list[ExpectedReceipt] = []
    messages = [_message(services, unit, each, envelopes.get(each.delivery.id, {}), expected) for each in outwards]
    if expected:
        unit.expect(expected)
    return messages


def _message(
    services: Services, unit: Unit, outward: Outward, envelope: Mapping[str, Any], expected: list[ExpectedReceipt]
) -> Message | None:
    if outward.failure is not None or outward.agreement is None:
        return None
    codec = services.codecs[outward.agreement.codec]
    leg, delivery = outward.delivery.leg, outward.delivery
    trees = outward.tree.documents if isinstance(outward.tree, Answer) else [outward.tree]
    try:
        body = codec.encode(trees, envelope)
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
        body=body,
    )


def _envelopes(services: Services, unit: Unit, outwards: Sequence[Outward]) -> dict[str, dict[str, Any]]:
    """Return the envelope of each delivery, with time and control numbers where the syntax counts."""
    found: dict[str, dict[str, Any]] = {}
    wanted: list[numbers.Wanted] = []
    for each in outwards:
        if each.failure is not None or each.agreement is None:
            continue
        codec = services.codecs[each.agreement.codec]
        envelope = dict(each.agreement.envelope)
        levels = _levels(codec, envelope, each)
        if levels:
            envelope = _addressed(unit, each, envelope)
            if each.failure is not None:
                continue
            wanted.append((each.delivery.id, codec.name, envelope, levels))
        found[each.delivery.id] = envelope
    for delivery_id, control in numbers.take(unit, wanted).items():
        found[delivery_id]["control"] = control
    return found


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
    assert outward.agreement is not None
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
        for kind, duration in outward.agreement.expect.items()
    ]
