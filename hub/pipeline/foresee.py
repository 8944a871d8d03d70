"""What will stop a connection soon, such as a certificate that runs out: an incident, closed once it is mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.domain.errors import HubError, Problem
from hub.domain.incident import Incident
from hub.pipeline.services import Services
from hub.ports import Foresees
from hub.ports.records import Unit

WATCHED = ("testing", "active", "degraded")


def foresee(services: Services) -> int:
    """Ask every connection that can tell; return how many will stop. Meant to run once a day."""
    found = {
        connection.name: problems
        for connection in services.config().connections.values()
        if connection.state in WATCHED and (problems := _foreseen(services, connection.name)) is not None
    }
    if found:
        services.store.transact(lambda unit: _note(unit, found))
    return sum(bool(problems) for problems in found.values())


def _foreseen(services: Services, name: str) -> Sequence[Problem] | None:
    """Return what a connection foresees; None where it cannot tell, or cannot be opened, which shows elsewhere."""
    try:
        instance = services.opened(name).instance
        return instance.foresee() if isinstance(instance, Foresees) else None
    except HubError:
        return None


def _note(unit: Unit, found: Mapping[str, Sequence[Problem]]) -> None:
    for name, problems in found.items():
        if problems:
            unit.incident(_incident(name, problems))
    unit.resolve(f"soon/{name}" for name, problems in found.items() if not problems)


def _incident(name: str, problems: Sequence[Problem]) -> Incident:
    return Incident(
        fingerprint=f"soon/{name}",
        kind="missing",
        severity="warning",
        title=f"{name} will stop working: {problems[0].text}"[:300],
        detail="; ".join(str(problem) for problem in problems),
        next_action="do what the text says before the date; the connection works until then",
        connection=name,
        subject_kind="connection",
        subject_id=name,
    )
