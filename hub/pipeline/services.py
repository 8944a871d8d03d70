"""What the stages are given: everything that is not a stage, as ports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.domain.config import Config
from hub.domain.errors import Problem
from hub.domain.event import Event
from hub.domain.order import Order
from hub.domain.route import Leg
from hub.domain.shipment import Candidate, SourcingDecision
from hub.pipeline.holds import Holds
from hub.ports import Clock, Codec, Connector, Doorbell
from hub.ports.records import Store, Unit
from hub.translate.explain import Trace


class Fingerprinted(Protocol):
    """A mapping's identity."""

    @property
    def name(self) -> str:
        """Return its name."""

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of all that it means."""


class Translation(Protocol):
    """A compiled mapping."""

    @property
    def mapping(self) -> Fingerprinted:
        """Return what it was compiled from."""

    def inward(self, tree: Any) -> Any:
        """Turn a tree into a canonical document; every problem at once as Rejected."""

    def outward(self, document: Any) -> Any:
        """Turn a canonical document into a tree."""

    def explain_inward(self, tree: Any) -> Sequence[Trace]:
        """Say for every value where it came from, or why it could not be had."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A connection that is ready to use."""

    name: str
    connector: Connector
    instance: Any


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What plug-ins decide and hear; each guarded alone."""

    legs: Callable[[Event, Any], Iterable[Leg]] = lambda _event, _document: ()
    source: Callable[[Order, Sequence[Candidate]], SourcingDecision | None] = lambda _order, _candidates: None
    observe: Callable[[Sequence[Event]], None] = lambda _events: None
    checks: Callable[[str, Any], Iterable[Problem]] = lambda _document, _value: ()
    observed: bool = False
    legged: bool = False


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Something the hub decides itself: which events it hears, and what it does about them, set by set."""

    name: str
    on: tuple[str, ...]
    run: Callable[[Unit, Sequence[Event]], None]


@dataclass(frozen=True, kw_only=True)
class Services:
    """What `bootstrap` wires together for the pipeline."""

    store: Store
    config: Callable[[], Config]
    clock: Clock
    doorbell: Doorbell
    codecs: Mapping[str, Codec]
    translation: Callable[[str], Translation]
    """By mapping name, as published under the present configuration."""
    opened: Callable[[str], Opened]
    """By connection name; raises Paused where the plug-in or a setting is missing."""
    operations: Sequence[Operation] = ()
    hooks: Hooks = field(default_factory=Hooks)
    holds: Holds = field(default_factory=Holds)
    crash: Callable[[str], None] = lambda _point: None
    """Ends the process at a named point when a fault test asks for it."""
    owner: str = "worker"
    lease: float = 60.0
    """Seconds for which a worker holds what it took; what a dead worker held waits for so long."""
