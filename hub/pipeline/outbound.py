"""From a planned delivery to a receipt: map_out, encode, begin; send; record. Only what was begun can be in doubt."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from msgspec.structs import replace

from hub.domain.errors import HubError, Paused, Rejected, RetryLater
from hub.domain.message import Message, Outgoing
from hub.domain.route import Delivery
from hub.domain.work import Claim
from hub.pipeline.deliver import Result, deliver
from hub.pipeline.encode import encode
from hub.pipeline.map_out import Outward, map_out
from hub.pipeline.pace import PATIENCE, Pace
from hub.pipeline.record import Sent, record, record_unsent
from hub.pipeline.services import Opened, Services
from hub.ports import Push
from hub.ports.records import Unit

Begun = tuple[Claim, Delivery, Outgoing, bool]
"""The last says whether an earlier attempt left it in doubt."""


@dataclass(kw_only=True)
class Window:
    """Deliveries that are begun together, as many as `pace` allows: these are in doubt when the process dies."""

    claims: list[Claim]
    begun: list[Begun] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    lanes: set[str] = field(default_factory=set)


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
    pace = Pace(opened.connector.pushes.values())
    waiting, done, renewed = deque(claims), None, services.clock.now()
    while waiting:
        window = Window(claims=[waiting.popleft() for _ in range(min(pace.size, len(waiting)))])
        late = (services.clock.now() - renewed).total_seconds() > services.lease / 3
        renewed = services.clock.now() if late else renewed
        _turn(services, opened, done, window, list(waiting) if late else [])
        services.crash("begun")
        begun = monotonic()
        paused = _send_window(opened, window, begun + patience)
        pace.note(len(window.begun), monotonic() - begun)
        services.crash("sent")
        done = window
        if paused is not None:
            _turn(services, opened, done, None, [])
            _leave(services, name, list(waiting), paused)
            return
        waiting.extendleft(reversed([each.claim for each in window.sent if each.untried]))
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
            _begin(services, unit, window, rest)

    services.store.transact(work)
    for lane in sorted(done.lanes) if done is not None else ():
        services.doorbell.ring(lane)


def _begin(services: Services, unit: Unit, window: Window, rest: list[Claim]) -> None:
    mine = unit.renew([*window.claims, *rest], services.lease)
    claims = {claim.subject_id: claim for claim in window.claims if claim.id in mine}
    known = unit.deliveries(claims)
    deliveries = [each for each in known.values() if each.state in ("planned", "begun", "in_doubt")]
    unit.fence([claims[each.id] for each in known.values() if each.state not in ("planned", "begun", "in_doubt")])
    built = [each for each in deliveries if each.message_id]
    kept = unit.outgoing([each.message_id for each in built]) if built else {}
    fresh = map_out(services, unit, [each for each in deliveries if not each.message_id])
    begun: list[tuple[Delivery, Message | None]] = []
    window.begun, window.sent = [], []
    for delivery in built:
        _ready(unit, window, claims[delivery.id], delivery, kept[delivery.message_id])
        begun.append((delivery, None))
    for outward, message in zip(fresh, encode(services, unit, fresh), strict=True):
        claim = claims[outward.delivery.id]
        if message is None:
            window.sent.append(Sent(claim=claim, delivery=outward.delivery, result=_failure(outward)))
            continue
        delivery = replace(outward.delivery, message_id=message.id)
        _ready(unit, window, claim, delivery, message)
        begun.append((delivery, message))
    unit.begin(begun)


def _failure(outward: Outward) -> HubError:
    assert outward.failure is not None
    return outward.failure


def _ready(unit: Unit, window: Window, claim: Claim, delivery: Delivery, message: Message) -> None:
    leg = delivery.leg
    doubted = delivery.state in ("begun", "in_doubt")
    agreed = unit.config.outbound.get((leg.connection, leg.send))
    out = Outgoing(
        key=delivery.id,
        kind=leg.send,
        body=message.body,
        content_type=message.content_type,
        order_key=leg.order_key,
        name=message.name,
        meta=dict(agreed.envelope) if agreed is not None else {},
    )
    window.begun.append((claim, replace(delivery, attempts=delivery.attempts + 1), out, doubted))


def _send_window(opened: Opened, window: Window, until: float) -> Paused | None:
    """Send what was begun; return the reason where the connection turned out to be unusable."""
    by_kind: dict[str, list[Begun]] = {}
    for entry in window.begun:
        by_kind.setdefault(entry[2].kind, []).append(entry)
    paused: Paused | None = None
    for at, (kind, entries) in enumerate(by_kind.items()):
        push = opened.connector.pushes.get(kind) or opened.connector.pushes.get("*")
        results: list[Result | None] = [None] * len(entries)
        if paused is None and not (at and monotonic() > until):
            results = _deliver(opened, push, kind, entries, until)
        paused = next((each for each in results if isinstance(each, Paused)), paused)
        window.sent += [_sent(entry, push, result, paused) for entry, result in zip(entries, results, strict=True)]
    return paused


def _sent(entry: Begun, push: Push | None, result: Result | None, paused: Paused | None) -> Sent:
    claim, delivery, out, doubted = entry
    if result is not None:
        return Sent(claim=claim, delivery=delivery, result=result, out=out, push=push)
    if paused is not None:
        return Sent(claim=claim, delivery=delivery, result=paused, out=out, push=push, doubted=doubted)
    slow = RetryLater("not sent: their side became slow, and what was begun with it had to be recorded first")
    return Sent(claim=claim, delivery=delivery, result=slow, out=out, push=push, doubted=doubted, untried=True)


def _deliver(
    opened: Opened, push: Push | None, kind: str, entries: Sequence[Begun], until: float
) -> list[Result | None]:
    if push is None:
        return [Rejected(f"connector {opened.connector.name} cannot send {kind}; route it elsewhere") for _ in entries]
    # Where a person is asked, only a person lets a doubted one go again: then the doubt is decided.
    decided = push.on_doubt == "ask"
    window = [(out, doubted and not (decided and each.state == "in_doubt")) for _, each, out, doubted in entries]
    return deliver(opened, push, window, until)
