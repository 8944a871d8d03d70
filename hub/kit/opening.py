"""Open connections: settings read, secrets by reference, a kit lent; kept until the configuration changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.domain.config import Config
from hub.domain.connection import ConnectionConfig
from hub.domain.errors import Paused, Rejected
from hub.kit.budget import Budgets, Slots
from hub.kit.fields import read_settings
from hub.kit.kit import HubKit, Limited, Notes, Shared
from hub.pipeline.services import Opened
from hub.ports import Clock, Connector


class Openings:
    """Opens each connection once per configuration version. Opening touches nothing outside."""

    def __init__(
        self,
        *,
        connectors: Mapping[str, Connector],
        config: Callable[[], Config],
        reveal: Callable[[str], str],
        clock: Clock,
        var: Path,
        notes: Notes,
        networks: Sequence[str] = (),
        roots: Sequence[Path] = (),
        slots: Slots | None = None,
    ) -> None:
        self.connectors = connectors
        self._config, self._reveal, self._clock, self._var, self._notes = config, reveal, clock, var, notes
        self._networks, self._roots = tuple(networks), tuple(roots)
        self._shared = Shared(budgets=Budgets(slots))
        self._opened: dict[str, tuple[ConnectionConfig, Opened]] = {}
        self._guard = threading.Lock()

    def __call__(self, name: str) -> Opened:
        """Return the opened connection; Paused says what is missing and what to do."""
        configured = self._config().connections.get(name)
        if configured is None:
            raise Paused(f"connection {name} is not configured; restore it or skip what waits for it")
        known = self._opened.get(name)
        if known is not None and known[0] == configured:
            return known[1]
        with self._guard:
            opened = self._open(configured)
            self._opened[name] = (configured, opened)
            return opened

    def _open(self, configured: ConnectionConfig) -> Opened:
        if configured.state in ("paused", "suspended", "needs_reauth", "retired"):
            raise Paused(f"connection {configured.name} is {configured.state}; activate it to go on")
        connector = self.connectors.get(configured.connector)
        if connector is None:
            text = f"connector {configured.connector} is not installed or failed to load; see `hub check`"
            raise Paused(f"connection {configured.name}: {text}")
        try:
            settings: Any = read_settings(connector.settings, configured.settings, self._reveal)
        except Rejected as error:
            raise Paused(f"connection {configured.name}: its settings do not fit: {error}") from error
        kit = HubKit(
            connection=configured.name,
            clock=self._clock,
            var=self._var,
            notes=self._notes,
            limited=_limits(configured.options, self._networks, self._roots),
            rate=connector.rate,
            shared=self._shared,
        )
        return Opened(name=configured.name, connector=connector, instance=connector.open(settings, kit))


def _limits(options: Mapping[str, Any], networks: tuple[str, ...], roots: tuple[Path, ...]) -> Limited:
    return Limited(networks=(*networks, *options.get("allow_networks", ())), roots=roots)
