"""Fetch from a connection: each page is stored with its cursor before the next is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.errors import HubError, Paused, RetryLater
from hub.domain.work import Claim
from hub.pipeline.receive import receive
from hub.pipeline.record import PAUSE, unusable
from hub.pipeline.services import Services
from hub.ports.records import Unit

MOST_PAGES = 1000


def pull(services: Services, claims: Sequence[Claim]) -> None:
    """Run claimed pulls one by one."""
    for claim in claims:
        try:
            _pull(services, claim)
        except HubError as error:
            _failed(services, claim, error)


def _pull(services: Services, claim: Claim) -> None:
    name, _, kind = claim.subject_id.partition("/")
    connection = services.config().connections[name]
    opened = services.opened(name)
    cursor = services.store.look(lambda unit: unit.cursor(name, kind))
    for at, page in enumerate(opened.instance.pull(kind, cursor)):
        receive(services, connection, page.messages, cursor=(kind, page.cursor))
        if at + 1 >= MOST_PAGES:
            break

    def done(unit: Unit) -> None:
        unit.fence([claim])
        if claim.attempts:
            unit.resolve([f"connection/{name}"])

    services.store.transact(done)


def _failed(services: Services, claim: Claim, error: HubError) -> None:
    after = error.after if isinstance(error, RetryLater) else PAUSE if isinstance(error, Paused) else None

    def work(unit: Unit) -> None:
        unit.put_back([claim], after=after, reason=str(error))
        if claim.attempts >= 2 or not isinstance(error, RetryLater):
            unit.incident(unusable(claim.connection, error))

    services.store.transact(work)
