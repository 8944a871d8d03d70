"""Wires everything: the only place that builds things. `build` makes a hub; nothing runs until it is asked to."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import dramatiq

import mappings
from hub import plugins
from hub.domain.config import Config
from hub.domain.errors import Problem
from hub.domain.event import Event
from hub.domain.order import Order
from hub.domain.route import Leg
from hub.domain.shipment import Candidate, SourcingDecision
from hub.kit.clock import SystemClock
from hub.kit.fields import revealer
from hub.kit.opening import Openings
from hub.operations import built_in
from hub.pipeline.foresee import foresee
from hub.pipeline.holds import Holds
from hub.pipeline.inbound import take_in
from hub.pipeline.outbound import send_out
from hub.pipeline.pull import pull
from hub.pipeline.services import Hooks, Services
from hub.pipeline.verdicts import mark_overdue
from hub.ports import Codec, Connector
from hub.settings import HubSettings
from hub.store.config import ConfigCache
from hub.store.incidents import suspended_connections
from hub.store.notes import StoredNotes
from hub.store.queue import due_lanes, requeue_expired
from hub.store.rates import StoredRates
from hub.store.store import Store
from hub.store.translations import Translations
from hub.store.unit import Ledger
from hub.store.vault import Vault
from hub.work.doorbell import Bell, open_broker
from hub.work.drains import Drains
from hub.work.schedule import tick
from hub.work.worker import THREADS, Worker

log = logging.getLogger(__name__)
CONFIG_HELD = 0.25
LANES = ("realtime", "document", "bulk", "sweep")


@dataclass(kw_only=True)
class Hub:
    """A hub that is wired and not running."""

    settings: HubSettings
    store: Store
    ledger: Ledger
    config: Callable[[], Config]
    services: Services
    worker: Worker
    bell: Bell
    broker: dramatiq.Broker
    plugins: plugins.Loaded
    connectors: Mapping[str, Connector]
    codecs: Mapping[str, Codec]
    translations: Translations
    openings: Openings
    vault: Vault
    reveal: Callable[[str], str]
    foreseen: date | None = None
    """The day on which connections were last asked what will stop them."""

    def sweep(self) -> None:
        """Give back what dead workers held, and drain what is due in this process's lanes even if no bell rang."""
        self.store.write(requeue_expired)
        mark_overdue(self.services)
        for lane in self.store.read(due_lanes):
            self.worker.wake(lane)

    def tick(self) -> None:
        """Queue the pulls that are due; once a day, ask connections what will stop them soon."""
        today = self.services.clock.now().date()
        if self.foreseen != today:
            self.foreseen = today
            foresee(self.services)
        config = self.config()
        if self.store.write(lambda db: tick(db, config)):
            for lane in {each.priority_lane for each in config.connections.values() if each.pull_every}:
                self.bell.ring(lane)

    def close(self) -> None:
        """Stop taking work, finish what is under way, close what is open."""
        self.worker.stop()
        self.bell.close()
        self.store.close()
        self.broker.close()


def build(settings: HubSettings, *, role: str = "work", lanes: Sequence[str] = LANES, threads: int = THREADS) -> Hub:
    """Wire a hub for one process; `role` names it in leases and for crash points."""
    loaded = plugins.load_plugins(allowed=settings.plugins)
    connectors: dict[str, Connector] = plugins.declared(loaded.manager, "hub_connectors")
    codecs: dict[str, Codec] = plugins.declared(loaded.manager, "hub_codecs")
    settings.var.mkdir(parents=True, exist_ok=True)
    store = Store(settings.database)
    config = ConfigCache(store, seconds=CONFIG_HELD)
    crash = _crash(settings.crash_at, role)
    ledger = Ledger(store, config, crash)
    vault = Vault(store, settings.key_file)
    translations = _translations(settings, store, config, loaded)
    reveal = _revealing(loaded, vault)
    openings = _openings(settings, store, config, connectors, reveal)
    broker = open_broker(settings.redis_url)
    wake: list[Callable[[str], None]] = []
    bell = Bell(broker, lambda lane: wake[0](lane))
    hooks = _hooks(loaded)
    services = Services(
        store=ledger, config=config, clock=SystemClock(), doorbell=bell, codecs=codecs, translation=translations,
        opened=openings, operations=built_in(hooks.source), hooks=hooks, crash=crash,
        holds=Holds(lambda: store.read(suspended_connections)),
        owner=f"{role}@{socket.gethostname()}:{os.getpid()}", lease=settings.lease,
    )  # fmt: skip
    worker = Worker(
        ledger, handlers(services), lanes, services.owner, lease=settings.lease, drains=Drains(threads),
        held=services.holds.held,
    )  # fmt: skip
    wake.append(worker.wake)
    return Hub(
        settings=settings, store=store, ledger=ledger, config=config, services=services, worker=worker, bell=bell,
        broker=broker, plugins=loaded, connectors=connectors, codecs=codecs, translations=translations,
        openings=openings, vault=vault, reveal=reveal,
    )  # fmt: skip


