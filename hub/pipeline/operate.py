"""Let the operations hear what happened, until nothing new happens."""

from __future__ import annotations

from hub.pipeline.services import Services
from hub.ports.records import Unit

ROUNDS = 8


def operate(services: Services, unit: Unit) -> None:
    """Run every operation over the events it listens to; what they emit is heard in the next round (8 at most)."""
    heard = 0
    for _ in range(ROUNDS):
        fresh = unit.events[heard:]
        if not fresh:
            return
        heard = len(unit.events)
        names = {event.name for event in fresh}
        for operation in services.operations:
            if not names.isdisjoint(operation.on):
                operation.run(unit, [event for event in fresh if event.name in operation.on])
    if len(unit.events) > heard:
        raise RuntimeError(f"operations still emit events after {ROUNDS} rounds: {unit.events[-1].name}")
