"""From a planned delivery to a receipt: map_out, encode, begin; send; record. Only what was begun can be in doubt."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from time import monotonic

from hub.domain.errors import HubError, Paused, Rejected, RetryLater
from hub.domain.work import Claim
from hub.pipeline.begin import Begun, Window, begin, prepare
from hub.pipeline.deliver import Result, deliver
from hub.pipeline.holds import Suspended, rest_of
from hub.pipeline.pace import PATIENCE, pace_of
from hub.pipeline.record import Sent, record, record_unsent
from hub.pipeline.services import Opened, Services
from hub.ports import Push
from hub.ports.records import Unit


def send_out(services: Services, claims: Sequence[Claim], *, patience: float = PATIENCE) -> None:
    """Send claimed deliveries, connection by connection; `patience` is how many seconds one window may be sent."""
    services.crash("claimed")
    by_connection: dict[str, list[Claim]] = {}
    for claim in claims:
        by_connection.setdefault(claim.connection, []).append(claim)
    for name, group in by_connection.items():
        _send_connection(services, name, group, patience)


def _send_connection(services: Services, name: str, claims: list[Claim], patience: float) -> None:
    try:
        opened = services.opened(name)
    except HubError as error:
        _leave(services, name, claims, error)
        return
    pace = pace_of(services.store, opened)
    waiting, renewed = deque(claims), services.clock.now()
    done: Window | None = None
    while waiting:
        window = Window(claims=[waiting.popleft() for _ in range(min(pace.size, len(waiting)))])
        late = (services.clock.now() - renewed).total_seconds() > services.lease / 3
        renewed = services.clock.now() if late else renewed
        prepare(services, window)
        _turn(services, opened, done, window, list(waiting) if late else [])
        services.crash("begun")
        begun = monotonic()
        paused = _send_window(opened, window, begun + patience, slow=pace.is_slow)
        pace.note(len(window.begun), monotonic() - begun)
        services.crash("sent")
        done = window
        if paused is not None:
            _turn(services, opened, done, None, [])
            if isinstance(paused, Paused) and name in services.holds.held():
                paused = Suspended(str(paused))
            _leave(services, name, list(waiting), paused)
            return
        if left := [each.claim for each in window.sent if each.untried]:
            _turn(services, opened, done, None, [])
            done = None
            waiting.extendleft(reversed(left))
    _turn(services, opened, done, None, [])
    services.crash("recorded")


def _leave(services: Services, name: str, claims: Sequence[Claim], error: HubError) -> None:
    services.store.transact(lambda unit: record_unsent(unit, name, claims, error))


def _turn(services: Services, opened: Opened, done: Window | None, window: Window | None, rest: list[Claim]) -> None:
    """Record the window that was sent and begin the next one: one commit for both."""

    def work(unit: Unit) -> None:
        if done is not None:
            record(services, unit, opened, done.sent)
            done.lanes = unit.planned_lanes()
        if window is not None:
            begin(services, unit, window, rest)

    services.store.transact(work)
    for lane in sorted(done.lanes) if done is not None else ():
        services.doorbell.ring(lane)


def _send_window(opened: Opened, window: Window, until: float, *, slow: bool) -> HubError | None:
    """Send what was begun; return the reason where the connection turned out to be unusable, or asked for time."""
    by_kind: dict[str, list[Begun]] = {}
    for entry in window.begun:
        by_kind.setdefault(entry.out.kind, []).append(entry)
    paused: HubError | None = None
    for at, (kind, entries) in enumerate(by_kind.items()):
        push = opened.connector.pushes.get(kind) or opened.connector.pushes.get("*")
        results: list[Result | None] = [None] * len(entries)
        if paused is None and not (at and monotonic() > until):
            results = _deliver(opened, push, entries, until, slow)
        paused = next((rest for each in results if (rest := rest_of(each)) is not None), paused)
        window.sent += [_sent(entry, push, result, paused) for entry, result in zip(entries, results, strict=True)]
    return paused


def _sent(entry: Begun, push: Push | None, result: Result | None, paused: HubError | None) -> Sent:
    sent = Sent(claim=entry.claim, delivery=entry.delivery, result=result or paused or _SLOW, out=entry.out, push=push)
    if result is None:
        sent.doubted, sent.untried = entry.doubted, paused is None
    return sent


_SLOW = RetryLater("not sent: their side became slow, and what was begun with it had to be recorded first")


def _deliver(
    opened: Opened, push: Push | None, entries: Sequence[Begun], until: float, slow: bool
) -> list[Result | None]:
    if push is None:
        text = f"connector {opened.connector.name} cannot send {entries[0].out.kind}; route it elsewhere"
        return [Rejected(text) for _ in entries]
    # Where a person is asked, only a person lets a doubted one go again: then the doubt is decided.
    decided = push.on_doubt == "ask"
    window = [(x.out, x.doubted and not (decided and x.delivery.state == "in_doubt")) for x in entries]
    return deliver(opened, push, window, until, slow=slow)
