"""Receipts of a transport (AS2's MDN) for what we sent: the proof is kept whole, and what is still owed gets a clock.

A receipt that comes later, by itself, was judged by its connection before it was stored; here its verdict is read, and
taken like that of a 997.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hub.codecs.answers import Verdict, VerdictStatus
from hub.domain.connection import Agreement
from hub.domain.errors import Problem, Rejected
from hub.domain.inbox import DocumentRow
from hub.domain.message import Message
from hub.domain.route import Delivery, ExpectedReceipt
from hub.domain.tree import Decoded
from hub.pipeline.clocks import due
from hub.pipeline.map_in import Mapped
from hub.ports.records import Unit

RECEIPT = "mdn"
"""The document that a receipt is: as a message of theirs, as a delivery of ours, as what they owe us."""
ABOUT, JUDGED = "Hub-Delivery", "Hub-Judged"
"""Notes that begin a stored receipt of theirs: the delivery it is for; `received`, or `refused` and why."""
MOST_SENDS = 3
"""A receipt that does not come is asked for by sending again, until so many attempts were made."""
HEAD = 20_000


def read_receipt(message: Message) -> list[Mapped]:
    """Return the verdict in a stored receipt."""
    notes = _notes(message.body)
    state, _, words = notes.get(JUDGED, "").partition(" ")
    decoded = Decoded(tree={}, set=RECEIPT)
    agreement = Agreement(
        connection=message.connection, direction="in", document="receipt", codec="", partner=message.partner
    )
    mapped = Mapped(message=message, decoded=decoded, agreement=agreement, subject_id=notes.get(ABOUT, ""))
    if not mapped.subject_id or state not in ("received", "refused"):
        text = f"receipt {message.id} says not for which delivery it is; ask the partner to send it again"
        raise Rejected([Problem(code="receipt_unread", text=text)])
    status: VerdictStatus = "rejected" if state == "refused" else "accepted"
    mapped.document = (Verdict(level="interchange", status=status, delivery=mapped.subject_id, words=words),)
    return [mapped]


def _notes(body: bytes) -> Mapping[str, str]:
    lines = body[:HEAD].partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        found.setdefault(name, value.strip())
    return found


def keep_proof(unit: Unit, delivery: Delivery, proof: bytes, *, refused: bool = False) -> None:
    """Keep what their answer proved about a delivery, as a message of its own."""
    leg = delivery.leg
    message = Message(
        id=unit.new_id(),
        connection=leg.connection,
        direction="in",
        kind=RECEIPT,
        received_at=unit.now,
        partner=leg.partner,
        content_type="message/http",
        name=f"receipt for {delivery.id}",
        body=proof,
    )
    unit.keep([message], "applied")
    row = DocumentRow(
        id=unit.new_id(), message_id=message.id, ordinal=0, kind="receipt", set_id=RECEIPT,
        connection=leg.connection, partner=leg.partner, state="applied", subject_id=delivery.id,
        reference="refused" if refused else "received",
    )  # fmt: skip
    unit.add_documents([row])


def expect_receipts(unit: Unit, owed: Iterable[tuple[Delivery, Mapping[str, str]]]) -> None:
    """Begin the clocks of what they owe us for deliveries that just arrived."""
    rows = [
        ExpectedReceipt(
            delivery_id=delivery.id, subject_id=delivery.leg.subject_id, kind=kind, due_at=due(unit.now, duration),
            connection=delivery.leg.connection, partner=delivery.leg.partner,
        )
        for delivery, clocks in owed
        for kind, duration in clocks.items()
    ]  # fmt: skip
    if rows:
        unit.expect(rows)


def send_again(unit: Unit, late: Sequence[ExpectedReceipt]) -> list[ExpectedReceipt]:
    """Send again what no receipt came for in time; return what is left for a person."""
    asked = [each.delivery_id for each in late if each.kind == RECEIPT]
    if not asked:
        return list(late)
    known = unit.deliveries(asked)
    answered = {each.id for each in known.values() if each.state == "acknowledged"}
    again = {each.id for each in known.values() if each.attempts < MOST_SENDS} - answered
    unit.again(again)
    if answered:
        unit.came([(each, RECEIPT, "received", "their functional acknowledgement came") for each in answered])
    done = again | answered
    return [each for each in late if each.kind != RECEIPT or each.delivery_id not in done]
