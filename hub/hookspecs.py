"""The hub's hooks, in three shapes.

Plural nouns *declare*: every plug-in is asked once, at start; yield what you bring.
Verbs *decide*: plug-ins are asked in turn; for `hub_source` and `hub_reveal` the first answer that is not None holds.
`hub_observe` *listens*: it is told what happened, returns nothing, and cannot stop it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pluggy import HookimplMarker, HookspecMarker

from hub.domain.event import Event
from hub.domain.order import Order
from hub.domain.route import Leg
from hub.domain.shipment import Candidate, SourcingDecision
from hub.ports import Check, Codec, Connector, Function, MappingFolder

hookspec = HookspecMarker("hub")
hookimpl = HookimplMarker("hub")


@hookspec
def hub_connectors() -> Iterable[Connector]:
    """Declare connectors: ways to move bytes to and from one kind of system."""
    yield from ()


@hookspec
def hub_codecs() -> Iterable[Codec]:
    """Declare codecs: one syntax each, bytes to trees and back."""
    yield from ()


@hookspec
def hub_mappings() -> Iterable[MappingFolder]:
    """Declare folders of mapping files that come with your package."""
    yield from ()


@hookspec
def hub_functions() -> Iterable[Function]:
    """Declare value functions for mapping files: `as = ["yourname:argument"]`."""
    yield from ()


@hookspec
def hub_checks() -> Iterable[Check]:
    """Declare checks that every canonical document of a kind must pass."""
    yield from ()


@hookspec
def hub_legs(event: Event, document: Any) -> Iterable[Leg]:
    """Add legs to those that the routes in the database gave for an event. Replacing is not possible from here."""
    yield from ()


@hookspec(firstresult=True)
def hub_source(order: Order, candidates: Sequence[Candidate]) -> SourcingDecision | None:
    """Decide who fulfils. The first plan that is not None holds; the built-in strategy answers last."""


@hookspec(firstresult=True)
def hub_reveal(reference: str) -> str | None:
    """Decide what a secret reference such as `env:ACME_TOKEN` stands for; env:, file: and vault: answer last."""


@hookspec
def hub_observe(event: Event) -> None:
    """Hear that something happened. Exceptions are logged under your name and go no further."""
