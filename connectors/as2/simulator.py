"""A partner who speaks AS2, well or badly: takes what we send and answers with receipts, and sends to us.

It stands on the same S/MIME layer as the connector; that layer is judged by openssl and by another implementation in
the tests. The connector never imports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from connectors.as2 import mdn, mime, names
from connectors.as2.failures import Unusable
from connectors.as2.keys import Certificate, Identity, read_certificates, read_identities
from connectors.as2.mdn import Report
from connectors.as2.mime import Entity
from connectors.as2.unwrapping import Trust, unwrap
from connectors.as2.wrapping import Means, Payload, Step, wrap
from hub.testing.serve import Answer, Call

BEHAVIOURS = (
    "good", "no_receipt", "empty", "wrong_mic", "no_mic", "bad_signature", "unsigned", "foreign", "duplicate_warning",
    "negative", "busy",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message of theirs to us: POST these bytes with these header fields."""

    body: bytes
    headers: dict[str, str]
    checked: bytes
    """What our receipt's MIC must be over."""


@dataclass(frozen=True, kw_only=True)
class Later:
    """A receipt that goes to the address that we named, when the test says so."""

    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(kw_only=True)
class Partner:
    """One partner. `behaviour` may be changed while it runs; `negative` answers with `modifier`."""

    name: str
    hub: str
    key: str = ""
    """Their key and certificate, PEM."""
    hub_certificate: str = ""
    behaviour: str = "good"
    modifier: str = "processed/Error: decryption-failed"
    at: datetime = field(default_factory=lambda: datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
    weak: tuple[str, ...] = ()
    received: list[Entity] = field(default_factory=list)
    """The payloads that were new."""
    calls: list[Call] = field(default_factory=list)
    repeats: int = 0
    later: list[Later] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def take(self, call: Call) -> Answer:
        """Answer one POST, as `hub.testing.serve.handler` hands it over; a repeat gets the first answer."""
        self.calls.append(call)
        identity = call.headers.get("message-id", "")
        if self.behaviour == "busy":
            return Answer(status=503, body=b"busy", content_type="text/plain")
        if identity in self.answers:
            self.repeats += 1
        else:
            self.answers[identity] = self._answer(call, identity)
        answer = self.answers[identity]
        return Answer(body=b"", content_type="text/plain") if self.behaviour == "empty" else answer

    def _answer(self, call: Call, identity: str) -> Answer:
        wish = names.wish_of(call.headers)
        try:
            found = unwrap(Entity(call.headers.items(), call.body), self._trust())
            self.received.append(found.entity)
            digest = found.signed.digest if found.signed else next(iter(wish.digests), "sha256")
            report = Report(original_id=identity, mic=found.mic(digest), digest=digest, recipient=self.name)
        except Unusable as error:
            report = Report(original_id=identity, disposition=error.disposition, recipient=self.name)
        if not wish.wanted or self.behaviour == "no_receipt":
            return Answer(body=b"", content_type="text/plain")
        receipt = self.receipt(report, signed=wish.signed)
        fields = {"AS2-From": names.quoted(self.name), "AS2-To": names.quoted(self.hub), "AS2-Version": "1.2"}
        fields["Message-ID"] = f"<receipt-{len(self.calls)}@{self.name.replace(' ', '-')}>"
        kind = receipt.field("Content-Type")
        if wish.deliver_to:
            headers = {**fields, "Content-Type": kind}
            self.later.append(Later(url=wish.deliver_to, body=receipt.body, headers=headers))
            return Answer(body=b"", content_type="text/plain")
        return Answer(body=receipt.body, content_type=kind, headers=fields)

    def receipt(self, report: Report, *, signed: bool = True) -> Entity:
        """Write a receipt, with what the present behaviour does to it."""
        changes: Mapping[str, Report] = {
            "wrong_mic": replace(report, mic=report.mic[::-1]),
            "no_mic": replace(report, mic=b""),
            "foreign": replace(report, original_id="<another@message>"),
            "negative": replace(report, disposition=self.modifier, mic=b""),
            "duplicate_warning": replace(report, disposition="processed/Warning: duplicate-document"),
        }
        receipt = mdn.write(changes.get(self.behaviour, report), self.name)
        if not signed or not self.key or self.behaviour == "unsigned":
            return receipt
        entity = mdn.signed(receipt, self._identity, "sha256", self.at, self.name)
        if self.behaviour == "bad_signature":
            body = entity.body.replace(b"Reporting-UA: ", b"Reporting-UA: x")
            return Entity(entity.fields, body)
        return entity

    def send(
        self,
        body: bytes,
        *,
        identity: str,
        steps: Sequence[Step] = ("sign", "encrypt"),
        content_type: str = "application/edi-x12",
        name: str = "order.edi",
        fields: Mapping[str, str] | None = None,
        means: Means | None = None,
    ) -> Sent:
        """Return a message to us that asks for a signed receipt at once; `fields` replace or add header fields."""
        payload = Payload(body=body, content_type=content_type, name=name, key=identity)
        wrapped = wrap(payload, steps, means or self._means())
        asked = dict(names.wish_fields(self.name, ("sha256",), signed=True))
        headers = {
            "AS2-Version": "1.2",
            "AS2-From": names.quoted(self.name),
            "AS2-To": names.quoted(self.hub),
            "Message-ID": identity,
            **asked,
            **dict(wrapped.entity.fields),
            **(fields or {}),
        }
        return Sent(body=wrapped.entity.body, headers=headers, checked=wrapped.checked)

    def read(self, headers: Mapping[str, str], body: bytes) -> Report:
        """Return what our receipt says, its signature verified where it has one."""
        entity = Entity(headers.items(), body)
        found = unwrap(entity, replace(self._trust(), ours=()))
        assert found.signed is not None or entity.media.value == "multipart/report"
        return mdn.read(mime.read(found.entity.raw))

    @property
    def _identity(self) -> Identity:
        return read_identities(self.key)[0]

    def _certificates(self) -> tuple[Certificate, ...]:
        return read_certificates(self.hub_certificate) if self.hub_certificate else ()

    def _trust(self) -> Trust:
        ours = read_identities(self.key) if self.key else ()
        return Trust(ours=ours, theirs=self._certificates(), at=self.at, weak=self.weak)

    def _means(self) -> Means:
        return Means(identity=self._identity if self.key else None, certificates=self._certificates())
