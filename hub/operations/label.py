"""A carrier's answer: carrier, service, cost and tracking numbers are kept on the shipment they were made for."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.incident import Incident
from hub.domain.shipment import Package, Shipment
from hub.pipeline.services import Operation
from hub.ports.records import Unit


def run(unit: Unit, events: Sequence[Event]) -> None:
    """Note labels on shipments by our number; a second label for one shipment has no effect."""
    labels = [(event, label) for event in events if isinstance(label := unit.attached.get(event.id), Shipment)]
    shipments = unit.numbered(Shipment, [label.number for _, label in labels])
    for event, label in labels:
        shipment = shipments.get(label.number)
        if shipment is None or shipment.extensions.get("carrier_connection") != event.origin:
            _unknown(unit, event, label)
        elif shipment.state in ("draft", "rated"):
            shipments[label.number] = _labelled(unit, event, shipment, label)


def _labelled(unit: Unit, event: Event, shipment: Shipment, label: Shipment) -> Shipment:
    after = replace(
        shipment,
        carrier=label.carrier or event.origin,
        service=label.service or shipment.service,
        packages=_packages(shipment.packages, label.packages),
        cost_quoted=label.cost_quoted,
        cost_currency=label.cost_currency,
        estimated_delivery=label.estimated_delivery,
        state="label_purchased",
    )
    unit.put(after)
    unit.emit(
        "shipment.labelled",
        order_id=after.order_id,
        subject_kind="shipment",
        subject_id=after.id,
        origin=event.origin,
        message_id=event.message_id,
        partner=after.partner,
        detail={"number": after.number, "carrier": after.carrier},
    )
    return after


def _packages(ours: Sequence[Package], theirs: Sequence[Package]) -> tuple[Package, ...]:
    """Put their numbers on our parcels, in order; parcels they added are kept."""
    merged = [
        replace(
            mine,
            tracking_number=other.tracking_number,
            tracking_url=other.tracking_url,
            label=other.label,
            sscc=mine.sscc or other.sscc,
        )
        for mine, other in zip(ours, theirs, strict=False)
    ]
    return (*merged, *ours[len(merged) :], *theirs[len(merged) :])


def _unknown(unit: Unit, event: Event, label: Shipment) -> None:
    unit.incident(
        Incident(
            fingerprint=f"label/{event.origin}/{label.number}"[:300],
            kind="missing",
            title=f"{event.origin}: a label came for shipment {label.number or '?'}, which was not asked of them",
            next_action="find the shipment it belongs to, or void the label with the carrier",
            connection=event.origin,
            subject_kind="message",
            subject_id=event.message_id,
        )
    )


OPERATION = Operation(name="label", on=("label.received",), run=run)
