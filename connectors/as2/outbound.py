"""Out: a document is wrapped and posted, and believed to be there once the receipt says and proves so."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime
from urllib.parse import urlsplit

from connectors.as2 import mime, names
from connectors.as2.keyring import Keyring
from connectors.as2.mime import Entity
from connectors.as2.receipts import Demand, compare, may_be_receipt
from connectors.as2.settings import Settings
from connectors.as2.wrapping import Payload, checked_bytes, wrap
from hub.sdk import Http, InDoubt, Kit, Outgoing, Receipt, Rejected, Reply

Fields = Sequence[tuple[str, str]]
DELIVER_TO = "Hub-Deliver-To"
"""A field of ours in stored receipts: where an asynchronous one goes. It never travels."""
_KEPT = ("content-", "as2-", "message-id", "date", "mime-version", "subject", "server", "ediint-features", "from")


def payload_of(out: Outgoing, settings: Settings) -> Payload:
    """Return what a delivery carries: the same over all attempts."""
    return Payload(
        body=out.body,
        content_type=settings.content_types.get(out.content_type, out.content_type),
        name=out.name if settings.send_name else "",
        key=out.key,
        encoding=settings.transfer_encoding,
    )


def demand_for(identity: str, checked: bytes, settings: Settings) -> Demand:
    """Return what a receipt for this message must prove."""
    return Demand(identity=identity, checked=checked, signed=settings.receipt_signed, weak=settings.accept_weak)


def demand_of(out: Outgoing, settings: Settings) -> Demand:
    """Return the same for a message that was sent earlier, from what was to be sent."""
    identity = names.message_id(out.key, out.body, settings.our_id)
    return demand_for(identity, checked_bytes(payload_of(out, settings), settings.steps), settings)


class Sender:
    """Posts documents and receipts of one partnership."""

    def __init__(self, settings: Settings, kit: Kit, keyring: Keyring) -> None:
        self.settings, self.kit, self.keyring = settings, kit, keyring
        self.http = self._client(settings.url) if settings.url else None

    def push(self, out: Outgoing) -> Receipt:
        """Send one document, or one of our receipts, and return what proves that they have it."""
        if out.kind == "mdn":
            return self._send_receipt(out)
        if self.http is None:
            raise Rejected(f"{self.kit.connection} has no url, so {out.kind} cannot be sent to the partner; enter it")
        settings = self.settings
        payload = payload_of(out, settings)
        wrapped = wrap(payload, settings.steps, self.keyring.means())
        identity = names.message_id(out.key, out.body, settings.our_id)
        fields = [*self._fields(identity, out.kind), *wrapped.entity.fields]
        reply = self.http.request("POST", "", body=wrapped.entity.body, headers=dict(fields))
        return self._receipt(reply, identity, wrapped.checked)

    def _fields(self, identity: str, kind: str) -> Fields:
        settings = self.settings
        fields = [
            ("AS2-Version", names.VERSION),
            ("EDIINT-Features", names.FEATURES),
            ("AS2-From", names.quoted(settings.our_id)),
            ("AS2-To", names.quoted(settings.their_id)),
            ("Message-ID", identity),
            ("Date", format_datetime(self.kit.clock.now(), usegmt=True)),
            ("Subject", names.clean(settings.subject.replace("{kind}", kind))),
            ("MIME-Version", "1.0"),
        ]
        if settings.receipt == "none":
            return fields
        to = settings.receipt_url if settings.receipt == "async" else ""
        asked = names.wish_fields(
            settings.our_id, settings.receipt_digests, signed=settings.receipt_signed, deliver_to=to
        )
        return [*fields, *asked]

    def _receipt(self, reply: Reply, identity: str, checked: bytes) -> Receipt:
        settings = self.settings
        answer = Entity(reply.headers.items(), reply.body)
        if not may_be_receipt(answer):
            if settings.receipt == "sync":
                raise InDoubt(
                    f"{self.kit.connection} answered {reply.status} without the receipt that was asked for; it is sent "
                    "again under the same Message-ID. If they never send one, set receipt to async or none"
                )
            owed = {"mdn": settings.receipt_within} if settings.receipt == "async" else {}
            return Receipt(reference=identity, owed=owed)
        proof = mime.written([each for each in answer.fields if each[0].lower().startswith(_KEPT)], answer.body)
        problem = compare(answer, self.keyring.trust(), demand_for(identity, checked, settings))
        if problem is not None:
            raise Rejected([problem], proof=proof)
        return Receipt(reference=identity, proof=proof)

    def _send_receipt(self, out: Outgoing) -> Receipt:
        """Post an asynchronous receipt to the address that its message named, if that is allowed."""
        stored = mime.read(out.body)
        to = stored.field(DELIVER_TO)
        allowed = {urlsplit(self.settings.url).hostname, *self.settings.receipt_hosts} - {None}
        if urlsplit(to).hostname not in allowed:
            raise Rejected(
                f"{self.kit.connection} asks for its receipt at {to[:200]!r}, a host that is not allowed; if it is "
                "theirs, add it to receipt_hosts and retry"
            )
        fields = {name: value for name, value in stored.fields if name != DELIVER_TO}
        self._client(to).request("POST", "", body=stored.body, headers=fields)
        return Receipt(reference=stored.field("Message-ID"))

    def _client(self, url: str) -> Http:
        settings = self.settings
        basic = (settings.user, settings.password) if settings.user and settings.password is not None else None
        is_theirs = urlsplit(url).netloc == urlsplit(settings.url).netloc
        return self.kit.http(url, basic=basic if is_theirs else None, deadline=settings.deadline)