def _translations(settings: HubSettings, store: Store, config: ConfigCache, loaded: plugins.Loaded) -> Translations:
    functions = plugins.declared(loaded.manager, "hub_functions")
    return Translations(store, config, (settings.config / "mappings", *mapping_roots(loaded)), functions)


def _openings(
    settings: HubSettings,
    store: Store,
    config: ConfigCache,
    connectors: Mapping[str, Connector],
    reveal: Callable[[str], str],
) -> Openings:
    return Openings(
        connectors=connectors,
        config=config,
        reveal=reveal,
        clock=SystemClock(),
        var=settings.var,
        notes=StoredNotes(store),
        networks=settings.allow_networks,
        roots=settings.roots,
        slots=StoredRates(store) if store.postgres else None,
    )


def handlers(services: Services) -> dict[str, Callable[[Any], None]]:
    """Return what handles each kind of work, in the order in which a worker looks for it."""
    return {
        "ingest": partial(take_in, services),
        "frame": partial(take_in, services),
        "send": partial(send_out, services),
        "pull": partial(pull, services),
    }


def mapping_roots(loaded: plugins.Loaded) -> tuple[Path, ...]:
    """Return the folders of mapping files: ours, then those that plug-ins bring."""
    ours = Path(mappings.__path__[0])
    return (ours, *(Path(folder.path) for folder in plugins.declared(loaded.manager, "hub_mappings").values()))


def _revealing(loaded: plugins.Loaded, vault: Vault) -> Callable[[str], str]:
    def ask(reference: str) -> str | None:
        answer = plugins.first(loaded.manager, "hub_reveal", reference=reference)
        return answer if isinstance(answer, str) else None

    return revealer(os.environ, asked_first=ask, vault=vault.reveal)


def _hooks(loaded: plugins.Loaded) -> Hooks:
    manager = loaded.manager
    checks = plugins.declared(manager, "hub_checks")

    def legs(event: Event, document: Any) -> Iterable[Leg]:
        return [leg for _, leg in plugins.each(manager, "hub_legs", event=event, document=document)]

    def source(order: Order, candidates: Sequence[Candidate]) -> SourcingDecision | None:
        decision: SourcingDecision | None = plugins.first(manager, "hub_source", order=order, candidates=candidates)
        return decision

    def observe(events: Sequence[Event]) -> None:
        for event in events:
            plugins.observe(manager, event)

    def check(document: str, value: Any) -> Iterable[Problem]:
        return [problem for each in checks.values() if each.document == document for problem in each.call(value)]

    return Hooks(
        legs=legs,
        source=source,
        observe=observe,
        checks=check,
        observed=bool(manager.hook.hub_observe.get_hookimpls()),
        legged=bool(manager.hook.hub_legs.get_hookimpls()),
    )


def _carry_on(_point: str) -> None:
    """Do nothing."""


def _crash(points: str, role: str) -> Callable[[str], None]:
    """Return a function that kills this process at the point a fault test names (`work.committed`), else nothing."""
    wanted = points.partition(".")
    if wanted[0] != role or not wanted[2]:
        return _carry_on

    def crash(point: str) -> None:
        if point == wanted[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    return crash
