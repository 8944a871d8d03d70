"""A window of deliveries before it is sent: read, mapped and written, then begun in one short transaction.

A large window is read and written before its transaction, so that nobody waits meanwhile for its locks or, on SQLite,
for the one thread that writes. What was read stays valid as long as the claims are ours, which the transaction proves:
nobody ends a delivery without taking its work row. A record that changes in between is told by its own event, whose
delivery waits behind this one; control numbers are taken within the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from hub.domain.connection import Agreement
from hub.domain.message import Message, Outgoing
from hub.domain.route import Delivery
from hub.domain.work import Claim
from hub.pipeline.encode import encode, number
from hub.pipeline.map_out import Documents, Outward, map_out, read_documents
from hub.pipeline.record import Sent
from hub.pipeline.services import Services
from hub.ports.records import Unit

OPEN = ("planned", "begun", "in_doubt")
SMALL = 32
"""A window of so many is read and written within its transaction: one look less."""


@dataclass(kw_only=True, slots=True)
class Begun:
    """A delivery whose attempt is under way: from here on only an answer tells whether they have it."""

    claim: Claim
    delivery: Delivery
    out: Outgoing
    doubted: bool
    """An earlier attempt left it in doubt."""


@dataclass(kw_only=True)
class Found:
    """What is stored of the deliveries of a window."""

    documents: Documents
    fresh: Sequence[Delivery]
    built: Sequence[tuple[Delivery, Message]]
    """Written for an earlier attempt: the same bytes go again."""
    ended: Sequence[Delivery]


@dataclass(kw_only=True)
class Plan:
    """A window as it could go out."""

    found: Found
    outwards: Sequence[Outward]


@dataclass(kw_only=True)
class Window:
    """Deliveries that are begun together, as many as `pace` allows: these are in doubt when the process dies."""

    claims: Sequence[Claim]
    plan: Plan | None = None
    begun: list[Begun] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    lanes: set[str] = field(default_factory=set)


def prepare(services: Services, window: Window) -> None:
    """Read and write a large window before its transaction."""
    if len(window.claims) > SMALL:
        window.plan = _plan(services, services.store.look(lambda unit: _find(unit, window.claims)))


def begin(services: Services, unit: Unit, window: Window, rest: Sequence[Claim]) -> None:
    """Begin the attempts of a window whose claims are still ours; renew the leases of the `rest`."""
    mine = unit.renew([*window.claims, *rest], services.lease)
    plan = window.plan or _plan(services, _find(unit, window.claims))
    claims = {claim.subject_id: claim for claim in window.claims if claim.id in mine}
    found, outbound = plan.found, unit.config.outbound
    unit.fence([claims[each.id] for each in found.ended if each.id in claims])
    window.begun, window.sent = [], []
    stored: list[tuple[Delivery, Message | None]] = []
    for delivery, message in found.built:
        if delivery.id in claims:
            window.begun.append(_begun(outbound, claims[delivery.id], delivery, message))
            stored.append((delivery, None))
    fresh = [each for each in plan.outwards if each.delivery.id in claims]
    for outward, written in zip(fresh, number(services, unit, fresh), strict=True):
        claim = claims[outward.delivery.id]
        if written is None:
            window.sent.append(_unwritten(claim, outward))
            continue
        delivery = replace(outward.delivery, message_id=written.id)
        window.begun.append(_begun(outbound, claim, delivery, written))
        stored.append((delivery, written))
    unit.begin(stored)


def _find(unit: Unit, claims: Sequence[Claim]) -> Found:
    stored = unit.deliveries([claim.subject_id for claim in claims])
    known = [stored[claim.subject_id] for claim in claims if claim.subject_id in stored]
    going = [each for each in known if each.state in OPEN]
    built = [each for each in going if each.message_id]
    fresh = [each for each in going if not each.message_id]
    kept: Mapping[str, Message] = unit.outgoing([each.message_id for each in built]) if built else {}
    return Found(
        documents=read_documents(unit, fresh),
        fresh=fresh,
        built=[(each, kept[each.message_id]) for each in built],
        ended=[each for each in known if each.state not in OPEN],
    )


def _plan(services: Services, found: Found) -> Plan:
    outwards = map_out(services, found.fresh, found.documents)
    encode(services, outwards)
    return Plan(found=found, outwards=outwards)


def _unwritten(claim: Claim, outward: Outward) -> Sent:
    assert outward.failure is not None
    return Sent(claim=claim, delivery=outward.delivery, result=outward.failure)


def _begun(outbound: Mapping[tuple[str, str], Agreement], claim: Claim, delivery: Delivery, message: Message) -> Begun:
    leg = delivery.leg
    agreed = outbound.get((leg.connection, leg.send))
    out = Outgoing(
        key=delivery.id,
        kind=leg.send,
        body=message.body,
        content_type=message.content_type,
        order_key=leg.order_key,
        name=message.name,
        meta=dict(agreed.envelope) if agreed is not None else {},
    )
    doubted = delivery.state in ("begun", "in_doubt")
    return Begun(claim=claim, delivery=replace(delivery, attempts=delivery.attempts + 1), out=out, doubted=doubted)
