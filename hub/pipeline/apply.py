"""Canonical documents to our records: create what is new, drop what is a repeat, hand changes to the operations."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.domain.incident import Incident
from hub.domain.link import Link
from hub.domain.order import Order, Source
from hub.domain.order_change import OrderChange
from hub.domain.payment import is_older, payment_after
from hub.domain.texts import named
from hub.pipeline.file_documents import as_order, file_change, file_documents, filed_as, is_filed
from hub.pipeline.map_in import Mapped
from hub.ports.records import Unit


def apply(unit: Unit, mapped: Sequence[Mapped]) -> None:
    """Store orders and announce every other document as `<kind>.received` with the document attached.

    What partners say beside orders is kept as it was said, so that the event can be routed on.
    """
    live = [each for each in mapped if each.state == "applied" and each.document is not None]
    _apply_orders(unit, [each for each in live if isinstance(each.document, Order)])
    file_documents(unit, [each for each in live if is_filed(unit, each)])
    for each in live:
        if each.state == "applied" and not isinstance(each.document, Order):
            _announce(unit, each, f"{each.kind}.received")


def _announce(unit: Unit, each: Mapped, name: str, order_id: str = "") -> None:
    if isinstance(each.document, OrderChange):
        each.document = file_change(unit, each, order_id)
    kind, subject_id = filed_as(each)
    event = unit.emit(
        name,
        order_id=order_id,
        subject_kind=kind,
        subject_id=subject_id,
        origin=each.message.connection,
        message_id=each.message.id,
        partner=each.partner,
    )
    unit.attached[event.id] = each.document
    each.reference = str(getattr(each.document, "number", ""))


def _apply_orders(unit: Unit, mapped: Sequence[Mapped]) -> None:
    if not mapped:
        return
    identities = {id(each): identity(unit, each) for each in mapped}
    known = unit.known_orders(identities.values())
    created, early = [], []
    for each in mapped:
        key = identities[id(each)]
        each.reference = each.document.number
        before = known.get(key)
        if before is not None:
            known[key] = _meet(unit, each, before)
        elif each.document.purpose in ("change", "cancel"):
            early.append(each)
        else:
            known[key] = _create(unit, each, key)
            created.append(key)
    woken = unit.wake([waiting_for(key) for key in created])
    unit.later(woken)
    unit.resolve([str(item.order_key)[:300] for item in woken])
    for each in early:
        key = identities[id(each)]
        if key in known:
            known[key] = _meet(unit, each, known[key])
        else:
            _wait(unit, each, key)


def waiting_for(key: tuple[str, str]) -> str:
    """Return what a document that came before its order has as subject, until the order comes."""
    return f"waits/{key[0]}/{key[1]}"


def _wait(unit: Unit, each: Mapped, key: tuple[str, str]) -> None:
    """Keep a change or a cancellation that overtook its order; it is taken in again when the order comes."""
    each.state, each.subject_id = "waiting", waiting_for(key)
    what = "cancellation" if each.document.purpose == "cancel" else "change"
    unit.incident(
        Incident(
            fingerprint=each.subject_id[:300],
            kind="missing",
            severity="warning",
            title=f"{each.message.connection}: a {what} of order {each.document.number} came before the order"[:300],
            detail=f"message {each.message.id}: no order {key[1]} of {key[0]} is here",
            next_action="nothing while the order may still come: then it is applied by itself; else ask the sender",
            connection=each.message.connection,
            partner=each.partner,
            subject_kind="message",
            subject_id=each.message.id,
        )
    )


def identity(unit: Unit, each: Mapped) -> tuple[str, str]:
    """Return what an order is known by: (account, external id), for EDI (buyer party, purchase order number)."""
    order: Order = each.document
    connection = unit.config.connections[each.message.connection]
    if each.decoded.sender:
        buyer = each.partner or (order.buyer.gln if order.buyer else "") or each.decoded.sender
        return named(f"edi:{buyer}"), order.number
    return connection.identity, order.external_id or order.number


def _create(unit: Unit, each: Mapped, key: tuple[str, str]) -> Order:
    connection = unit.config.connections[each.message.connection]
    given = as_order(each.document)
    source = Source(
        connection=connection.name,
        channel=connection.channel,
        kind=connection.source_kind,
        external_id=key[1],
        external_number=given.number,
        agent=given.source.agent,
    )
    order = replace(
        given,
        id=unit.new_id(),
        account=key[0],
        external_id=key[1],
        source=source,
        partner=each.partner or connection.partner,
        received_at=unit.now,
        acceptance="received",
    )
    unit.put(order)
    each.subject_id = order.id
    if given.external_id:
        link = Link(connection=connection.name, kind="order", external_id=given.external_id, our_id=order.id)
        unit.links([link])
    unit.emit(
        "order.received",
        order_id=order.id,
        subject_kind="order",
        subject_id=order.id,
        origin=connection.name,
        message_id=each.message.id,
        partner=order.partner,
    )
    if order.holds:
        each.state = "held"
    return order


def _meet(unit: Unit, each: Mapped, before: Order) -> Order:
    """Decide what a document about a known order is: a cancellation, a change, news of payment, or a repeat.

    Returns the order as the next document of the batch must see it; the record changes in the operations.
    """
    given: Order = each.document
    each.subject_id = before.id
    cancels = given.purpose == "cancel" or given.cancellation == "requested"
    after = replace(before, payment=payment_after(before, given))
    if is_older(before, given):
        after = replace(after, source_updated_at=given.source_updated_at)
    if cancels:
        _announce(unit, each, "order.cancel_received", before.id)
    elif given.purpose in ("change", "replace") or _is_newer(given, before):
        _announce(unit, each, "order.change_received", before.id)  # Who changes the order takes the payment too.
        return after if given.purpose == "change" else replace(given, id=before.id, payment=after.payment)
    if after.payment != before.payment:
        _announce(unit, each, "order.payment_reported", before.id)
    elif not cancels:
        each.state = "repeated"
        _saw(unit, before, after)
    return after


def _saw(unit: Unit, before: Order, after: Order) -> None:
    """Keep the time of a later copy without effect: a copy from before it is old from now on."""
    if after.source_updated_at != before.source_updated_at:
        stored = unit.load(Order, [before.id])[before.id]
        unit.put(replace(stored, source_updated_at=after.source_updated_at))


def _is_newer(given: Order, before: Order) -> bool:
    """Say whether a whole copy asks for something else than is known, and later.

    A source that counts in seconds may give two states one time: what was not there at all before, the address that a
    marketplace shows once it is paid, is later all the same.
    """
    if given.source_updated_at is None or before.source_updated_at is None or is_older(given, before):
        return False
    if given.source_updated_at == before.source_updated_at:
        return _has_address(given) and not _has_address(before)
    return _asked(given) != _asked(before) or _takes_out(given, before)


def _has_address(order: Order) -> bool:
    return order.ship_to is not None and bool(order.ship_to.postal_code or order.ship_to.city)


def _asked(order: Order) -> tuple[object, ...]:
    """Return what a buyer asks for: a later copy that differs in nothing of this (a shop's own status) is a repeat."""
    lines = [(x.external_id or x.line_no, x.sku.seller, x.ordered, x.unit_price) for x in order.lines]
    return (sorted(lines), order.ship_to, order.totals.grand, order.requested, order.cancellation == "requested")


def _takes_out(given: Order, before: Order) -> bool:
    """Say whether the source cancelled more of a line than we know; less means that we cancelled it ourselves."""
    known = {line.external_id or line.line_no: line.cancelled for line in before.lines}
    return any(line.cancelled > known.get(line.external_id or line.line_no, line.cancelled) for line in given.lines)
