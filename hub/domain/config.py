"""The configuration as one immutable snapshot: what every batch is handled under."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from hub.domain.connection import Agreement, ConnectionConfig, Partner
from hub.domain.party import Party
from hub.domain.route import Route
from hub.domain.stock import Location


class Config(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Connections, partners, agreements, routes and places under one version number."""

    version: int = 0
    connections: Mapping[str, ConnectionConfig] = {}
    partners: Mapping[str, Partner] = {}
    agreements: tuple[Agreement, ...] = ()
    routes: tuple[Route, ...] = ()
    locations: Mapping[str, Location] = {}
    published: Mapping[str, str] = {}
    """Mapping name -> SHA-256 of the published text."""
    seller: Party = Party(name="", kind="self")
    settings: Mapping[str, Any] = {}

    @cached_property
    def inbound(self) -> dict[str, tuple[Agreement, ...]]:
        """Return the inbound agreements of each connection."""
        return _grouped(self.agreements, "in")

    @cached_property
    def outbound(self) -> dict[tuple[str, str], Agreement]:
        """Return the outbound agreement of each (connection, document)."""
        return {(each.connection, each.document): each for each in self.agreements if each.direction == "out"}

    @cached_property
    def listeners(self) -> dict[str, tuple[Route, ...]]:
        """Return the active routes of each event name."""
        found: dict[str, tuple[Route, ...]] = {}
        for route in self.routes:
            if route.active:
                found[route.on] = (*found.get(route.on, ()), route)
        return found


def _grouped(agreements: tuple[Agreement, ...], direction: str) -> dict[str, tuple[Agreement, ...]]:
    found: dict[str, tuple[Agreement, ...]] = {}
    for each in agreements:
        if each.direction == direction:
            found[each.connection] = (*found.get(each.connection, ()), each)
    return found
