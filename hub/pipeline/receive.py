"""The first durable point: bytes, their sender's id and their work, committed before anybody is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.connection import ConnectionConfig
from hub.domain.message import Incoming
from hub.pipeline.services import Services
from hub.ports.records import Arrival, Unit

INTERCHANGE = "interchange:"
"""How the event id of an EDI message begins: its control number and hash, whatever the transport calls it."""


def receive(
    services: Services,
    connection: ConnectionConfig,
    messages: Sequence[Incoming],
    cursor: tuple[str, str] | None = None,
) -> Sequence[Arrival]:
    """Store messages durably and wake a worker; a repeat (same event id) gets the id of the first.

    The repeat of an interchange gets the same acknowledgement again, and no other effect.
    """
    known = named(services, connection, messages)
    lane = connection.priority_lane
    arrived = services.store.take_in(connection.name, connection.partner, lane, known, cursor)
    services.crash("committed")
    if any(not each.repeated for each in arrived):
        services.doorbell.ring(lane)
    answer_again(services, arrived, known)
    return arrived


def named(services: Services, connection: ConnectionConfig, messages: Sequence[Incoming]) -> Sequence[Incoming]:
    """Give EDI messages the identity that their envelope says: one look at the header, no decoding."""
    agreements = services.config().inbound.get(connection.name, ())
    named = dict.fromkeys(each.codec for each in agreements)
    looks = [codec for name in named if hasattr(codec := services.codecs.get(name), "control_key")]
    return [_identified(looks, each) for each in messages] if looks else messages


def _identified(looks: Sequence[object], incoming: Incoming) -> Incoming:
    for codec in looks:
        if codec.sniff(incoming.body[:512]) and (key := codec.control_key(incoming.body)):  # type: ignore[attr-defined]
            digest = hashlib.sha256(incoming.body).hexdigest()
            return replace(incoming, event_id=f"{INTERCHANGE}{key}:{digest}", control_key=key)
    return incoming


def answer_again(services: Services, arrived: Sequence[Arrival], messages: Sequence[Incoming]) -> None:
    """Send the acknowledgements of interchanges that came again once more, as they were."""
    message_ids = [
        each.message_id
        for each, incoming in zip(arrived, messages, strict=True)
        if each.repeated and incoming.event_id.startswith(INTERCHANGE)
    ]
    if not message_ids:
        return

    def work(unit: Unit) -> set[str]:
        unit.redo(message_ids, rebuild=False)
        return unit.planned_lanes()

    for lane in sorted(services.store.transact(work)):
        services.doorbell.ring(lane)
