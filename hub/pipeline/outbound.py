"""From a planned delivery to a receipt: map_out, encode, begin; send; record. Only what was begun can be in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from hub.domain.errors import HubError, Paused, Rejected
from hub.domain.message import Message, Outgoing
from hub.domain.route import Delivery
from hub.domain.work import Claim
from hub.pipeline.deliver import Result, deliver
from hub.pipeline.encode import encode
from hub.pipeline.map_out import Outward, map_out
from hub.pipeline.record import Sent, record, record_unsent
from hub.pipeline.services import Opened, Services
from hub.ports import Push
from hub.ports.records import Unit

WINDOW = 32


@dataclass(kw_only=True)
class Window:
    """Deliveries that are begun together: at most 32, or one bulk call."""

    claims: list[Claim]
    begun: list[tuple[Claim, Delivery, Outgoing, bool]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    lanes: set[str] = field(default_factory=set)


def send_out(services: Services, claims: Sequence[Claim]) -> None:
    """Send claimed deliveries, connection by connection."""
    services.crash("claimed")
    by_connection: dict[str, list[Claim]] = {}
    for claim in claims:
        by_connection.setdefault(claim.connection, []).append(claim)
    for name, group in by_connection.items():
        _send_connection(services, name, group)


def _send_connection(services: Services, name: str, claims: list[Claim]) -> None:
    try:
        opened = services.opened(name)
    except HubError as error:
        failure = error
        services.store.transact(lambda unit: record_unsent(unit, name, claims, failure))
        return
    kinds = opened.connector.pushes
    size = max([WINDOW, *(push.batch for push in kinds.values())])
    windows = [Window(claims=claims[at : at + size]) for at in range(0, len(claims), size)]
    done: Window | None = None
    renewed = services.clock.now()
    for at, window in enumerate(windows):
        rest = [claim for later in windows[at + 1 :] for claim in later.claims]
        late = (services.clock.now() - renewed).total_seconds() > services.lease / 3
        renewed = services.clock.now() if late else renewed
        _turn(services, opened, done, window, rest if late else [])
        services.crash("begun")
        paused = _send_window(opened, window)
        services.crash("sent")
        done = window
        if paused is not None:
            _turn(services, opened, done, None, [])
            services.store.transact(lambda unit, rest=rest, paused=paused: record_unsent(unit, name, rest, paused))  # type: ignore[misc]
            return
    _turn(services, opened, done, None, [])
    services.crash("recorded")


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
        _ready(window, claims[delivery.id], delivery, kept[delivery.message_id], None)
        begun.append((delivery, None))
    for outward, message in zip(fresh, encode(services, unit, fresh), strict=True):
        claim = claims[outward.delivery.id]
        if message is None:
            window.sent.append(Sent(claim=claim, delivery=outward.delivery, result=_failure(outward)))
            continue
        delivery = replace(outward.delivery, message_id=message.id)
        _ready(window, claim, delivery, message, outward)
        begun.append((delivery, message))
    unit.begin(begun)


def _failure(outward: Outward) -> HubError:
    assert outward.failure is not None
    return outward.failure


def _ready(window: Window, claim: Claim, delivery: Delivery, message: Message, outward: Outward | None) -> None:
    doubted = delivery.state in ("begun", "in_doubt")
    meta = dict(outward.agreement.envelope) if outward is not None and outward.agreement is not None else {}
    out = Outgoing(
        key=delivery.id,
        kind=delivery.leg.send,
        body=message.body,
        content_type=message.content_type,
        order_key=delivery.leg.order_key,
        name=message.name,
        meta=meta,
    )
    window.begun.append((claim, replace(delivery, attempts=delivery.attempts + 1), out, doubted))


def _send_window(opened: Opened, window: Window) -> Paused | None:
    """Send what was begun; return the reason where the connection turned out to be unusable."""
    by_kind: dict[str, list[tuple[Claim, Delivery, Outgoing, bool]]] = {}
    for entry in window.begun:
        by_kind.setdefault(entry[2].kind, []).append(entry)
    paused: Paused | None = None
    for kind, entries in by_kind.items():
        push = opened.connector.pushes.get(kind) or opened.connector.pushes.get("*")
        results = _deliver(opened, push, kind, entries)
        for (claim, delivery, out, _), result in zip(entries, results, strict=True):
            window.sent.append(Sent(claim=claim, delivery=delivery, result=result, out=out, push=push))
            paused = result if isinstance(result, Paused) else paused
    return paused


def _deliver(
    opened: Opened, push: Push | None, kind: str, entries: list[tuple[Claim, Delivery, Outgoing, bool]]
) -> list[Result]:
    if push is None:
        return [Rejected(f"connector {opened.connector.name} cannot send {kind}; route it elsewhere") for _ in entries]
    # Where a person is asked, only a person lets a doubted one go again: then the doubt is decided.
    decided = push.on_doubt == "ask"
    window = [(out, doubted and not (decided and each.state == "in_doubt")) for _, each, out, doubted in entries]
    return deliver(opened, push, window)
