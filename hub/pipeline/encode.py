"""Trees to the bytes that are sent, kept as a message before the first attempt and the same over all attempts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.domain.errors import HubError
from hub.domain.message import Message
from hub.pipeline.map_out import Outward
from hub.pipeline.services import Services
from hub.ports import Codec
from hub.ports.records import Unit

_SUFFIX = {"x12": "edi", "edifact": "edi", "json": "json", "xml": "xml", "csv": "csv"}


def encode(services: Services, unit: Unit, outward: Outward) -> Message | None:
    """Return the message for a delivery; None where it could not be written (`outward.failure` says why)."""
    assert outward.agreement is not None
    codec = services.codecs[outward.agreement.codec]
    leg, delivery = outward.delivery.leg, outward.delivery
    try:
        body = codec.encode([outward.tree], _envelope(unit, codec, outward))
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
        name=f"{leg.send}-{delivery.id}.{_SUFFIX.get(codec.name, 'txt')}",
        body=body,
    )


def _envelope(unit: Unit, codec: Codec, outward: Outward) -> Mapping[str, Any]:
    """Return the agreement's envelope, with time and control numbers where the syntax counts them."""
    assert outward.agreement is not None
    envelope = outward.agreement.envelope
    levels = getattr(codec, "control_levels", ())
    if not levels:
        return envelope
    scope = f"{codec.name}/{outward.agreement.partner or outward.delivery.leg.connection}"
    ids = [outward.delivery.id]
    control = {level: unit.control_numbers(f"{scope}/{level}", 1, delivery_ids=ids)[0] for level in levels if level != "set"}
    sets = unit.control_numbers(f"{scope}/set", 1, delivery_ids=ids) if "set" in levels else []
    return {**envelope, **_stamp(unit.now), "control": {**control, "sets": sets}}


def _stamp(now: datetime) -> dict[str, str]:
    return {"date": now.strftime("%Y%m%d"), "time": now.strftime("%H%M")}
