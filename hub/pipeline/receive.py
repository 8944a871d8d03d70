"""The first durable point: bytes, their sender's id and their work, committed before anybody is answered."""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.connection import ConnectionConfig
from hub.domain.message import Incoming
from hub.pipeline.services import Services
from hub.ports.records import Arrival


def receive(
    services: Services,
    connection: ConnectionConfig,
    messages: Sequence[Incoming],
    cursor: tuple[str, str] | None = None,
) -> Sequence[Arrival]:
    """Store messages durably and wake a worker; a repeat (same event id) gets the id of the first."""
    arrived = services.store.take_in(connection.name, connection.partner, connection.priority_lane, messages, cursor)
    services.crash("committed")
    if any(not each.repeated for each in arrived):
        services.doorbell.ring(connection.priority_lane)
    return arrived
