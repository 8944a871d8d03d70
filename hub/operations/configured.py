"""What an admin chose: settings by their dotted name, and places by id or code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.domain.config import Config
from hub.domain.order import Order
from hub.domain.stock import Location


def setting(config: Config, name: str, default: Any) -> Any:
    """Return a setting of the whole hub: `ship.auto_dispatch` as one key, or as tables within tables."""
    return _within(config.settings, name, default)


def setting_for(config: Config, order: Order, name: str, default: Any) -> Any:
    """Return a setting for an order: its connection's options first, then its partner's extensions, then the hub's."""
    connection = config.connections.get(order.source.connection)
    partner = config.partners.get(order.partner)
    found = _within(connection.options, name, None) if connection else None
    if found is None and partner is not None:
        found = _within(partner.extensions, name, None)
    return setting(config, name, default) if found is None else found


def is_fulfilled_here(config: Config, order: Order) -> bool:
    """Say whether the hub allocates, ships and invoices an order, or only translates and routes it."""
    connection = config.connections.get(order.source.connection)
    return connection is None or (connection.fulfilled_by == "hub" and connection.items == "known")


def places(config: Config) -> dict[str, Location]:
    """Return locations by id."""
    return {place.id: place for place in config.locations.values()}


def place_named(config: Config, origin: str, given: str = "") -> str:
    """Return a location's id: by id or code as given, else the one place that is the sender's."""
    known = places(config).values()
    if given:
        return next((each.id for each in known if given in (each.id, each.code)), "")
    connection = config.connections.get(origin)
    theirs = [each.id for each in known if each.connection and each.connection == origin]
    if connection is not None and not theirs:
        theirs = [each.id for each in known if connection.options.get("location") in (each.id, each.code)]
    return theirs[0] if len(theirs) == 1 else ""


def _within(values: Mapping[str, Any], name: str, default: Any) -> Any:
    if name in values:
        return values[name]
    found: Any = values
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return default
        found = found[part]
    return found
